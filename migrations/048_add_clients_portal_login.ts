import type { Migration } from '../src/migration/migration.ts';

export const revision = '048';
export const parents: readonly string[] = ['047'];

/** Gives clients a login of their own to the client portal. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('clients', {
    portal_enabled: 'BOOLEAN NOT NULL DEFAULT FALSE',
    portal_username: 'VARCHAR(80)',
    portal_password_hash: 'VARCHAR(255)',
    portal_issues_enabled: 'BOOLEAN NOT NULL DEFAULT TRUE',
  });
  await schema.addIndex('clients', ['portal_username'], { name: 'ix_clients_portal_username', unique: true });
};
