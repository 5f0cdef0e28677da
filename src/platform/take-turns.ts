import { setImmediate as turn } from 'node:timers/promises';

/** Milliseconds that synchronous work may keep everybody else waiting. */
const longest = 20;

/**
 * For a loop of many short synchronous steps: to be awaited in each of them, so that signals and timers have their turn.
 * @returns a function that nearly always has nothing to wait for
 */
export function takeTurns(): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < longest) return undefined;
    return turn().then(() => void (since = performance.now()));
  };
}
