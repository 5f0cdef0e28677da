import type { Migration } from '../src/migration/migration.ts';

export const revision = '195_add_idle_unanswered_action';
export const parents: readonly string[] = ['194_roadmap_features'];

/** Adds the action for idle timers without an answer to the settings: a review. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'idle_unanswered_action', "VARCHAR(16) NOT NULL DEFAULT 'review'");
};
