import type { Migration } from '../src/migration/migration.ts';

/** Adds the list of modules that an administrator has switched off to the settings. Nothing is switched off yet. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'disabled_module_ids', 'JSONB');
};
