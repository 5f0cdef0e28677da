import type { Migration } from '../src/migration/migration.ts';

export const revision = '182_add_project_last_used_at';
export const parents: readonly string[] = ['181_add_quote_signature'];

/** Adds to projects when they were last used. It is not derived from their time entries. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('projects', 'last_used_at', 'TIMESTAMP');
  await schema.addIndex('projects', ['last_used_at'], { name: 'ix_projects_last_used_at' });
};
