import type { Migration } from '../src/migration/migration.ts';

export const revision = '017';
export const parents: readonly string[] = ['016'];

/**
 * Creates payments, credit notes, reminders, templates, currencies, tax rules and saved reports; gives invoices a
 * currency.
 */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('credit_notes', {
    id: 'SERIAL PRIMARY KEY',
    invoice_id: 'INTEGER NOT NULL REFERENCES invoices(id) ON DELETE CASCADE',
    credit_number: 'VARCHAR(50) NOT NULL UNIQUE',
    amount: 'NUMERIC(10,2) NOT NULL',
    reason: 'TEXT',
    created_by: 'INTEGER NOT NULL REFERENCES users(id)',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });

  await schema.createTable('currencies', {
    code: 'VARCHAR(3) NOT NULL PRIMARY KEY',
    name: 'VARCHAR(64) NOT NULL',
    symbol: 'VARCHAR(8)',
    decimal_places: 'INTEGER NOT NULL DEFAULT 2',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });

  await schema.createTable(
    'exchange_rates',
    {
      id: 'SERIAL PRIMARY KEY',
      base_code: 'VARCHAR(3) NOT NULL REFERENCES currencies(code)',
      quote_code: 'VARCHAR(3) NOT NULL REFERENCES currencies(code)',
      rate: 'NUMERIC(18,8) NOT NULL',
      date: 'DATE NOT NULL',
      source: 'VARCHAR(50)',
      created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
      updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    },
    {
      uq_exchange_rate_day: 'UNIQUE (base_code, quote_code, date)',
    },
  );
  await schema.addIndex('exchange_rates', ['base_code'], { name: 'ix_exchange_rates_base_code' });
  await schema.addIndex('exchange_rates', ['quote_code'], { name: 'ix_exchange_rates_quote_code' });

  await schema.createTable('invoice_reminder_schedules', {
    id: 'SERIAL PRIMARY KEY',
    invoice_id: 'INTEGER NOT NULL REFERENCES invoices(id) ON DELETE CASCADE',
    days_offset: 'INTEGER NOT NULL',
    recipients: 'TEXT',
    template_name: 'VARCHAR(100)',
    active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    last_sent_at: 'TIMESTAMP',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });

  await schema.createTable('invoice_templates', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(100) NOT NULL UNIQUE',
    description: 'VARCHAR(255)',
    html: 'TEXT',
    css: 'TEXT',
    is_default: 'BOOLEAN NOT NULL DEFAULT FALSE',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });

  await schema.createTable('payments', {
    id: 'SERIAL PRIMARY KEY',
    invoice_id: 'INTEGER NOT NULL REFERENCES invoices(id) ON DELETE CASCADE',
    amount: 'NUMERIC(10,2) NOT NULL',
    currency: 'VARCHAR(3)',
    payment_date: 'DATE NOT NULL DEFAULT CURRENT_DATE',
    method: 'VARCHAR(50)',
    reference: 'VARCHAR(100)',
    notes: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });

  await schema.createTable('saved_report_views', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(120) NOT NULL',
    owner_id: 'INTEGER NOT NULL REFERENCES users(id)',
    scope: "VARCHAR(20) NOT NULL DEFAULT 'private'",
    config_json: 'TEXT NOT NULL',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });

  await schema.createTable('report_email_schedules', {
    id: 'SERIAL PRIMARY KEY',
    saved_view_id: 'INTEGER NOT NULL REFERENCES saved_report_views(id) ON DELETE CASCADE',
    recipients: 'TEXT NOT NULL',
    cadence: 'VARCHAR(20) NOT NULL',
    cron: 'VARCHAR(120)',
    timezone: 'VARCHAR(50)',
    next_run_at: 'TIMESTAMP',
    last_run_at: 'TIMESTAMP',
    active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    created_by: 'INTEGER NOT NULL REFERENCES users(id)',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });

  await schema.createTable('tax_rules', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(100) NOT NULL',
    country: 'VARCHAR(2)',
    region: 'VARCHAR(50)',
    client_id: 'INTEGER REFERENCES clients(id)',
    project_id: 'INTEGER REFERENCES projects(id)',
    tax_code: 'VARCHAR(50)',
    rate_percent: "NUMERIC(7,4) NOT NULL DEFAULT '0'",
    compound: 'BOOLEAN NOT NULL DEFAULT FALSE',
    inclusive: 'BOOLEAN NOT NULL DEFAULT FALSE',
    start_date: 'DATE',
    end_date: 'DATE',
    active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });

  // Existing invoices get EUR, whatever currency the settings have; new invoices must have a currency.
  await schema.addColumns('invoices', {
    currency_code: "VARCHAR(3) NOT NULL DEFAULT 'EUR'",
    template_id: 'INTEGER',
  });
  await schema.dropDefault('invoices', 'currency_code');
  await schema.addIndex('invoices', ['template_id'], { name: 'ix_invoices_template_id' });
};
