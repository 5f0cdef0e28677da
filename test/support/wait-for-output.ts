import { setTimeout } from 'node:timers/promises';
import type { ResultPromise } from 'execa';

/** Resolves as soon as a run has printed something that matches; rejects if it ends without. */
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

/** Milliseconds between two questions, in which the process that is waited for has the processor. */
const pause = 5;

/** Asks again and again until the answer is yes: for what another process brings about. */
export async function eventually(question: () => Promise<boolean>): Promise<void> {
  // the test's own time limit ends it
  while (!(await question())) await setTimeout(pause);
}
