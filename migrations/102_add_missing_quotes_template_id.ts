import type { Migration } from '../src/migration/migration.ts';

export const revision = '102_add_missing_quotes_template_id';
export const parents: readonly string[] = ['101_add_issues_table'];

/** Adds the PDF template to quotes. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('quotes', 'template_id', 'INTEGER');
  await schema.addIndex('quotes', ['template_id'], { name: 'ix_quotes_template_id' });
  if (!schema.hasTable('quote_pdf_templates')) return;
  // On SQLite the application created its foreign keys without ON DELETE actions.
  const action = schema.engine === 'postgresql' ? ' ON DELETE SET NULL' : '';
  await schema.addConstraint(
    'quotes',
    'fk_quotes_template_id',
    `FOREIGN KEY (template_id) REFERENCES quote_pdf_templates(id)${action}`,
  );
};
