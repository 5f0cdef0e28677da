import type { Migration } from '../src/migration/migration.ts';

/** Adds the date and time format of the whole installation to the settings. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('settings', {
    date_format: "VARCHAR(20) NOT NULL DEFAULT 'YYYY-MM-DD'",
    time_format: "VARCHAR(10) NOT NULL DEFAULT '24h'",
  });
};
