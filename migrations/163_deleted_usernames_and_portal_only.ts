import type { Migration } from '../src/migration/migration.ts';

export const revision = '163_deleted_usernames_and_portal_only';
export const parents: readonly string[] = ['162_add_invoice_group_time_entries_setting'];

/** Creates the table of names of deleted users, and allows users that may only use the client portal. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('deleted_usernames', {
    id: 'SERIAL PRIMARY KEY',
    username: 'VARCHAR(80) NOT NULL UNIQUE',
    deleted_at: 'TIMESTAMP NOT NULL',
    deleted_by_user_id: 'INTEGER REFERENCES users(id) ON DELETE SET NULL',
  });
  await schema.addIndex('deleted_usernames', ['username'], { name: 'ix_deleted_usernames_username', unique: true });
  await schema.addColumn('users', 'portal_only', 'BOOLEAN NOT NULL DEFAULT FALSE');
};
