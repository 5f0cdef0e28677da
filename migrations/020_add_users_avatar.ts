import type { Migration } from '../src/migration/migration.ts';

/** Adds the avatar to users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'avatar_filename', 'VARCHAR(255)');
};
