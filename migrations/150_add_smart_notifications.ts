import type { Migration } from '../src/migration/migration.ts';

export const revision = '150_add_smart_notifications';
export const parents: readonly string[] = ['149_add_user_support_stats_reports_generated'];

/** Adds smart notifications to users, and creates the table of those that were dismissed for a day. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable(
    'user_smart_notification_dismissals',
    {
      id: 'SERIAL PRIMARY KEY',
      user_id: 'INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE',
      local_date: 'VARCHAR(10) NOT NULL',
      kind: 'VARCHAR(32) NOT NULL',
      dismissed_at: 'TIMESTAMP NOT NULL',
    },
    {
      uq_user_smart_notif_dismissal: 'UNIQUE (user_id, local_date, kind)',
    },
  );
  await schema.addIndex('user_smart_notification_dismissals', ['user_id'], {
    name: 'ix_user_smart_notification_dismissals_user_id',
  });
  await schema.addColumns('users', {
    smart_notifications_enabled: 'BOOLEAN NOT NULL DEFAULT FALSE',
    smart_notify_no_tracking: 'BOOLEAN NOT NULL DEFAULT TRUE',
    smart_notify_long_timer: 'BOOLEAN NOT NULL DEFAULT TRUE',
    smart_notify_daily_summary: 'BOOLEAN NOT NULL DEFAULT TRUE',
    smart_notify_browser: 'BOOLEAN NOT NULL DEFAULT FALSE',
    smart_notify_no_tracking_after: 'VARCHAR(5)',
    smart_notify_summary_at: 'VARCHAR(5)',
  });
};
