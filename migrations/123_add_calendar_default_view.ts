import type { Migration } from '../src/migration/migration.ts';

/** Adds the calendar view that a user starts with. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'calendar_default_view', 'VARCHAR(10)');
};
