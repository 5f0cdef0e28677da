import type { Migration } from '../src/migration/migration.ts';

export const revision = '125_add_default_daily_working_hours';
export const parents: readonly string[] = ['124_add_time_entry_requirements'];

/** Adds the daily working hours of new users to the settings. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'default_daily_working_hours', "DOUBLE PRECISION NOT NULL DEFAULT '8'");
};
