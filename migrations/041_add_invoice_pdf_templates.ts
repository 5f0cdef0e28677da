import type { Migration } from '../src/migration/migration.ts';

export const revision = '041_add_invoice_pdf_templates';
export const parents: readonly string[] = ['040_import_export'];

/** Creates invoice_pdf_templates, one for each paper size; A4 is the template that the settings had. */
export const up: Migration = async ({ context: schema }) => {
  const now = schema.engine === 'postgresql' ? 'now()' : 'CURRENT_TIMESTAMP';
  const created = await schema.createTable(
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
  if (!created) return;
  // Which row it is, if settings has several, is left to the engine: the application did the same.
  await schema.run(`
    INSERT INTO invoice_pdf_templates (page_size, template_html, template_css, design_json, is_default)
    SELECT 'A4', coalesce(invoice_pdf_template_html, ''), coalesce(invoice_pdf_template_css, ''),
           coalesce(invoice_pdf_design_json, ''), TRUE
    FROM (SELECT 1) AS one LEFT JOIN (SELECT * FROM settings LIMIT 1) AS first ON TRUE`);
  await schema.insert(
    'invoice_pdf_templates',
    ['Letter', 'A3', 'Legal', 'A5'].map((page_size) => ({
      page_size,
      template_html: '',
      template_css: '',
      design_json: '',
      is_default: true,
    })),
  );
};
