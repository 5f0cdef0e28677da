import type { Migration } from '../src/migration/migration.ts';

export const revision = '023';
export const parents: readonly string[] = ['022'];

/** Adds a short, unique code to projects. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('projects', 'code', 'VARCHAR(20)');
  await schema.addConstraint('projects', 'uq_projects_code', 'UNIQUE (code)');
  await schema.addIndex('projects', ['code'], { name: 'ix_projects_code' });
};
