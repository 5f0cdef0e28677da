import type { Migration } from '../src/migration/migration.ts';

export const revision = '100_add_comment_attachments';
export const parents: readonly string[] = ['099_add_peppol_settings_columns'];

/** Creates comment_attachments. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('comment_attachments', {
    id: 'SERIAL PRIMARY KEY',
    comment_id: 'INTEGER NOT NULL REFERENCES comments(id) ON DELETE CASCADE',
    filename: 'VARCHAR(255) NOT NULL',
    original_filename: 'VARCHAR(255) NOT NULL',
    file_path: 'VARCHAR(500) NOT NULL',
    file_size: 'INTEGER NOT NULL',
    mime_type: 'VARCHAR(100)',
    uploaded_by: 'INTEGER NOT NULL REFERENCES users(id)',
    uploaded_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('comment_attachments', ['comment_id'], { name: 'ix_comment_attachments_comment_id' });
  await schema.addIndex('comment_attachments', ['uploaded_by'], { name: 'ix_comment_attachments_uploaded_by' });
};
