import type { Migration } from '../src/migration/migration.ts';

/** Adds custom fields to projects. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('projects', 'custom_fields', 'JSONB');
};
