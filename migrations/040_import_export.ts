import type { Migration } from '../src/migration/migration.ts';

export const revision = '040_import_export';
export const parents: readonly string[] = ['039_add_budget_alerts'];

/** Creates the logs of data exports and imports. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('data_exports', {
    id: 'SERIAL PRIMARY KEY',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    export_type: 'VARCHAR(50) NOT NULL',
    export_format: 'VARCHAR(20) NOT NULL',
    file_path: 'VARCHAR(500)',
    file_size: 'INTEGER',
    status: "VARCHAR(20) NOT NULL DEFAULT 'pending'",
    filters: 'TEXT',
    record_count: 'INTEGER NOT NULL DEFAULT 0',
    error_message: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    completed_at: 'TIMESTAMP',
    expires_at: 'TIMESTAMP',
  });
  await schema.addIndex('data_exports', ['created_at'], { name: 'ix_data_exports_created_at' });
  await schema.addIndex('data_exports', ['expires_at'], { name: 'ix_data_exports_expires_at' });
  await schema.addIndex('data_exports', ['status'], { name: 'ix_data_exports_status' });
  await schema.addIndex('data_exports', ['user_id'], { name: 'ix_data_exports_user_id' });

  await schema.createTable('data_imports', {
    id: 'SERIAL PRIMARY KEY',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    import_type: 'VARCHAR(50) NOT NULL',
    source_file: 'VARCHAR(500)',
    status: "VARCHAR(20) NOT NULL DEFAULT 'pending'",
    total_records: 'INTEGER NOT NULL DEFAULT 0',
    successful_records: 'INTEGER NOT NULL DEFAULT 0',
    failed_records: 'INTEGER NOT NULL DEFAULT 0',
    error_log: 'TEXT',
    import_summary: 'TEXT',
    started_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    completed_at: 'TIMESTAMP',
  });
  await schema.addIndex('data_imports', ['started_at'], { name: 'ix_data_imports_started_at' });
  await schema.addIndex('data_imports', ['status'], { name: 'ix_data_imports_status' });
  await schema.addIndex('data_imports', ['user_id'], { name: 'ix_data_imports_user_id' });
};
