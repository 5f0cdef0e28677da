import type { Migration } from '../src/migration/migration.ts';

export const revision = '124_add_time_entry_requirements';
export const parents: readonly string[] = ['123_add_calendar_default_view'];

/** Lets the settings demand a task and a description for time entries. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('settings', {
    time_entry_require_task: 'BOOLEAN NOT NULL DEFAULT FALSE',
    time_entry_require_description: 'BOOLEAN NOT NULL DEFAULT FALSE',
    time_entry_description_min_length: 'INTEGER NOT NULL DEFAULT 20',
  });
};
