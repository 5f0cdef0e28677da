import type { Migration } from '../src/migration/migration.ts';

export const revision = '041_add_invoice_pdf_templates';
export const parents: readonly string[] = ['040_import_export'];

/** Creates invoice_pdf_templates, one for each paper size. A4 gets the template from the settings. */
export const up: Migration = async ({ context: schema }) => {
  const now = schema.engine === 'postgresql' ? 'now()' : 'CURRENT_TIMESTAMP';
  await schema.createTable(
    'invoice_pdf_templates',
    {
      id: 'SERIAL PRIMARY KEY',
      page_size: 'VARCHAR(20) NOT NULL',
      template_html: 'TEXT',
      template_css: 'TEXT',
      design_json: 'TEXT',
      is_default: 'BOOLEAN NOT NULL DEFAULT FALSE',
      created_at: `TIMESTAMP NOT NULL DEFAULT ${now}`,
      updated_at: `TIMESTAMP NOT NULL DEFAULT ${now}`,
    },
    {
      uq_invoice_pdf_templates_page_size: 'UNIQUE (page_size)',
    },
  );
  await schema.addIndex('invoice_pdf_templates', ['is_default'], { name: 'ix_invoice_pdf_templates_is_default' });
  await schema.addIndex('invoice_pdf_templates', ['page_size'], { name: 'ix_invoice_pdf_templates_page_size' });
  // If settings has several rows, the engine chooses one, as in the application's own migration.
  const [settings] = await schema.query(`
    SELECT invoice_pdf_template_html AS template_html, invoice_pdf_template_css AS template_css,
           invoice_pdf_design_json AS design_json
    FROM settings LIMIT 1`);
  const textOf = (column: string): string => {
    const value = settings?.[column];
    return typeof value === 'string' ? value : '';
  };
  await schema.insertMissing(
    'invoice_pdf_templates',
    [['page_size']],
    ['A4', 'Letter', 'A3', 'Legal', 'A5'].map((page_size) => ({
      page_size,
      template_html: page_size === 'A4' ? textOf('template_html') : '',
      template_css: page_size === 'A4' ? textOf('template_css') : '',
      design_json: page_size === 'A4' ? textOf('design_json') : '',
      is_default: true,
    })),
  );
};
