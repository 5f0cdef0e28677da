import type { Migration } from '../src/migration/migration.ts';

export const revision = '110_add_disabled_module_ids';
export const parents: readonly string[] = ['109_add_pdf_template_date_format'];

/** Adds the list of disabled modules to the settings. No module is disabled at first. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'disabled_module_ids', 'JSONB');
};
