/** An invalid setting. The problem says what was found (never a secret) and what is allowed. */
export interface Fault {
  readonly variable: string;
  readonly problem: string;
}

/** The configuration is invalid. The error holds every fault, so that one correction is enough. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(`unusable configuration: ${faults.map(({ variable, problem }) => `${variable} ${problem}`).join('; ')}`);
    this.faults = faults;
  }
}

/** Collects faults and advice until all settings have been read. */
export interface Findings {
  readonly faults: readonly Fault[];
  readonly hints: readonly string[];
  /** Notes a fault; returns `undefined` in place of the value. */
  fault(variable: string, problem: string): undefined;
  hint(sentence: string): void;
}

/** Opens an empty collection of faults and advice. */
export function collectFindings(): Findings {
  const faults: Fault[] = [];
  const hints: string[] = [];
  return {
    faults,
    hints,
    fault(variable, problem): undefined {
      faults.push({ variable, problem });
    },
    hint(sentence) {
      hints.push(sentence);
    },
  };
}
