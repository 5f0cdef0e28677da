import type { Migration } from '../src/migration/migration.ts';

export const revision = '152_add_user_totp_2fa';
export const parents: readonly string[] = ['151_add_ai_helper_settings'];

/** Adds two-factor authentication to users; existing ones have it switched off. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('users', {
    two_factor_enabled: 'BOOLEAN NOT NULL DEFAULT FALSE',
    two_factor_secret: 'VARCHAR(255)',
    two_factor_confirmed_at: 'TIMESTAMP',
  });
  await schema.dropDefault('users', 'two_factor_enabled');
};
