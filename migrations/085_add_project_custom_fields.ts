import type { Migration } from '../src/migration/migration.ts';

export const revision = '085_add_project_custom_fields';
export const parents: readonly string[] = ['084_custom_field_definitions'];

/** Adds custom fields to projects. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('projects', 'custom_fields', 'JSONB');
};
