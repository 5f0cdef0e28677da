import type { Migration } from '../src/migration/migration.ts';

/** Adds a user's own keyboard shortcuts. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'keyboard_shortcuts_overrides', 'JSON');
};
