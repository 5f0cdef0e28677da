import type { Migration } from '../src/migration/migration.ts';

export const revision = '139_keyboard_shortcuts';
export const parents: readonly string[] = ['138_add_break_rules'];

/** Adds a user's own keyboard shortcuts. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'keyboard_shortcuts_overrides', 'JSON');
};
