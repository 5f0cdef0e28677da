import type { Migration } from '../src/migration/migration.ts';

export const revision = '049';
export const parents: readonly string[] = ['048'];

/** Adds the token with which clients set their portal password. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('clients', {
    password_setup_token: 'VARCHAR(100)',
    password_setup_token_expires: 'TIMESTAMP',
  });
  await schema.addIndex('clients', ['password_setup_token'], { name: 'ix_clients_password_setup_token' });
};
