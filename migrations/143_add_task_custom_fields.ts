import type { Migration } from '../src/migration/migration.ts';

/** Adds custom fields to tasks. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('tasks', 'custom_fields', 'JSONB');
};
