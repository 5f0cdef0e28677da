import type { Migration } from '../src/migration/migration.ts';

export const revision = '011';
export const parents: readonly string[] = ['010'];

/** Adds the preferred language to users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'preferred_language', 'VARCHAR(8)');
};
