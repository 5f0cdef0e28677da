import type { Migration } from '../src/migration/migration.ts';

/** Adds a short, unique code to projects. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('projects', 'code', 'VARCHAR(20)');
  await schema.addConstraint('projects', 'uq_projects_code', 'UNIQUE (code)');
  await schema.addIndex('projects', ['code'], { name: 'ix_projects_code' });
};
