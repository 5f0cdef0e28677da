import type { Migration } from '../src/migration/migration.ts';

export const revision = '107_increase_invoice_prefix_length';
export const parents: readonly string[] = ['106_add_reportlab_template_json'];

/** Makes room for longer invoice prefixes. */
export const up: Migration = async ({ context: schema }) => {
  await schema.setType('settings', 'invoice_prefix', 'VARCHAR(50)');
};
