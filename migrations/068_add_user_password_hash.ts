import type { Migration } from '../src/migration/migration.ts';

export const revision = '068_add_user_password_hash';
export const parents: readonly string[] = ['067_add_integration_credentials'];

/** Adds the password hash to users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'password_hash', 'VARCHAR(255)');
};
