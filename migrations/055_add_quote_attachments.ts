import type { Migration } from '../src/migration/migration.ts';

export const revision = '055';
export const parents: readonly string[] = ['054'];

/** Creates quote_attachments. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('quote_attachments', {
    id: 'SERIAL PRIMARY KEY',
    quote_id: 'INTEGER NOT NULL REFERENCES quotes(id) ON DELETE CASCADE',
    filename: 'VARCHAR(255) NOT NULL',
    original_filename: 'VARCHAR(255) NOT NULL',
    file_path: 'VARCHAR(500) NOT NULL',
    file_size: 'INTEGER NOT NULL',
    mime_type: 'VARCHAR(100)',
    description: 'TEXT',
    is_visible_to_client: 'BOOLEAN NOT NULL DEFAULT FALSE',
    uploaded_by: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
    uploaded_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('quote_attachments', ['quote_id'], { name: 'ix_quote_attachments_quote_id' });
  await schema.addIndex('quote_attachments', ['uploaded_by'], { name: 'ix_quote_attachments_uploaded_by' });
};
