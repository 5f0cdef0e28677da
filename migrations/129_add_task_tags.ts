import type { Migration } from '../src/migration/migration.ts';

/** Adds tags to tasks. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('tasks', 'tags', 'VARCHAR(500)');
};
