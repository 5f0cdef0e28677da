import type { Migration } from '../src/migration/migration.ts';

/** Adds the list of modules that a role does not see. Nothing is hidden yet. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('roles', 'hidden_module_ids', 'JSONB');
};
