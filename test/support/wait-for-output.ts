import { setTimeout } from 'node:timers/promises';
import type { ResultPromise } from 'execa';

/** Resolves when the output of a run matches; rejects if the run ends before that. */
export function waitForOutput(run: Pick<ResultPromise, 'stdout' | 'on'>, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    run.stdout?.on('data', (chunk: Buffer | string) => {
      text += String(chunk);
      if (pattern.test(text)) resolve(text);
    });
    run.stdout?.on('end', () => reject(new Error(`never printed ${String(pattern)}, but: ${text}`)));
  });
}

/** Milliseconds between two checks, so that the other process can run. */
const pause = 5;

/** Repeats a check until it is true, for an effect of another process. */
export async function eventually(question: () => Promise<boolean>): Promise<void> {
  // the time limit of the test ends the loop
  while (!(await question())) await setTimeout(pause);
}
