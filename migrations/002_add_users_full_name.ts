import type { Migration } from '../src/migration/migration.ts';

/** Adds the full name to users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'full_name', 'VARCHAR(200)');
};
