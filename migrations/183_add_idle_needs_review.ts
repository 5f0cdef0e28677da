import type { Migration } from '../src/migration/migration.ts';

export const revision = '183_add_idle_needs_review';
export const parents: readonly string[] = ['182_add_project_last_used_at'];

/**
 * Adds a flag for a needed review to time entries, and the time after which idle timers stop to the settings: never.
 */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('settings', 'idle_auto_stop_hours', 'INTEGER NOT NULL DEFAULT 0');
  await schema.addColumn('time_entries', 'idle_flagged_at', 'TIMESTAMP');
};
