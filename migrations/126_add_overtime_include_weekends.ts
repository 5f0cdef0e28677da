import type { Migration } from '../src/migration/migration.ts';

export const revision = '126_add_overtime_include_weekends';
export const parents: readonly string[] = ['125_add_default_daily_working_hours'];

/** Adds a flag to users: whether hours on weekends count as overtime. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'overtime_include_weekends', 'BOOLEAN NOT NULL DEFAULT TRUE');
};
