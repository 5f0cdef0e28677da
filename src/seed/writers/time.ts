import { number, optionalText, text } from '../../database/row-values.ts';
import { Failure } from '../../errors/failure.ts';
import { type Day, minuteOf, minuteText, readMinute, workingDays } from '../calendar.ts';
import type { Models } from '../models/models.ts';
import type { SeedOptions } from '../options.ts';
import { type Interval, schedule } from '../generators/schedule.ts';
import type { SeedContext } from '../generators/seed-context.ts';
import { timeEntryRows } from '../generators/time.ts';
import type { TaskRef } from '../generators/work.ts';
import { add, missingNumbers, read, type SeedTarget } from '../write.ts';

const numbered = { column: 'notes', pattern: /\(dev (\d+)\)/ } as const;

/** Adds time entries on the working days before today. @throws Failure `usage` if the days have no space for them */
export async function writeTime(
  target: SeedTarget,
  { timeEntries, daysBack }: SeedOptions,
  people: readonly number[],
  tasks: readonly TaskRef[],
  context: SeedContext,
): Promise<void> {
  if (tasks.length === 0) return;
  const numbers = await missingNumbers(target.models.time_entries, numbered, timeEntries);
  if (numbers.length === 0) return;
  const days = workingDays(context.today, daysBack);
  const taken = await timeTaken(target.models, people, context.today - daysBack, context.today);
  const placements = schedule(numbers, days, taken, context.random);
  if (placements === null) {
    const message =
      `The working days of ${people.length} people in ${daysBack} days have no room for ${numbers.length} more time ` +
      'entries: give more --users or --days-back.';
    throw new Failure({ kind: 'usage', message });
  }
  await add(target, 'time_entries', timeEntryRows(placements, people, tasks, context));
}

/** The existing entries of each person between two days. A running timer occupies all the time after its start. */
async function timeTaken(
  models: Models,
  people: readonly number[],
  first: Day,
  end: Day,
): Promise<readonly (readonly Interval[])[]> {
  const taken = new Map(people.map((id) => [id, [] as Interval[]]));
  const between = ['between', minuteText(minuteOf(first, 0)), minuteText(minuteOf(end, 0))] as const;
  const entries = models.time_entries.scope({ method: between });
  const rows = await read(entries, ['user_id', 'start_time', 'end_time']);
  for (const row of rows) {
    const ended = optionalText(row, 'end_time');
    const to = ended === null ? minuteOf(end, 0) : readMinute(ended) + 1;
    taken.get(number(row, 'user_id'))?.push({ from: readMinute(text(row, 'start_time')), to });
  }
  return people.map((id) => taken.get(id) ?? []);
}
