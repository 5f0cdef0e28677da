import type { Migration } from '../src/migration/migration.ts';

/** Adds the address of the application to the settings: empty text, not NULL. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'app_base_url', "VARCHAR(500) DEFAULT ''");
};
