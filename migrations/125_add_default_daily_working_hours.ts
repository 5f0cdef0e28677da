import type { Migration } from '../src/migration/migration.ts';

/** Adds the daily working hours of new users to the settings. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'default_daily_working_hours', "DOUBLE PRECISION NOT NULL DEFAULT '8'");
};
