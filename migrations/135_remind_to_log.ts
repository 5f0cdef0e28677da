import type { Migration } from '../src/migration/migration.ts';

export const revision = '135_remind_to_log';
export const parents: readonly string[] = ['134_overtime_weekly'];

/** Adds a daily reminder to log time to users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.addColumns('users', {
    notification_remind_to_log: 'BOOLEAN NOT NULL DEFAULT FALSE',
    reminder_to_log_time: 'VARCHAR(5)',
  });
};
