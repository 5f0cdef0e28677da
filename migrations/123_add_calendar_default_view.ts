import type { Migration } from '../src/migration/migration.ts';

export const revision = '123_add_calendar_default_view';
export const parents: readonly string[] = ['122_add_settings_donate_ui_hidden'];

/** Adds the calendar view that a user starts with. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'calendar_default_view', 'VARCHAR(10)');
};
