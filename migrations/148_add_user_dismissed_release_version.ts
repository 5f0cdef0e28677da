import type { Migration } from '../src/migration/migration.ts';

/** Adds the release whose announcement a user has dismissed. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'dismissed_release_version', 'VARCHAR(64)');
};
