import type { Migration } from '../src/migration/migration.ts';

export const revision = '118_add_role_hidden_module_ids';
export const parents: readonly string[] = ['117_add_user_calendar_type_colors'];

/** Adds the list of hidden modules to roles. No module is hidden at first. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('roles', 'hidden_module_ids', 'JSONB');
};
