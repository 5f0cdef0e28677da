import type { Migration } from '../src/migration/migration.ts';

export const revision = '113_add_invoice_buyer_reference';
export const parents: readonly string[] = ['112_add_invoices_peppol_compliant'];

/** Adds the buyer's reference to invoices. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('invoices', 'buyer_reference', 'VARCHAR(200)');
};
