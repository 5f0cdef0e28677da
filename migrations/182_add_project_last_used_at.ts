import type { Migration } from '../src/migration/migration.ts';

/** Adds to projects when they were last used. It is not derived from their time entries. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('projects', 'last_used_at', 'TIMESTAMP');
  await schema.addIndex('projects', ['last_used_at'], { name: 'ix_projects_last_used_at' });
};
