import type { Migration } from '../src/migration/migration.ts';

/** Adds breaks to time entries. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('time_entries', {
    break_seconds: 'INTEGER DEFAULT 0',
    paused_at: 'TIMESTAMP',
  });
};
