import type { Migration } from '../src/migration/migration.ts';

export const revision = '002';
export const parents: readonly string[] = ['001'];

/** Adds the full name to users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'full_name', 'VARCHAR(200)');
};
