import type { Migration } from '../src/migration/migration.ts';

export const revision = '012';
export const parents: readonly string[] = ['011'];

/** Adds the PDF template of invoices to the settings. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('settings', {
    invoice_pdf_template_html: 'TEXT',
    invoice_pdf_template_css: 'TEXT',
  });
};
