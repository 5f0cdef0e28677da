import type { Migration } from '../src/migration/migration.ts';

export const revision = '065';
export const parents: readonly string[] = ['064'];

/** Creates project templates, invoice approvals, payment gateways and calendar synchronization. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('calendar_integrations', {
    id: 'SERIAL PRIMARY KEY',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    provider: 'VARCHAR(50) NOT NULL',
    access_token: 'TEXT NOT NULL',
    refresh_token: 'TEXT',
    token_expires_at: 'TIMESTAMP',
    calendar_id: 'VARCHAR(200)',
    calendar_name: 'VARCHAR(200)',
    sync_settings: "JSON NOT NULL DEFAULT '{}'",
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    last_sync_at: 'TIMESTAMP',
    last_sync_status: 'VARCHAR(20)',
    last_sync_error: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });

  await schema.createTable('calendar_sync_events', {
    id: 'SERIAL PRIMARY KEY',
    integration_id: 'INTEGER NOT NULL REFERENCES calendar_integrations(id)',
    event_type: 'VARCHAR(50) NOT NULL',
    time_entry_id: 'INTEGER REFERENCES time_entries(id)',
    calendar_event_id: 'VARCHAR(200)',
    direction: 'VARCHAR(20) NOT NULL',
    status: 'VARCHAR(20) NOT NULL',
    error_message: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL',
    synced_at: 'TIMESTAMP',
  });

  await schema.createTable('invoice_approvals', {
    id: 'SERIAL PRIMARY KEY',
    invoice_id: 'INTEGER NOT NULL REFERENCES invoices(id)',
    status: "VARCHAR(20) NOT NULL DEFAULT 'pending'",
    stages: "JSON NOT NULL DEFAULT '[]'",
    current_stage: 'INTEGER NOT NULL DEFAULT 0',
    total_stages: 'INTEGER NOT NULL DEFAULT 1',
    requested_by: 'INTEGER NOT NULL REFERENCES users(id)',
    requested_at: 'TIMESTAMP NOT NULL',
    approved_by: 'INTEGER REFERENCES users(id)',
    approved_at: 'TIMESTAMP',
    rejected_by: 'INTEGER REFERENCES users(id)',
    rejected_at: 'TIMESTAMP',
    rejection_reason: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });

  await schema.createTable('payment_gateways', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(50) NOT NULL UNIQUE',
    provider: 'VARCHAR(50) NOT NULL',
    config: 'TEXT NOT NULL',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    is_test_mode: 'BOOLEAN NOT NULL DEFAULT FALSE',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });

  await schema.createTable('payment_transactions', {
    id: 'SERIAL PRIMARY KEY',
    invoice_id: 'INTEGER NOT NULL REFERENCES invoices(id)',
    gateway_id: 'INTEGER NOT NULL REFERENCES payment_gateways(id)',
    transaction_id: 'VARCHAR(200) NOT NULL UNIQUE',
    amount: 'NUMERIC(10,2) NOT NULL',
    currency: "VARCHAR(3) NOT NULL DEFAULT 'EUR'",
    gateway_fee: 'NUMERIC(10,2)',
    net_amount: 'NUMERIC(10,2)',
    status: 'VARCHAR(20) NOT NULL',
    payment_method: 'VARCHAR(50)',
    gateway_response: 'JSON',
    error_message: 'TEXT',
    error_code: 'VARCHAR(50)',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
    processed_at: 'TIMESTAMP',
  });

  await schema.createTable('project_templates', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(200) NOT NULL',
    description: 'TEXT',
    config: "JSON NOT NULL DEFAULT '{}'",
    tasks: "JSON DEFAULT '[]'",
    category: 'VARCHAR(100)',
    tags: "JSON DEFAULT '[]'",
    is_public: 'BOOLEAN NOT NULL DEFAULT FALSE',
    created_by: 'INTEGER NOT NULL REFERENCES users(id)',
    usage_count: 'INTEGER NOT NULL DEFAULT 0',
    last_used_at: 'TIMESTAMP',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
};
