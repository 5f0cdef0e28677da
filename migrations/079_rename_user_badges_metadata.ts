import type { Migration } from '../src/migration/migration.ts';

/** Gives two columns called metadata a name that says whose. */
export const up: Migration = async ({ context: schema }) => {
  await schema.renameColumn('user_badges', 'metadata', 'achievement_metadata');
  await schema.renameColumn('leaderboard_entries', 'metadata', 'entry_metadata');
};
