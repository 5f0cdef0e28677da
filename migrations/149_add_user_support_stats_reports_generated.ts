import type { Migration } from '../src/migration/migration.ts';

/** Counts the reports that a user has generated. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'support_stats_reports_generated', 'INTEGER NOT NULL DEFAULT 0');
};
