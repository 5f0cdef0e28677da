import { describe, expect, it } from 'vitest';
import { pauseBeforeAttempt, sleep } from '../../../src/database/backoff.ts';

describe('pauseBeforeAttempt', () => {
  it('doubles from half a second to five seconds', () => {
    const pauses = [1, 2, 3, 4, 5, 6, 100].map((attempt) => pauseBeforeAttempt(attempt, () => 0));
    expect(pauses).toEqual([500, 1000, 2000, 4000, 5000, 5000, 5000]);
  });

  it('is shortened by up to a quarter, so that many runs do not connect at the same time', () => {
    expect(pauseBeforeAttempt(1, () => 1)).toBe(375);
    expect(pauseBeforeAttempt(9, () => 0.5)).toBe(4375);
  });
});

describe('sleep', () => {
  it('ends at once when the run is aborted', async () => {
    const interruption = new AbortController();
    const asleep = sleep(3_600_000, interruption.signal);
    interruption.abort(new Error('SIGTERM'));
    await expect(asleep).rejects.toThrow('SIGTERM');
  });

  it('does not begin when the run is already aborted', async () => {
    await expect(sleep(3_600_000, AbortSignal.abort('SIGINT'))).rejects.toThrow('aborted');
  });
});
