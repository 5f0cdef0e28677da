/**
 * Milliseconds to wait after attempt number `attempt` (from 1): 500, doubled each time, at most 5000, then shortened by
 * up to a quarter at random, so that several runs do not retry at the same time.
 */
export function pauseBeforeAttempt(attempt: number, random: () => number = Math.random): number {
  const pause = Math.min(500 * 2 ** (attempt - 1), 5000);
  return Math.round(pause * (1 - random() / 4));
}

/** Resolves after `milliseconds`, or rejects with the reason of `signal` as soon as the signal is aborted. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(reasonFor(signal));
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, milliseconds);
    function onAbort(): void {
      clearTimeout(timer);
      reject(reasonFor(signal));
    }
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** Resolves after `milliseconds`, or as soon as `signal` is aborted. */
export function sleepUntilAborted(milliseconds: number, signal: AbortSignal): Promise<void> {
  return sleep(milliseconds, signal).catch(() => undefined);
}

function reasonFor(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted', { cause: signal.reason });
}
