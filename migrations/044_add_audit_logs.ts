import type { Migration } from '../src/migration/migration.ts';

export const revision = '044';
export const parents: readonly string[] = ['043'];

/** Creates audit_logs, the log of all changes with their users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('audit_logs', {
    id: 'SERIAL PRIMARY KEY',
    user_id: 'INTEGER REFERENCES users(id) ON DELETE SET NULL',
    entity_type: 'VARCHAR(50) NOT NULL',
    entity_id: 'INTEGER NOT NULL',
    entity_name: 'VARCHAR(500)',
    action: 'VARCHAR(20) NOT NULL',
    field_name: 'VARCHAR(100)',
    old_value: 'TEXT',
    new_value: 'TEXT',
    change_description: 'TEXT',
    ip_address: 'VARCHAR(45)',
    user_agent: 'TEXT',
    request_path: 'VARCHAR(500)',
    created_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('audit_logs', ['action'], { name: 'ix_audit_logs_action' });
  await schema.addIndex('audit_logs', ['created_at'], { name: 'ix_audit_logs_created_at' });
  await schema.addIndex('audit_logs', ['entity_type', 'entity_id'], { name: 'ix_audit_logs_entity' });
  await schema.addIndex('audit_logs', ['entity_id'], { name: 'ix_audit_logs_entity_id' });
  await schema.addIndex('audit_logs', ['entity_type'], { name: 'ix_audit_logs_entity_type' });
  await schema.addIndex('audit_logs', ['field_name'], { name: 'ix_audit_logs_field_name' });
  await schema.addIndex('audit_logs', ['user_id', 'created_at'], { name: 'ix_audit_logs_user_created' });
  await schema.addIndex('audit_logs', ['user_id'], { name: 'ix_audit_logs_user_id' });
};
