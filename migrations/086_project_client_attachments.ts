import type { Migration } from '../src/migration/migration.ts';

export const revision = '086_project_client_attachments';
export const parents: readonly string[] = ['085_add_project_custom_fields'];

/** Creates attachments of clients and of projects. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('client_attachments', {
    id: 'SERIAL PRIMARY KEY',
    client_id: 'INTEGER NOT NULL REFERENCES clients(id) ON DELETE CASCADE',
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
  await schema.addIndex('client_attachments', ['client_id'], { name: 'ix_client_attachments_client_id' });
  await schema.addIndex('client_attachments', ['uploaded_by'], { name: 'ix_client_attachments_uploaded_by' });

  await schema.createTable('project_attachments', {
    id: 'SERIAL PRIMARY KEY',
    project_id: 'INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE',
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
  await schema.addIndex('project_attachments', ['project_id'], { name: 'ix_project_attachments_project_id' });
  await schema.addIndex('project_attachments', ['uploaded_by'], { name: 'ix_project_attachments_uploaded_by' });
};
