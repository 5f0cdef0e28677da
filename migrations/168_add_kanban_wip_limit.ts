import type { Migration } from '../src/migration/migration.ts';

export const revision = '168_add_kanban_wip_limit';
export const parents: readonly string[] = ['166_add_slack_user_id'];

/** Adds a limit of work in progress to kanban columns. Existing columns have none. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('kanban_columns', 'wip_limit', 'INTEGER');
};
