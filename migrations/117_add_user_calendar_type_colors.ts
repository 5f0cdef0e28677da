import type { Migration } from '../src/migration/migration.ts';

/** Adds calendar colours for events, tasks and time entries to users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('users', {
    calendar_color_events: 'VARCHAR(7)',
    calendar_color_tasks: 'VARCHAR(7)',
    calendar_color_time_entries: 'VARCHAR(7)',
  });
};
