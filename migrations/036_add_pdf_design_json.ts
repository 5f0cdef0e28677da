import type { Migration } from '../src/migration/migration.ts';

/** Adds the design of the invoice PDF to the settings. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'invoice_pdf_design_json', 'TEXT');
};
