import type { Migration } from '../src/migration/migration.ts';

export const revision = '050';
export const parents: readonly string[] = ['049'];

/** Creates offers, and links from projects and invoices to them. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('offers', {
    id: 'SERIAL PRIMARY KEY',
    offer_number: 'VARCHAR(50) NOT NULL',
    client_id: 'INTEGER NOT NULL REFERENCES clients(id) ON DELETE CASCADE',
    title: 'VARCHAR(200) NOT NULL',
    description: 'TEXT',
    status: "VARCHAR(20) NOT NULL DEFAULT 'draft'",
    total_amount: 'NUMERIC(10,2)',
    hourly_rate: 'NUMERIC(9,2)',
    estimated_hours: 'DOUBLE PRECISION',
    tax_rate: "NUMERIC(5,2) NOT NULL DEFAULT '0'",
    currency_code: "VARCHAR(3) NOT NULL DEFAULT 'EUR'",
    valid_until: 'DATE',
    sent_at: 'TIMESTAMP',
    accepted_at: 'TIMESTAMP',
    rejected_at: 'TIMESTAMP',
    project_id: 'INTEGER REFERENCES projects(id) ON DELETE SET NULL',
    created_by: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
    accepted_by: 'INTEGER REFERENCES users(id) ON DELETE SET NULL',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    notes: 'TEXT',
    terms: 'TEXT',
  });
  await schema.addIndex('offers', ['client_id'], { name: 'ix_offers_client_id' });
  await schema.addIndex('offers', ['offer_number'], { name: 'ix_offers_offer_number', unique: true });
  await schema.addIndex('offers', ['project_id'], { name: 'ix_offers_project_id' });
  await schema.addIndex('offers', ['status'], { name: 'ix_offers_status' });
  await schema.addColumn('invoices', 'offer_id', 'INTEGER');
  await schema.addColumn('projects', 'offer_id', 'INTEGER');
};
