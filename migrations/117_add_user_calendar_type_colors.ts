import type { Migration } from '../src/migration/migration.ts';

export const revision = '117_add_user_calendar_type_colors';
export const parents: readonly string[] = ['116_merge_three_heads'];

/** Adds calendar colours for events, tasks and time entries to users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('users', {
    calendar_color_events: 'VARCHAR(7)',
    calendar_color_tasks: 'VARCHAR(7)',
    calendar_color_time_entries: 'VARCHAR(7)',
  });
};
