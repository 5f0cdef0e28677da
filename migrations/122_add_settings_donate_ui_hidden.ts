import type { Migration } from '../src/migration/migration.ts';

/** Lets the settings hide requests for donations from everybody. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'donate_ui_hidden', 'BOOLEAN NOT NULL DEFAULT FALSE');
};
