import type { Migration } from '../src/migration/migration.ts';

export const revision = '118_add_role_hidden_module_ids';
export const parents: readonly string[] = ['117_add_user_calendar_type_colors'];

/** Adds the list of modules that a role does not see. Nothing is hidden yet. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('roles', 'hidden_module_ids', 'JSONB');
};
