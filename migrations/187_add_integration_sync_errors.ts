import type { Migration } from '../src/migration/migration.ts';

export const revision = '187_add_integration_sync_errors';
export const parents: readonly string[] = ['186_add_payroll_export_templates'];

/** Creates the log of errors of the synchronisation with other programs. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('integration_sync_errors', {
    id: 'SERIAL PRIMARY KEY',
    connector: 'VARCHAR(50) NOT NULL',
    entity_type: 'VARCHAR(50) NOT NULL',
    entity_id: 'INTEGER',
    error_message: 'TEXT NOT NULL',
    retry_count: 'INTEGER NOT NULL DEFAULT 0',
    resolved: 'BOOLEAN NOT NULL DEFAULT FALSE',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
    last_retry_at: 'TIMESTAMP',
  });
  await schema.addIndex('integration_sync_errors', ['connector'], { name: 'ix_integration_sync_errors_connector' });
  await schema.addIndex('integration_sync_errors', ['entity_type'], { name: 'ix_integration_sync_errors_entity_type' });
  await schema.addIndex('integration_sync_errors', ['resolved'], { name: 'ix_integration_sync_errors_resolved' });
};
