import type { Migration } from '../src/migration/migration.ts';

export const revision = '042_client_prepaid_hours';
export const parents: readonly string[] = ['041_add_invoice_pdf_templates'];

/** Adds prepaid hours to clients, and creates the record of their consumption. */
export const up: Migration = async ({ context: schema }) => {
  const now = schema.engine === 'postgresql' ? 'now()' : 'CURRENT_TIMESTAMP';
  await schema.createTable(
    'client_prepaid_consumptions',
    {
      id: 'SERIAL PRIMARY KEY',
      client_id: 'INTEGER NOT NULL REFERENCES clients(id)',
      time_entry_id: 'INTEGER NOT NULL REFERENCES time_entries(id)',
      invoice_id: 'INTEGER REFERENCES invoices(id)',
      allocation_month: 'DATE NOT NULL',
      seconds_consumed: 'INTEGER NOT NULL',
      created_at: `TIMESTAMP NOT NULL DEFAULT ${now}`,
      updated_at: `TIMESTAMP NOT NULL DEFAULT ${now}`,
    },
    {
      uq_client_prepaid_consumptions_time_entry_id: 'UNIQUE (time_entry_id)',
    },
  );
  await schema.addIndex('client_prepaid_consumptions', ['client_id', 'allocation_month'], {
    name: 'ix_client_prepaid_consumptions_client_month',
  });
  await schema.addIndex('client_prepaid_consumptions', ['invoice_id'], {
    name: 'ix_client_prepaid_consumptions_invoice_id',
  });
  await schema.addColumns('clients', {
    prepaid_hours_monthly: 'NUMERIC(7,2)',
    prepaid_reset_day: 'INTEGER NOT NULL DEFAULT 1',
  });
};
