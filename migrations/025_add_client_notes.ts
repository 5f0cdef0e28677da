import type { Migration } from '../src/migration/migration.ts';

export const revision = '025';
export const parents: readonly string[] = ['024'];

/** Creates client_notes. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('client_notes', {
    id: 'SERIAL PRIMARY KEY',
    content: 'TEXT NOT NULL',
    client_id: 'INTEGER NOT NULL REFERENCES clients(id) ON DELETE CASCADE',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    is_important: 'BOOLEAN NOT NULL DEFAULT FALSE',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('client_notes', ['client_id'], { name: 'ix_client_notes_client_id' });
  await schema.addIndex('client_notes', ['created_at'], { name: 'ix_client_notes_created_at' });
  await schema.addIndex('client_notes', ['is_important'], { name: 'ix_client_notes_is_important' });
  await schema.addIndex('client_notes', ['user_id'], { name: 'ix_client_notes_user_id' });
};
