import type { Migration } from '../src/migration/migration.ts';

export const revision = '154_add_smart_notify_break_and_eod';
export const parents: readonly string[] = ['153_add_user_auth_provider'];

/** Adds reminders of breaks and of the end of the day to users, and widens the column for the date of a dismissal. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('users', {
    smart_notify_break_reminder: 'BOOLEAN NOT NULL DEFAULT FALSE',
    smart_notify_break_interval_minutes: 'INTEGER NOT NULL DEFAULT 60',
    smart_notify_end_of_day: 'BOOLEAN NOT NULL DEFAULT FALSE',
    smart_notify_end_of_day_time: 'VARCHAR(5)',
  });
  await schema.setType('user_smart_notification_dismissals', 'local_date', 'VARCHAR(64)');
  await schema.dropDefault('users', 'smart_notify_break_reminder');
  await schema.dropDefault('users', 'smart_notify_break_interval_minutes');
  await schema.dropDefault('users', 'smart_notify_end_of_day');
};
