import type { Migration } from '../src/migration/migration.ts';

export const revision = '003';
export const parents: readonly string[] = ['002'];

/** Adds the preferred theme to users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'theme_preference', 'VARCHAR(10)');
};
