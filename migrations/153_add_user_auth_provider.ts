import type { Migration } from '../src/migration/migration.ts';

export const revision = '153_add_user_auth_provider';
export const parents: readonly string[] = ['152_add_user_totp_2fa'];

/** Adds the authentication provider to users: `local` for all existing ones, even with single sign-on. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'auth_provider', "VARCHAR(20) NOT NULL DEFAULT 'local'");
  await schema.dropDefault('users', 'auth_provider');
};
