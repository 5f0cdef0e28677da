import { Cron } from 'croner';
import type { SchedulerState } from '../state-folder/scheduler-state.ts';

/** The times at which backups are due. */
export interface Schedule {
  /** The next time after an instant; null if there is none. */
  readonly next: (after: Date) => Date | null;
  /** The last time that is not after an instant; null if there is none. */
  readonly last: (until: Date) => Date | null;
}

/**
 * Reads a cron line with its five fields (minute, hour, day, month, weekday), or a word such as `@daily`. When the
 * clock changes, a fixed time that does not exist is due at the end of the gap, and a time that exists twice is due
 * once.
 * @param timeZone `Europe/Berlin`; null for the local time of the process
 * @throws Error that says what is wrong with the line
 */
export function parseSchedule(cron: string, timeZone: string | null): Schedule {
  const zone = timeZone === null ? {} : { timezone: timeZone };
  const times = new Cron(cron, { mode: '5-part', paused: true, ...zone });
  return {
    next: (after) => times.nextRun(after),
    last: (until) => times.previousRuns(1, new Date(until.getTime() + 1000))[0] ?? null,
  };
}

export type Health =
  | { readonly kind: 'healthy'; readonly state: SchedulerState }
  | { readonly kind: 'absent' }
  | { readonly kind: 'overdue'; readonly due: string }
  | { readonly kind: 'failed'; readonly at: string; readonly exitCode: number };

/** Milliseconds: if a backup has not begun this long after it was due, its scheduler counts as dead. */
const longestDelay = 10 * 60 * 1000;

/** Checks the health of a scheduler. @param state the state of a running process; null if there is none */
export function judgeScheduler(state: SchedulerState | null, now: Date): Health {
  if (state === null) return { kind: 'absent' };
  const { next, last } = state;
  if (next !== null && now.getTime() - Date.parse(next) > longestDelay) return { kind: 'overdue', due: next };
  return last === null || last.exitCode === 0 ? { kind: 'healthy', state } : { kind: 'failed', ...last };
}

export interface SchedulerContext {
  readonly schedule: Schedule;
  readonly now: () => Date;
  /** Resolves at that time or soon after it, or when the scheduler is stopped. */
  readonly waitUntil: (time: Date) => Promise<void>;
  /** When the newest backup was made; null if there is none. */
  readonly newest: () => Promise<Date | null>;
  /** Makes the backup that was due at a time, unless one was made since. Resolves to its exit code. */
  readonly makeBackup: (due: Date) => Promise<number>;
  readonly remember: (state: Omit<SchedulerState, 'pid'>) => void;
  readonly tell: (event: SchedulerEvent) => void;
  readonly signal: AbortSignal;
}

export type SchedulerEvent =
  | { readonly kind: 'missed'; readonly due: Date }
  | { readonly kind: 'waiting'; readonly next: Date }
  | { readonly kind: 'failed'; readonly exitCode: number };

/**
 * Makes a backup whenever one is due, until it is stopped. If a backup was due while no scheduler ran, makes one at
 * once. Reports a failure, and continues with the next backup.
 */
export async function keepSchedule(context: SchedulerContext): Promise<void> {
  const { schedule, now, waitUntil, newest, makeBackup, remember, tell, signal } = context;
  let last: SchedulerState['last'] = null;
  const run = async (due: Date): Promise<void> => {
    remember({ next: null, last });
    const exitCode = await makeBackup(due);
    if (signal.aborted) return;
    last = { at: now().toISOString(), exitCode };
    if (exitCode !== 0) tell({ kind: 'failed', exitCode });
  };
  const missed = schedule.last(now());
  const made = await newest();
  if (missed !== null && (made === null || made < missed)) {
    tell({ kind: 'missed', due: missed });
    await run(missed);
  }
  for (;;) {
    const next = schedule.next(now());
    if (signal.aborted || next === null) return;
    remember({ next: next.toISOString(), last });
    tell({ kind: 'waiting', next });
    await waitUntil(next);
    if (signal.aborted) return;
    await run(next);
  }
}
