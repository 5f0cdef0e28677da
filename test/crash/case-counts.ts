import { appendFileSync } from 'node:fs';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** What chance is made of, and the file that every case leaves a line in. */
    crash: { readonly seed: number; readonly counts: string };
  }
}

/** What chance is made of in this run. */
export const seed = (): number => inject('crash').seed;

/** Something that is done to a run, and what has to be true afterwards. */
export interface Case {
  readonly title: string;
  /** @throws Error that says what is wrong */
  readonly run: () => Promise<void>;
}

/** Runs cases one after the other, and counts them. @returns what failed, in words */
export async function failuresOf(
  topic: string,
  cases: readonly Case[],
  afterFailure: () => Promise<void> = () => Promise.resolve(),
): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const { title, run } of cases) {
    const failure = await run().then(
      () => null,
      (error: unknown) => `${topic}, ${title}: ${error instanceof Error ? error.message : String(error)}`,
    );
    appendFileSync(inject('crash').counts, failure === null ? '.' : 'F');
    if (failure === null) continue;
    // at once: what comes after it may never end
    console.log(`FAILED (seed ${seed()}) ${failure}`);
    failures.push(failure);
    await afterFailure();
  }
  return failures;
}
