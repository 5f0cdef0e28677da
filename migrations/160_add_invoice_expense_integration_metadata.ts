import type { Migration } from '../src/migration/migration.ts';

export const revision = '160_add_invoice_expense_integration_metadata';
export const parents: readonly string[] = ['159_add_quote_number_settings'];

/** Adds metadata of other systems to invoices and expenses. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('expenses', 'integration_metadata', 'JSON');
  await schema.addColumn('invoices', 'integration_metadata', 'JSON');
};
