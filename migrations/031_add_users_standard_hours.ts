import type { Migration } from '../src/migration/migration.ts';

export const revision = '031';
export const parents: readonly string[] = ['030'];

/** Adds the standard working hours of a day to users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'standard_hours_per_day', "DOUBLE PRECISION NOT NULL DEFAULT '8'");
};
