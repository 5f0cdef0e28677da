import type { Migration } from '../src/migration/migration.ts';

export const revision = '110_add_disabled_module_ids';
export const parents: readonly string[] = ['109_add_pdf_template_date_format'];

/** Adds the list of modules that an administrator has switched off to the settings. Nothing is switched off yet. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'disabled_module_ids', 'JSONB');
};
