import { describe, expect, it } from 'vitest';
import {
  judgeScheduler,
  keepSchedule,
  parseSchedule,
  type SchedulerContext,
  type SchedulerEvent,
} from '../../../src/backup/schedule.ts';

const at = (text: string): Date => new Date(text);

/** The first times that come after an instant. */
function timesAfter(cron: string, timeZone: string, from: string, count: number): readonly string[] {
  const { next } = parseSchedule(cron, timeZone);
  const times: string[] = [];
  let time: Date | null = at(from);
  while (times.length < count) {
    time = time && next(time);
    times.push(time?.toISOString() ?? 'never');
  }
  return times;
}

describe('times', () => {
  it('are in the time zone, one for each night, also when the clock changes', () => {
    expect(timesAfter('30 3 * * *', 'UTC', '2026-11-28T00:00:00Z', 1)).toEqual(['2026-11-28T03:30:00.000Z']);
    // 02:30 does not exist on 28 March 2027, and exists twice on 31 October
    expect(timesAfter('30 2 * * *', 'Europe/Berlin', '2027-03-27T00:00:00Z', 3)).toEqual([
      '2027-03-27T01:30:00.000Z',
      '2027-03-28T01:00:00.000Z',
      '2027-03-29T00:30:00.000Z',
    ]);
    expect(timesAfter('30 2 * * *', 'Europe/Berlin', '2027-10-30T00:00:00Z', 3)).toEqual([
      '2027-10-30T00:30:00.000Z',
      '2027-10-31T00:30:00.000Z',
      '2027-11-01T01:30:00.000Z',
    ]);
  });

  it('include the last time that was due, and the present moment', () => {
    const { last } = parseSchedule('30 3 * * *', 'UTC');
    expect(last(at('2026-11-28T03:29:59Z'))?.toISOString()).toBe('2026-11-27T03:30:00.000Z');
    expect(last(at('2026-11-28T03:30:00Z'))?.toISOString()).toBe('2026-11-28T03:30:00.000Z');
  });

  it.each(['', 'x', '61 * * * *', '* * * * * *', '30 3 * *'])('cannot be read from "%s"', (cron) => {
    expect(() => parseSchedule(cron, 'UTC')).toThrow(/Cron/i);
  });
});

describe('a scheduler', () => {
  /** A scheduler in a world without waiting, which is stopped after some backups. */
  async function keep({ from, newest, exitCodes }: { from: string; newest: string | null; exitCodes: number[] }) {
    const stop = new AbortController();
    let clock = at(from);
    const made: string[] = [];
    const events: SchedulerEvent['kind'][] = [];
    const states: Parameters<SchedulerContext['remember']>[0][] = [];
    await keepSchedule({
      schedule: parseSchedule('30 3 * * *', 'UTC'),
      now: () => clock,
      waitUntil: async (time) => void (clock = time),
      newest: async () => (newest === null ? null : at(newest)),
      async makeBackup(due) {
        made.push(due.toISOString().slice(0, 16));
        // it takes an hour
        clock = new Date(clock.getTime() + 3_600_000);
        if (made.length === exitCodes.length) stop.abort('SIGTERM');
        return exitCodes[made.length - 1] ?? 0;
      },
      remember: (state) => states.push(state),
      tell: ({ kind }) => events.push(kind),
      signal: stop.signal,
    });
    return { made, events, states };
  }

  it('makes a backup whenever one is due', async () => {
    const { made } = await keep({ from: '2026-11-28T12:00Z', newest: '2026-11-28T03:31Z', exitCodes: [0, 0] });
    expect(made).toEqual(['2026-11-29T03:30', '2026-11-30T03:30']);
  });

  it.each(['2026-11-27T03:31Z', null])('makes a missed backup at once (newest: %s)', async (newest) => {
    const { made, events } = await keep({ from: '2026-11-28T12:00Z', newest, exitCodes: [0, 0] });
    expect(made).toEqual(['2026-11-28T03:30', '2026-11-29T03:30']);
    expect(events).toEqual(['missed', 'waiting']);
  });

  it('continues after a failure, and records it for the health check', async () => {
    const { made, events, states } = await keep({ from: '2026-11-28T12:00Z', newest: null, exitCodes: [30, 0, 0] });
    expect(made).toHaveLength(3);
    expect(events).toEqual(['missed', 'failed', 'waiting', 'waiting']);
    expect(states[1]).toMatchObject({ next: '2026-11-29T03:30:00.000Z', last: { exitCode: 30 } });
    expect(states[3]).toMatchObject({ last: { exitCode: 0 } });
  });
});

describe('the health check', () => {
  const now = at('2026-11-28T12:00:00Z');
  const state = { pid: 1, next: '2026-11-29T03:30:00.000Z', last: null };

  it.each([
    ['healthy', state],
    ['healthy', { ...state, next: null }],
    ['healthy', { ...state, last: { at: '2026-11-28T03:31:00Z', exitCode: 0 } }],
    ['failed', { ...state, last: { at: '2026-11-28T03:31:00Z', exitCode: 3 } }],
    ['overdue', { ...state, next: '2026-11-28T03:30:00.000Z' }],
    ['absent', null],
  ] as const)('reports %s', (kind, found) => {
    expect(judgeScheduler(found, now).kind).toBe(kind);
  });
});
