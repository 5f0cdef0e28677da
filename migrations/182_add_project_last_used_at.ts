import type { Migration } from '../src/migration/migration.ts';

export const revision = '182_add_project_last_used_at';
export const parents: readonly string[] = ['181_add_quote_signature'];

/** Adds the time of the last use to projects. It is not derived from existing time entries. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('projects', 'last_used_at', 'TIMESTAMP');
  await schema.addIndex('projects', ['last_used_at'], { name: 'ix_projects_last_used_at' });
};
