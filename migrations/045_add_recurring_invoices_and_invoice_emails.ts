import type { Migration } from '../src/migration/migration.ts';

export const revision = '045';
export const parents: readonly string[] = ['044'];

/** Creates recurring invoices and the log of invoices sent by e-mail. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('invoice_emails', {
    id: 'SERIAL PRIMARY KEY',
    invoice_id: 'INTEGER NOT NULL REFERENCES invoices(id) ON DELETE CASCADE',
    recipient_email: 'VARCHAR(200) NOT NULL',
    subject: 'VARCHAR(500) NOT NULL',
    sent_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    sent_by: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
    opened_at: 'TIMESTAMP',
    opened_count: 'INTEGER NOT NULL DEFAULT 0',
    last_opened_at: 'TIMESTAMP',
    paid_at: 'TIMESTAMP',
    status: "VARCHAR(20) NOT NULL DEFAULT 'sent'",
    error_message: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addIndex('invoice_emails', ['invoice_id'], { name: 'ix_invoice_emails_invoice_id' });
  await schema.addIndex('invoice_emails', ['recipient_email'], { name: 'ix_invoice_emails_recipient_email' });
  await schema.addIndex('invoice_emails', ['sent_at'], { name: 'ix_invoice_emails_sent_at' });
  await schema.addIndex('invoice_emails', ['status'], { name: 'ix_invoice_emails_status' });

  await schema.createTable('recurring_invoices', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(200) NOT NULL',
    project_id: 'INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE',
    client_id: 'INTEGER NOT NULL REFERENCES clients(id) ON DELETE CASCADE',
    frequency: 'VARCHAR(20) NOT NULL',
    interval: 'INTEGER NOT NULL DEFAULT 1',
    next_run_date: 'DATE NOT NULL',
    end_date: 'DATE',
    client_name: 'VARCHAR(200) NOT NULL',
    client_email: 'VARCHAR(200)',
    client_address: 'TEXT',
    due_date_days: 'INTEGER NOT NULL DEFAULT 30',
    tax_rate: "NUMERIC(5,2) NOT NULL DEFAULT '0'",
    currency_code: "VARCHAR(3) NOT NULL DEFAULT 'EUR'",
    notes: 'TEXT',
    terms: 'TEXT',
    template_id: 'INTEGER REFERENCES invoice_templates(id) ON DELETE SET NULL',
    auto_send: 'BOOLEAN NOT NULL DEFAULT FALSE',
    auto_include_time_entries: 'BOOLEAN NOT NULL DEFAULT TRUE',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    created_by: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    last_generated_at: 'TIMESTAMP',
  });
  await schema.addIndex('recurring_invoices', ['client_id'], { name: 'ix_recurring_invoices_client_id' });
  await schema.addIndex('recurring_invoices', ['is_active'], { name: 'ix_recurring_invoices_is_active' });
  await schema.addIndex('recurring_invoices', ['next_run_date'], { name: 'ix_recurring_invoices_next_run_date' });
  await schema.addIndex('recurring_invoices', ['project_id'], { name: 'ix_recurring_invoices_project_id' });
  await schema.addColumn('invoices', 'recurring_invoice_id', 'INTEGER');
  await schema.addIndex('invoices', ['recurring_invoice_id'], { name: 'ix_invoices_recurring_invoice_id' });
};
