import type { Migration } from '../src/migration/migration.ts';

export const revision = '118_add_locked_client_id';
export const parents: readonly string[] = ['117_add_user_calendar_type_colors'];

/** Lets the settings restrict an installation to one client. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'locked_client_id', 'INTEGER');
};
