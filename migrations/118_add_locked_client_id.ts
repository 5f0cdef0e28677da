import type { Migration } from '../src/migration/migration.ts';

/** Lets the settings tie an installation to one client. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'locked_client_id', 'INTEGER');
};
