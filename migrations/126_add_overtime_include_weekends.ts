import type { Migration } from '../src/migration/migration.ts';

/** Says whether hours on weekends count towards a user's overtime. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'overtime_include_weekends', 'BOOLEAN NOT NULL DEFAULT TRUE');
};
