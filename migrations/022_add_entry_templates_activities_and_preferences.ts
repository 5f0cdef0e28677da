import type { Migration } from '../src/migration/migration.ts';

export const revision = '022';
export const parents: readonly string[] = ['021'];

/** Creates time entry templates and the activity feed; adds notification and display preferences to users. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('activities', {
    id: 'SERIAL PRIMARY KEY',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    action: 'VARCHAR(50) NOT NULL',
    entity_type: 'VARCHAR(50) NOT NULL',
    entity_id: 'INTEGER NOT NULL',
    entity_name: 'VARCHAR(500)',
    description: 'TEXT',
    extra_data: 'JSON',
    ip_address: 'VARCHAR(45)',
    user_agent: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });

  await schema.createTable('time_entry_templates', {
    id: 'SERIAL PRIMARY KEY',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    name: 'VARCHAR(200) NOT NULL',
    description: 'TEXT',
    project_id: 'INTEGER NOT NULL REFERENCES projects(id)',
    task_id: 'INTEGER REFERENCES tasks(id)',
    default_duration_minutes: 'INTEGER',
    default_notes: 'TEXT',
    tags: 'VARCHAR(500)',
    billable: 'BOOLEAN NOT NULL DEFAULT TRUE',
    usage_count: 'INTEGER NOT NULL DEFAULT 0',
    last_used_at: 'TIMESTAMP',
    created_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
    updated_at: 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  });
  await schema.addColumns('users', {
    email_notifications: 'BOOLEAN NOT NULL DEFAULT TRUE',
    notification_overdue_invoices: 'BOOLEAN NOT NULL DEFAULT TRUE',
    notification_task_assigned: 'BOOLEAN NOT NULL DEFAULT TRUE',
    notification_task_comments: 'BOOLEAN NOT NULL DEFAULT TRUE',
    notification_weekly_summary: 'BOOLEAN NOT NULL DEFAULT FALSE',
    timezone: 'VARCHAR(50)',
    date_format: "VARCHAR(20) NOT NULL DEFAULT 'YYYY-MM-DD'",
    time_format: "VARCHAR(10) NOT NULL DEFAULT '24h'",
    week_start_day: 'INTEGER NOT NULL DEFAULT 1',
  });
};
