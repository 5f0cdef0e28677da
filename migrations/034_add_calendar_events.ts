import type { Migration } from '../src/migration/migration.ts';

export const revision = '034_add_calendar_events';
export const parents: readonly string[] = ['033_add_email_settings'];

/** Creates calendar_events: appointments, single and recurring. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable(
    'calendar_events',
    {
      id: 'SERIAL PRIMARY KEY',
      user_id: 'INTEGER NOT NULL',
      title: 'VARCHAR(200) NOT NULL',
      description: 'TEXT',
      start_time: 'TIMESTAMP NOT NULL',
      end_time: 'TIMESTAMP NOT NULL',
      all_day: 'BOOLEAN NOT NULL DEFAULT FALSE',
      location: 'VARCHAR(200)',
      event_type: "VARCHAR(50) NOT NULL DEFAULT 'event'",
      project_id: 'INTEGER',
      task_id: 'INTEGER',
      client_id: 'INTEGER',
      is_recurring: 'BOOLEAN NOT NULL DEFAULT FALSE',
      recurrence_rule: 'VARCHAR(200)',
      recurrence_end_date: 'TIMESTAMP',
      parent_event_id: 'INTEGER',
      reminder_minutes: 'INTEGER',
      color: 'VARCHAR(7)',
      is_private: 'BOOLEAN NOT NULL DEFAULT FALSE',
      created_at: 'TIMESTAMP NOT NULL',
      updated_at: 'TIMESTAMP NOT NULL',
    },
    {
      fk_calendar_events_client_id: 'FOREIGN KEY (client_id) REFERENCES clients(id)',
      fk_calendar_events_parent_event_id: 'FOREIGN KEY (parent_event_id) REFERENCES calendar_events(id)',
      fk_calendar_events_project_id: 'FOREIGN KEY (project_id) REFERENCES projects(id)',
      fk_calendar_events_task_id: 'FOREIGN KEY (task_id) REFERENCES tasks(id)',
      fk_calendar_events_user_id: 'FOREIGN KEY (user_id) REFERENCES users(id)',
    },
  );
  await schema.addIndex('calendar_events', ['client_id'], { name: 'ix_calendar_events_client_id' });
  await schema.addIndex('calendar_events', ['end_time'], { name: 'ix_calendar_events_end_time' });
  await schema.addIndex('calendar_events', ['event_type'], { name: 'ix_calendar_events_event_type' });
  await schema.addIndex('calendar_events', ['parent_event_id'], { name: 'ix_calendar_events_parent_event_id' });
  await schema.addIndex('calendar_events', ['project_id'], { name: 'ix_calendar_events_project_id' });
  await schema.addIndex('calendar_events', ['start_time'], { name: 'ix_calendar_events_start_time' });
  await schema.addIndex('calendar_events', ['task_id'], { name: 'ix_calendar_events_task_id' });
  await schema.addIndex('calendar_events', ['user_id'], { name: 'ix_calendar_events_user_id' });
};
