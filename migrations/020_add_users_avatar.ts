import type { Migration } from '../src/migration/migration.ts';

export const revision = '020';
export const parents: readonly string[] = ['019'];

/** Adds the avatar to users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'avatar_filename', 'VARCHAR(255)');
};
