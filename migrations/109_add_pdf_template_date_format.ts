import type { Migration } from '../src/migration/migration.ts';

export const revision = '109_add_pdf_template_date_format';
export const parents: readonly string[] = ['108_add_decorative_images'];

/** Adds the format of dates to PDF templates of invoices and quotes. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('invoice_pdf_templates', 'date_format', "VARCHAR(50) NOT NULL DEFAULT '%d.%m.%Y'");
  await schema.addColumn('quote_pdf_templates', 'date_format', "VARCHAR(50) NOT NULL DEFAULT '%d.%m.%Y'");
};
