import { setImmediate as nextTurn } from 'node:timers/promises';

/** Milliseconds of synchronous work between two yields. */
const maxBlocking = 20;

/**
 * Keeps a loop of many short synchronous steps from blocking signals and timers.
 * @returns a function to await in each step: it yields to the event loop if the last yield was too long ago
 */
export function createYielder(): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < maxBlocking) return undefined;
    return nextTurn().then(() => void (since = performance.now()));
  };
}
