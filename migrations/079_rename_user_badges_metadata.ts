import type { Migration } from '../src/migration/migration.ts';

export const revision = '079_rename_user_badges_metadata';
export const parents: readonly string[] = ['078_system_ui_feature_flags'];

/** Renames the columns `metadata` of user_badges and leaderboard_entries. */
export const up: Migration = async ({ context: schema }) => {
  await schema.renameColumn('user_badges', 'metadata', 'achievement_metadata');
  await schema.renameColumn('leaderboard_entries', 'metadata', 'entry_metadata');
};
