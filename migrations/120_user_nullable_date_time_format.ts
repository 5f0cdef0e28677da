import type { Migration } from '../src/migration/migration.ts';

/** Lets users go without a date and time format of their own. Existing users keep theirs, new ones get the defaults. */
export const up: Migration = async ({ context: schema }) => {
  await schema.dropNotNull('users', 'date_format');
  await schema.dropNotNull('users', 'time_format');
};
