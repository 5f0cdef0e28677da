import type { Migration } from '../src/migration/migration.ts';

/** Adds to users whether they must change their password. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'password_change_required', 'BOOLEAN NOT NULL DEFAULT FALSE');
};
