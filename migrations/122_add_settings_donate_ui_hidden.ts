import type { Migration } from '../src/migration/migration.ts';

export const revision = '122_add_settings_donate_ui_hidden';
export const parents: readonly string[] = ['121_add_ui_show_donate_system_id'];

/** Lets the settings hide requests for donations from everybody. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'donate_ui_hidden', 'BOOLEAN NOT NULL DEFAULT FALSE');
};
