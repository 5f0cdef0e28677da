import type { Migration } from '../src/migration/migration.ts';

export const revision = '098_add_invoice_peppol_transmissions';
export const parents: readonly string[] = ['097_add_stock_lots_for_devaluation'];

/** Creates invoice_peppol_transmissions. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('invoice_peppol_transmissions', {
    id: 'SERIAL PRIMARY KEY',
    invoice_id: 'INTEGER NOT NULL REFERENCES invoices(id)',
    provider: "VARCHAR(50) NOT NULL DEFAULT 'generic'",
    status: "VARCHAR(20) NOT NULL DEFAULT 'pending'",
    sender_endpoint_id: 'VARCHAR(100)',
    sender_scheme_id: 'VARCHAR(20)',
    recipient_endpoint_id: 'VARCHAR(100)',
    recipient_scheme_id: 'VARCHAR(20)',
    document_id: 'VARCHAR(100)',
    ubl_sha256: 'VARCHAR(64)',
    ubl_xml: 'TEXT',
    message_id: 'VARCHAR(200)',
    response_payload: 'JSON',
    error_message: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL',
    sent_at: 'TIMESTAMP',
  });
  await schema.addIndex('invoice_peppol_transmissions', ['created_at'], {
    name: 'ix_invoice_peppol_transmissions_created_at',
  });
  await schema.addIndex('invoice_peppol_transmissions', ['invoice_id'], {
    name: 'ix_invoice_peppol_transmissions_invoice_id',
  });
  await schema.addIndex('invoice_peppol_transmissions', ['status'], { name: 'ix_invoice_peppol_transmissions_status' });
};
