import type { Migration } from '../src/migration/migration.ts';

export const revision = '106_add_reportlab_template_json';
export const parents: readonly string[] = ['105_fix_client_notifications_cascade_delete'];

/** Adds the JSON form of the template to PDF templates of invoices and quotes. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('invoice_pdf_templates', 'template_json', 'TEXT');
  await schema.addColumn('quote_pdf_templates', 'template_json', 'TEXT');
};
