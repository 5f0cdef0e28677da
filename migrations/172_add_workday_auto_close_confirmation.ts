import type { Migration } from '../src/migration/migration.ts';

export const revision = '172_add_workday_auto_close_confirmation';
export const parents: readonly string[] = ['171_merge_kanban_feature_heads'];

/** Adds the time at which somebody confirmed the automatic close of a workday session; empty for existing sessions. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('workday_sessions', 'auto_close_confirmed_at', 'TIMESTAMP');
};
