import { setImmediate as turn } from 'node:timers/promises';

/** Milliseconds: how long synchronous work may block the event loop. */
const longest = 20;

/**
 * Keeps a loop of many short synchronous steps from blocking signals and timers.
 * @returns a function to await in each step; it nearly always returns undefined, and sometimes yields to the event loop
 */
export function takeTurns(): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < longest) return undefined;
    return turn().then(() => void (since = performance.now()));
  };
}
