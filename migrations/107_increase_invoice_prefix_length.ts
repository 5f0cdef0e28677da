import type { Migration } from '../src/migration/migration.ts';

export const revision = '107_increase_invoice_prefix_length';
export const parents: readonly string[] = ['106_add_reportlab_template_json'];

/** Widens the column for the invoice prefix. */
export const up: Migration = async ({ context: schema }) => {
  await schema.setType('settings', 'invoice_prefix', 'VARCHAR(50)');
};
