import type { Migration } from '../src/migration/migration.ts';

/** Adds the password hash to users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'password_hash', 'VARCHAR(255)');
};
