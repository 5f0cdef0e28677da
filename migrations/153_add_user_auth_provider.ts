import type { Migration } from '../src/migration/migration.ts';

export const revision = '153_add_user_auth_provider';
export const parents: readonly string[] = ['152_add_user_totp_2fa'];

/** Adds to users who vouches for them: for existing ones this installation, single sign-on or not. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'auth_provider', "VARCHAR(20) NOT NULL DEFAULT 'local'");
  await schema.dropDefault('users', 'auth_provider');
};
