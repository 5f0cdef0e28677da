import type { Migration } from '../src/migration/migration.ts';

export const revision = '016';
export const parents: readonly string[] = ['015'];

/** Creates focus sessions, recurring blocks, rate overrides and saved filters; adds estimate and budget to projects. */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('focus_sessions', {
    id: 'SERIAL PRIMARY KEY',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    project_id: 'INTEGER REFERENCES projects(id)',
    task_id: 'INTEGER REFERENCES tasks(id)',
    time_entry_id: 'INTEGER REFERENCES time_entries(id)',
    started_at: 'TIMESTAMP NOT NULL',
    ended_at: 'TIMESTAMP',
    pomodoro_length: 'INTEGER NOT NULL DEFAULT 25',
    short_break_length: 'INTEGER NOT NULL DEFAULT 5',
    long_break_length: 'INTEGER NOT NULL DEFAULT 15',
    long_break_interval: 'INTEGER NOT NULL DEFAULT 4',
    cycles_completed: 'INTEGER NOT NULL DEFAULT 0',
    interruptions: 'INTEGER NOT NULL DEFAULT 0',
    notes: 'TEXT',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('focus_sessions', ['project_id'], { name: 'ix_focus_sessions_project_id' });
  await schema.addIndex('focus_sessions', ['task_id'], { name: 'ix_focus_sessions_task_id' });
  await schema.addIndex('focus_sessions', ['time_entry_id'], { name: 'ix_focus_sessions_time_entry_id' });
  await schema.addIndex('focus_sessions', ['user_id'], { name: 'ix_focus_sessions_user_id' });

  await schema.createTable(
    'rate_overrides',
    {
      id: 'SERIAL PRIMARY KEY',
      project_id: 'INTEGER NOT NULL REFERENCES projects(id)',
      user_id: 'INTEGER REFERENCES users(id)',
      hourly_rate: 'NUMERIC(9,2) NOT NULL',
      effective_from: 'DATE',
      effective_to: 'DATE',
      created_at: 'TIMESTAMP NOT NULL',
      updated_at: 'TIMESTAMP NOT NULL',
    },
    {
      ux_rate_override_unique_window: 'UNIQUE (project_id, user_id, effective_from)',
    },
  );
  await schema.addIndex('rate_overrides', ['project_id'], { name: 'ix_rate_overrides_project_id' });
  await schema.addIndex('rate_overrides', ['user_id'], { name: 'ix_rate_overrides_user_id' });

  await schema.createTable('recurring_blocks', {
    id: 'SERIAL PRIMARY KEY',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    project_id: 'INTEGER NOT NULL REFERENCES projects(id)',
    task_id: 'INTEGER REFERENCES tasks(id)',
    name: 'VARCHAR(200) NOT NULL',
    recurrence: "VARCHAR(20) NOT NULL DEFAULT 'weekly'",
    weekdays: 'VARCHAR(50)',
    start_time_local: 'VARCHAR(5) NOT NULL',
    end_time_local: 'VARCHAR(5) NOT NULL',
    starts_on: 'DATE',
    ends_on: 'DATE',
    is_active: 'BOOLEAN NOT NULL DEFAULT TRUE',
    notes: 'TEXT',
    tags: 'VARCHAR(500)',
    billable: 'BOOLEAN NOT NULL DEFAULT TRUE',
    last_generated_at: 'TIMESTAMP',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('recurring_blocks', ['project_id'], { name: 'ix_recurring_blocks_project_id' });
  await schema.addIndex('recurring_blocks', ['task_id'], { name: 'ix_recurring_blocks_task_id' });
  await schema.addIndex('recurring_blocks', ['user_id'], { name: 'ix_recurring_blocks_user_id' });

  await schema.createTable(
    'saved_filters',
    {
      id: 'SERIAL PRIMARY KEY',
      user_id: 'INTEGER NOT NULL REFERENCES users(id)',
      name: 'VARCHAR(200) NOT NULL',
      scope: "VARCHAR(50) NOT NULL DEFAULT 'global'",
      payload: "JSON NOT NULL DEFAULT '{}'",
      is_shared: 'BOOLEAN NOT NULL DEFAULT FALSE',
      created_at: 'TIMESTAMP NOT NULL',
      updated_at: 'TIMESTAMP NOT NULL',
    },
    {
      ux_saved_filter_user_name_scope: 'UNIQUE (user_id, name, scope)',
    },
  );
  await schema.addIndex('saved_filters', ['user_id'], { name: 'ix_saved_filters_user_id' });
  await schema.addColumns('projects', {
    estimated_hours: 'DOUBLE PRECISION',
    budget_amount: 'NUMERIC(10,2)',
    budget_threshold_percent: 'INTEGER NOT NULL DEFAULT 80',
  });
};
