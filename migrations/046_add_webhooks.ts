import type { Migration } from '../src/migration/migration.ts';

export const revision = '046';
export const parents: readonly string[] = ['045'];

/** Creates webhooks and the log of their deliveries. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('webhooks', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(200) NOT NULL',
    description: 'TEXT',
    url: 'VARCHAR(500) NOT NULL',
    secret: 'VARCHAR(128)',
    events: "JSON NOT NULL DEFAULT '[]'",
    http_method: "VARCHAR(10) NOT NULL DEFAULT 'POST'",
    content_type: "VARCHAR(50) NOT NULL DEFAULT 'application/json'",
    headers: 'JSON',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    user_id: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
    max_retries: 'INTEGER NOT NULL DEFAULT 3',
    retry_delay_seconds: 'INTEGER NOT NULL DEFAULT 60',
    timeout_seconds: 'INTEGER NOT NULL DEFAULT 30',
    total_deliveries: 'INTEGER NOT NULL DEFAULT 0',
    successful_deliveries: 'INTEGER NOT NULL DEFAULT 0',
    failed_deliveries: 'INTEGER NOT NULL DEFAULT 0',
    last_delivery_at: 'TIMESTAMP',
    last_success_at: 'TIMESTAMP',
    last_failure_at: 'TIMESTAMP',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('webhooks', ['created_at'], { name: 'ix_webhooks_created_at' });
  await schema.addIndex('webhooks', ['is_active'], { name: 'ix_webhooks_is_active' });
  await schema.addIndex('webhooks', ['user_id'], { name: 'ix_webhooks_user_id' });

  await schema.createTable('webhook_deliveries', {
    id: 'SERIAL PRIMARY KEY',
    webhook_id: 'INTEGER NOT NULL REFERENCES webhooks(id) ON DELETE CASCADE',
    event_type: 'VARCHAR(100) NOT NULL',
    event_id: 'VARCHAR(100)',
    payload: 'TEXT NOT NULL',
    payload_hash: 'VARCHAR(64)',
    status: "VARCHAR(20) NOT NULL DEFAULT 'pending'",
    attempt_number: 'INTEGER NOT NULL DEFAULT 1',
    response_status_code: 'INTEGER',
    response_body: 'TEXT',
    response_headers: 'JSON',
    error_message: 'TEXT',
    error_type: 'VARCHAR(100)',
    started_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    completed_at: 'TIMESTAMP',
    duration_ms: 'INTEGER',
    next_retry_at: 'TIMESTAMP',
    retry_count: 'INTEGER NOT NULL DEFAULT 0',
  });
  await schema.addIndex('webhook_deliveries', ['event_type'], { name: 'ix_webhook_deliveries_event_type' });
  await schema.addIndex('webhook_deliveries', ['next_retry_at'], { name: 'ix_webhook_deliveries_next_retry_at' });
  await schema.addIndex('webhook_deliveries', ['started_at'], { name: 'ix_webhook_deliveries_started_at' });
  await schema.addIndex('webhook_deliveries', ['status'], { name: 'ix_webhook_deliveries_status' });
  await schema.addIndex('webhook_deliveries', ['webhook_id'], { name: 'ix_webhook_deliveries_webhook_id' });
};
