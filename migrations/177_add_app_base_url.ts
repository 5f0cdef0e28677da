import type { Migration } from '../src/migration/migration.ts';

export const revision = '177_add_app_base_url';
export const parents: readonly string[] = ['176_add_global_rounding_policy'];

/** Adds the address of the application to the settings: an empty text, not NULL. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'app_base_url', "VARCHAR(500) DEFAULT ''");
};
