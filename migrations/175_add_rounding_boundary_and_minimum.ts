import type { Migration } from '../src/migration/migration.ts';

export const revision = '175_add_rounding_boundary_and_minimum';
export const parents: readonly string[] = ['174_add_timer_idle_heartbeat'];

/** Adds the minimum billed time to users. Existing users have none. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumn('users', 'time_rounding_minimum_minutes', 'INTEGER NOT NULL DEFAULT 0');
};
