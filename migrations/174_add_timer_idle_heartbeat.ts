import type { Migration } from '../src/migration/migration.ts';

export const revision = '174_add_timer_idle_heartbeat';
export const parents: readonly string[] = ['173_add_auto_break_settings'];

/** Adds the time of the last heartbeat of the timer to time entries; it is unknown for timers that are running now. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('time_entries', {
    last_heartbeat_at: 'TIMESTAMP',
    idle_notified_at: 'TIMESTAMP',
  });
  await schema.addIndex('time_entries', ['last_heartbeat_at'], { name: 'ix_time_entries_last_heartbeat_at' });
};
