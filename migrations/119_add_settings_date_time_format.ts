import type { Migration } from '../src/migration/migration.ts';

export const revision = '119_add_settings_date_time_format';
export const parents: readonly string[] = ['118_add_locked_client_id'];

/** Adds the date and time format of the whole installation to the settings. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('settings', {
    date_format: "VARCHAR(20) NOT NULL DEFAULT 'YYYY-MM-DD'",
    time_format: "VARCHAR(10) NOT NULL DEFAULT '24h'",
  });
};
