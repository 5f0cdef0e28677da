import type { Migration } from '../src/migration/migration.ts';

export const revision = '080_fix_metadata_column_names';
export const parents: readonly string[] = ['079_rename_user_badges_metadata'];

/** Repeats 079 for tables in which it did not run, and adds the column if it exists under neither name. */
export const up: Migration = async ({ context: schema }) => {
  await schema.renameColumn('user_badges', 'metadata', 'achievement_metadata');
  await schema.addColumn('user_badges', 'achievement_metadata', 'JSON');
  await schema.renameColumn('leaderboard_entries', 'metadata', 'entry_metadata');
  await schema.addColumn('leaderboard_entries', 'entry_metadata', 'JSON');
};
