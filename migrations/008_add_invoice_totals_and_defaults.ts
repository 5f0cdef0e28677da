import type { Migration } from '../src/migration/migration.ts';

export const revision = '008';
export const parents: readonly string[] = ['007'];

/**
 * Adds total_amount to invoices and their items, and invoice defaults to the settings.
 *
 * total_amount is 0 on existing rows: the application meant to copy `total` there, but that step never took
 * effect, and 014 builds on the result.
 */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('invoice_items', {
    total_amount: "NUMERIC(10,2) NOT NULL DEFAULT '0'",
    time_entry_ids: 'VARCHAR(500)',
  });
  await schema.addColumn('invoices', 'total_amount', "NUMERIC(10,2) NOT NULL DEFAULT '0'");
  await schema.addColumns('settings', {
    invoice_prefix: "VARCHAR(10) NOT NULL DEFAULT 'INV'",
    invoice_start_number: 'INTEGER NOT NULL DEFAULT 1000',
    invoice_terms: "TEXT NOT NULL DEFAULT 'Payment is due within 30 days of invoice date.'",
    invoice_notes: "TEXT NOT NULL DEFAULT 'Thank you for your business!'",
  });
};
