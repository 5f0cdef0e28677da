import type { Migration } from '../src/migration/migration.ts';

export const revision = '121_add_ui_show_donate_system_id';
export const parents: readonly string[] = ['120_user_nullable_date_time_format'];

/**
 * Lets users hide requests for donations, and adds an installation id to the settings, which the application fills
 * later.
 */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'system_instance_id', 'VARCHAR(36)');
  await schema.addColumn('users', 'ui_show_donate', 'BOOLEAN NOT NULL DEFAULT TRUE');
};
