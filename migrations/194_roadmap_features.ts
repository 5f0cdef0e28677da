import type { Migration } from '../src/migration/migration.ts';

export const revision = '194_roadmap_features';
export const parents: readonly string[] = ['193_client_surveys_and_custom_domain'];

/**
 * Creates messages of clients, mail threads and payroll runs, and adds a client to API tokens. Existing tokens belong
 * to no client.
 */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('client_messages', {
    id: 'SERIAL PRIMARY KEY',
    client_id: 'INTEGER NOT NULL REFERENCES clients(id) ON DELETE CASCADE',
    sender_type: 'VARCHAR(20) NOT NULL',
    sender_id: 'INTEGER',
    sender_name: 'VARCHAR(200)',
    body: 'TEXT NOT NULL',
    attachments: 'JSON',
    read_at: 'TIMESTAMP',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('client_messages', ['client_id', 'created_at'], { name: 'ix_client_messages_client_created' });
  await schema.addIndex('client_messages', ['client_id'], { name: 'ix_client_messages_client_id' });

  await schema.createTable('email_threads', {
    id: 'SERIAL PRIMARY KEY',
    provider: 'VARCHAR(40) NOT NULL',
    external_thread_id: 'VARCHAR(255) NOT NULL',
    subject: 'VARCHAR(500)',
    snippet: 'TEXT',
    participants: 'JSON',
    client_id: 'INTEGER REFERENCES clients(id) ON DELETE SET NULL',
    lead_id: 'INTEGER REFERENCES leads(id) ON DELETE SET NULL',
    deal_id: 'INTEGER REFERENCES deals(id) ON DELETE SET NULL',
    last_message_at: 'TIMESTAMP',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('email_threads', ['client_id'], { name: 'ix_email_threads_client_id' });
  await schema.addIndex('email_threads', ['deal_id'], { name: 'ix_email_threads_deal_id' });
  await schema.addIndex('email_threads', ['external_thread_id'], { name: 'ix_email_threads_external_thread_id' });
  await schema.addIndex('email_threads', ['lead_id'], { name: 'ix_email_threads_lead_id' });

  await schema.createTable('email_messages', {
    id: 'SERIAL PRIMARY KEY',
    thread_id: 'INTEGER NOT NULL REFERENCES email_threads(id) ON DELETE CASCADE',
    external_message_id: 'VARCHAR(255) NOT NULL',
    from_address: 'VARCHAR(320)',
    to_addresses: 'JSON',
    subject: 'VARCHAR(500)',
    body_text: 'TEXT',
    body_html: 'TEXT',
    sent_at: 'TIMESTAMP',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('email_messages', ['external_message_id'], { name: 'ix_email_messages_external_message_id' });
  await schema.addIndex('email_messages', ['thread_id'], { name: 'ix_email_messages_thread_id' });

  await schema.createTable('payroll_sync_logs', {
    id: 'SERIAL PRIMARY KEY',
    provider: 'VARCHAR(40) NOT NULL',
    integration_id: 'INTEGER REFERENCES integrations(id) ON DELETE SET NULL',
    period_start: 'DATE NOT NULL',
    period_end: 'DATE NOT NULL',
    status: "VARCHAR(40) NOT NULL DEFAULT 'pending'",
    employee_count: 'INTEGER NOT NULL DEFAULT 0',
    hours_total: "DOUBLE PRECISION NOT NULL DEFAULT '0'",
    external_batch_id: 'VARCHAR(255)',
    error_message: 'TEXT',
    payload_summary: 'JSON',
    created_by: 'INTEGER REFERENCES users(id) ON DELETE SET NULL',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    completed_at: 'TIMESTAMP',
  });

  await schema.addColumn('api_tokens', 'client_id', 'INTEGER REFERENCES clients(id) ON DELETE CASCADE');
  await schema.addIndex('api_tokens', ['client_id'], { name: 'ix_api_tokens_client_id' });
};
