import type { Migration } from '../src/migration/migration.ts';

export const revision = '120_user_nullable_date_time_format';
export const parents: readonly string[] = ['119_add_settings_date_time_format'];

/** Makes the date and time format of users optional. Existing users keep theirs, new ones get the defaults. */
export const up: Migration = async ({ context: schema }) => {
  await schema.dropNotNull('users', 'date_format');
  await schema.dropNotNull('users', 'time_format');
};
