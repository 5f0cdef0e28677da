import type { Migration } from '../src/migration/migration.ts';

/** Adds the JSON form of the template to PDF templates of invoices and quotes. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('invoice_pdf_templates', 'template_json', 'TEXT');
  await schema.addColumn('quote_pdf_templates', 'template_json', 'TEXT');
};
