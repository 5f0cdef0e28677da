import type { Migration } from '../src/migration/migration.ts';

export const revision = '084_custom_field_definitions';
export const parents: readonly string[] = ['083_add_paid_status_time_entries'];

/** Creates custom_field_definitions. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('custom_field_definitions', {
    id: 'SERIAL PRIMARY KEY',
    field_key: 'VARCHAR(100) NOT NULL UNIQUE',
    label: 'VARCHAR(200) NOT NULL',
    description: 'TEXT',
    is_mandatory: 'BOOLEAN NOT NULL DEFAULT FALSE',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    order: 'INTEGER NOT NULL DEFAULT 0',
    created_by: 'INTEGER NOT NULL REFERENCES users(id)',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('custom_field_definitions', ['field_key'], { name: 'idx_custom_field_definitions_field_key' });
  await schema.addIndex('custom_field_definitions', ['is_active'], { name: 'idx_custom_field_definitions_is_active' });
};
