import type { Migration } from '../src/migration/migration.ts';

export const revision = '149_add_user_support_stats_reports_generated';
export const parents: readonly string[] = ['148_add_user_dismissed_release_version'];

/** Adds the number of generated reports to users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'support_stats_reports_generated', 'INTEGER NOT NULL DEFAULT 0');
};
