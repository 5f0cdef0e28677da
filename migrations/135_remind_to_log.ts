import type { Migration } from '../src/migration/migration.ts';

/** Adds a daily reminder to log time to users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('users', {
    notification_remind_to_log: 'BOOLEAN NOT NULL DEFAULT FALSE',
    reminder_to_log_time: 'VARCHAR(5)',
  });
};
