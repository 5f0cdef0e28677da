import type { Health, SchedulerEvent } from '../backup/schedule.ts';
import { zonedTime } from '../platform/local-time.ts';
import { count } from './format.ts';

interface ScheduleFacts {
  readonly database: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly keep: number | null;
}

/** What a scheduler says when it starts. */
export function describeSchedule({ database, cron, timeZone, keep }: ScheduleFacts): string {
  const kept =
    keep === null ? 'all are kept' : `the newest ${count(keep, 'backup')} of it ${keep === 1 ? 'is' : 'are'} kept`;
  return `Backups of ${database} at "${cron}" in the time zone ${timeZone}; ${kept}.`;
}

export function describeSchedulerEvent(event: SchedulerEvent): string {
  switch (event.kind) {
    case 'missed':
      return `The backup of ${zonedTime(event.due)} was not made: it is made now.`;
    case 'waiting':
      return `The next backup is made at ${zonedTime(event.next)}.`;
    case 'failed':
      return `The backup failed (exit code ${event.exitCode}); the reason stands above. The next one is made at its time all the same.`;
  }
}

/** What the health check finds, as a line. */
export function describeHealth(health: Health): string {
  switch (health.kind) {
    case 'healthy': {
      const { next, last } = health.state;
      const before = last === null ? '' : ` The last one succeeded at ${zonedTime(last.at)}.`;
      return `${next === null ? 'A backup is being made.' : `The next backup is made at ${zonedTime(next)}.`}${before}\n`;
    }
    case 'absent':
      return 'No scheduler of backups runs here.\n';
    case 'overdue':
      return `The scheduler has not made the backup of ${zonedTime(health.due)}: restart it.\n`;
    case 'failed':
      return `The last backup failed at ${zonedTime(health.at)} (exit code ${health.exitCode}): its log says why.\n`;
  }
}

export function unfitSchedule(cron: string, reason: string): string {
  return (
    `--cron "${cron}" is no time that comes: ${reason.replace(/\.$/, '')}. It has five fields: minute, hour, day, month, ` +
    'weekday. "30 3 * * *" is every night at half past three, "0 */6 * * *" every six hours.'
  );
}

/** Why no backup is made. @param made when the newest was made */
export function describeMadeSince(path: string, made: Date): string {
  return `A backup was made at ${zonedTime(made)}, no other is needed: ${path}.`;
}

export const unfitSince = '--since wants a time with its zone, such as 2026-11-23T03:30:00Z.';
