import { minuteText } from '../calendar.ts';
import { at } from '../random.ts';
import { entryNotes, entryTags } from '../texts.ts';
import type { Placement } from './schedule.ts';
import type { NewRow } from '../models/models.ts';
import { seedTag, type SeedContext } from './seed-context.ts';
import type { TaskRef } from './work.ts';

/**
 * Builds the time entries of a schedule.
 * @param tasks at least one; tasks that are not begun get no time entries, unless all tasks are such
 */
export function timeEntryRows(
  placements: readonly Placement[],
  people: readonly number[],
  tasks: readonly TaskRef[],
  { random, local }: SeedContext,
): readonly NewRow<'time_entries'>[] {
  const begun = tasks.filter(({ untouched }) => !untouched);
  const workedOn = begun.length > 0 ? begun : tasks;
  return placements.map(({ number, person, from, to }) => {
    const { id, project } = at(workedOn, number - 1);
    const choice = random('note', number);
    return {
      user_id: at(people, person),
      project_id: project.id,
      task_id: id,
      client_id: project.client.id,
      start_time: minuteText(from),
      end_time: minuteText(to),
      duration_seconds: (to - from) * 60,
      notes: `${choice.pick(entryNotes)} ${seedTag(number)}`,
      tags: choice.pick(entryTags),
      billable: true,
      source: 'manual',
      paid: false,
      break_seconds: 0,
      created_at: local,
      updated_at: local,
    };
  });
}
