import { localTime, utcOffset } from '../platform/local-time.ts';
import { printable } from '../platform/printable.ts';
import type { Output } from './output.ts';

/** The log of a run. Messages are sentences; details are for programs. */
export interface Log {
  info(message: string, details?: Details): void;
  warn(message: string, details?: Details): void;
  error(message: string, details?: Details): void;
}

/** Values that a log line has beside its sentence; only the JSON format shows them. */
export type Details = Readonly<Record<string, unknown>>;

const labels = { info: '', warn: 'WARNING: ', error: 'ERROR: ' } as const;

/** `14:30:05+02:00`: in the zone of TZ, as all other times that people are shown, and it says so; `Z` in UTC. */
export function timeOfDay(instant: Date): string {
  return localTime(instant).slice(11) + utcOffset(instant);
}

/**
 * Opens the log. Lines go to standard output, or to standard error where standard output is for a machine.
 * @param format `human`: one plain line a message; `json`: pino's format, one object a line
 */
export async function openLog(
  format: 'human' | 'json',
  output: Pick<Output, 'log' | 'entry' | 'redact'>,
): Promise<Log> {
  if (format === 'json') {
    // in the bundle a CommonJS package only has a default export
    const { default: pino } = await import('pino');
    const logger = pino(
      {
        base: { name: 'db-init' },
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { log: (details) => redactStrings(details, output.redact) },
      },
      { write: output.entry },
    );
    const at =
      (level: keyof typeof labels) =>
      (message: string, details: Details = {}): void =>
        logger[level](details, output.redact(message));
    return { info: at('info'), warn: at('warn'), error: at('error') };
  }
  const at =
    (level: keyof typeof labels) =>
    (message: string): void =>
      output.log(`${timeOfDay(new Date())} ${labels[level]}${printable(message)}\n`);
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

/** The same object with every string value redacted, at any depth; keys are unchanged. */
function redactStrings(details: Details, redact: (text: string) => string): Record<string, unknown> {
  const redacted = (value: unknown): unknown => {
    if (typeof value === 'string') return redact(value);
    if (Array.isArray(value)) return value.map(redacted);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, redacted(entry)]));
  };
  return Object.fromEntries(Object.entries(details).map(([key, value]) => [key, redacted(value)]));
}
