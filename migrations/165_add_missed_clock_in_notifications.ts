import type { Migration } from '../src/migration/migration.ts';

export const revision = '165_add_missed_clock_in_notifications';
export const parents: readonly string[] = ['164_add_attendance_compliance'];

/** Adds notifications of a missed clock-in to users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('users', {
    smart_notify_missed_clock_in: 'BOOLEAN NOT NULL DEFAULT FALSE',
    smart_notify_missed_clock_in_at: 'VARCHAR(5)',
    notification_missed_clock_in: 'BOOLEAN NOT NULL DEFAULT FALSE',
  });
};
