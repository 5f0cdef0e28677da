import type { Migration } from '../src/migration/migration.ts';

export const revision = '137_add_break_time';
export const parents: readonly string[] = ['136_seed_overtime_leave_type'];

/** Adds breaks to time entries. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('time_entries', {
    break_seconds: 'INTEGER DEFAULT 0',
    paused_at: 'TIMESTAMP',
  });
};
