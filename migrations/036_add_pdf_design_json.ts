import type { Migration } from '../src/migration/migration.ts';

export const revision = '036_add_pdf_design_json';
export const parents: readonly string[] = ['035_enhance_payments'];

/** Adds the design of the invoice PDF to the settings. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'invoice_pdf_design_json', 'TEXT');
};
