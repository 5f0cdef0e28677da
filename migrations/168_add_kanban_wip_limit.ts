import type { Migration } from '../src/migration/migration.ts';

/** Adds a limit of work in progress to kanban columns. No column has one yet. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('kanban_columns', 'wip_limit', 'INTEGER');
};
