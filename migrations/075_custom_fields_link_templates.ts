import type { Migration } from '../src/migration/migration.ts';

export const revision = '075_custom_fields_link_templates';
export const parents: readonly string[] = ['074_password_change_required'];

/** Adds custom fields to clients, and creates templates of the links made from them. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('link_templates', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(200) NOT NULL',
    description: 'TEXT',
    url_template: 'VARCHAR(1000) NOT NULL',
    icon: 'VARCHAR(50)',
    field_key: 'VARCHAR(100) NOT NULL',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    order: 'INTEGER NOT NULL DEFAULT 0',
    created_by: 'INTEGER NOT NULL REFERENCES users(id)',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addColumn('clients', 'custom_fields', 'JSON');
};
