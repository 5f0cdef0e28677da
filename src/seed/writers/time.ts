import { number, optionalText, text } from '../../database/rows.ts';
import type { Session } from '../../database/session.ts';
import { Failure } from '../../errors/failure.ts';
import { type Day, minuteOf, minuteText, readMinute, workingDays } from '../calendar.ts';
import type { SeedOptions } from '../options.ts';
import { type Interval, schedule } from '../generators/schedule.ts';
import type { Scene } from '../generators/seed-context.ts';
import { timeEntryRows } from '../generators/time.ts';
import type { TaskRef } from '../generators/work.ts';
import { add, missingNumbers, type Site } from '../write.ts';

const numbered = { table: 'time_entries', column: 'notes', like: '%(dev %', pattern: /\(dev (\d+)\)/ } as const;

/** Time entries on the working days before today. @throws Failure `usage` if the days are too full for them */
export async function plantTime(
  site: Site,
  { timeEntries, daysBack }: SeedOptions,
  people: readonly number[],
  tasks: readonly TaskRef[],
  scene: Scene,
): Promise<void> {
  if (tasks.length === 0) return;
  const numbers = await missingNumbers(site.session, numbered, timeEntries);
  if (numbers.length === 0) return;
  const days = workingDays(scene.today, daysBack);
  const taken = await timeTaken(site.session, people, scene.today - daysBack, scene.today);
  const placements = schedule(numbers, days, taken, scene.dice);
  if (placements === null) {
    const message =
      `The working days of ${people.length} people in ${daysBack} days have no room for ${numbers.length} more time ` +
      'entries: give more --users or --days-back.';
    throw new Failure({ kind: 'usage', message });
  }
  await add(site, 'time_entries', timeEntryRows(placements, people, tasks, scene));
}

/** What everybody has done between two days; a timer that runs takes all the time from its start on. */
async function timeTaken(
  session: Session,
  people: readonly number[],
  first: Day,
  end: Day,
): Promise<readonly (readonly Interval[])[]> {
  const taken = new Map(people.map((id) => [id, [] as Interval[]]));
  const rows = await session.query(
    `SELECT time_entries.user_id, start_time, end_time FROM time_entries
     WHERE start_time < $1 AND (end_time IS NULL OR end_time > $2)`,
    [minuteText(minuteOf(end, 0)), minuteText(minuteOf(first, 0))],
  );
  for (const row of rows) {
    const ended = optionalText(row, 'end_time');
    const to = ended === null ? minuteOf(end, 0) : readMinute(ended) + 1;
    taken.get(number(row, 'user_id'))?.push({ from: readMinute(text(row, 'start_time')), to });
  }
  return people.map((id) => taken.get(id) ?? []);
}
