import { appendFileSync } from 'node:fs';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** The seed of the random choices, and the file to which every case adds a character. */
    crash: { readonly seed: number; readonly counts: string };
  }
}

/** The seed of the random choices in this run. */
export const seed = (): number => inject('crash').seed;

/** One attack on a run, with the check of the result. */
export interface Case {
  readonly title: string;
  /** @throws Error with a description of the fault */
  readonly run: () => Promise<void>;
}

/** Runs cases one after the other, and counts them. @returns descriptions of the failures */
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
    // print it now, because a later case may never end
    console.log(`FAILED (seed ${seed()}) ${failure}`);
    failures.push(failure);
    await afterFailure();
  }
  return failures;
}
