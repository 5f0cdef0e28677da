import type { Migration } from '../src/migration/migration.ts';

export const revision = '158_add_workday_sessions_and_hour_limits';
export const parents: readonly string[] = ['157_add_project_client_created_by'];

/**
 * Creates workday sessions and violations of working time. Hour limits apply to existing installations at once, mails
 * included.
 */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable('workday_sessions', {
    id: 'SERIAL PRIMARY KEY',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    start_time: 'TIMESTAMP NOT NULL',
    end_time: 'TIMESTAMP',
    duration_seconds: 'INTEGER',
    notes: 'TEXT',
    auto_closed: 'BOOLEAN NOT NULL DEFAULT FALSE',
    source: "VARCHAR(20) NOT NULL DEFAULT 'manual'",
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('workday_sessions', ['end_time'], { name: 'ix_workday_sessions_end_time' });
  await schema.addIndex('workday_sessions', ['start_time'], { name: 'ix_workday_sessions_start_time' });
  await schema.addIndex('workday_sessions', ['user_id'], { name: 'ix_workday_sessions_user_id' });

  await schema.createTable(
    'working_time_violations',
    {
      id: 'SERIAL PRIMARY KEY',
      user_id: 'INTEGER NOT NULL REFERENCES users(id)',
      period_type: 'VARCHAR(10) NOT NULL',
      period_start: 'DATE NOT NULL',
      period_end: 'DATE NOT NULL',
      limit_hours: 'DOUBLE PRECISION NOT NULL',
      actual_hours: 'DOUBLE PRECISION NOT NULL',
      hours_over: 'DOUBLE PRECISION NOT NULL',
      status: "VARCHAR(20) NOT NULL DEFAULT 'pending'",
      justification: 'TEXT',
      justification_submitted_at: 'TIMESTAMP',
      acknowledged_by_user_id: 'INTEGER REFERENCES users(id)',
      acknowledged_at: 'TIMESTAMP',
      notified_at: 'TIMESTAMP',
      created_at: 'TIMESTAMP NOT NULL',
      updated_at: 'TIMESTAMP NOT NULL',
    },
    {
      uq_working_time_violation_period: 'UNIQUE (user_id, period_type, period_start)',
    },
  );
  await schema.addIndex('working_time_violations', ['period_start'], {
    name: 'ix_working_time_violations_period_start',
  });
  await schema.addIndex('working_time_violations', ['user_id'], { name: 'ix_working_time_violations_user_id' });
  await schema.addColumns('settings', {
    daily_hour_limit: "DOUBLE PRECISION NOT NULL DEFAULT '10'",
    weekly_hour_limit: "DOUBLE PRECISION NOT NULL DEFAULT '48'",
    hour_limit_enforcement: "VARCHAR(20) NOT NULL DEFAULT 'soft_email'",
    hour_limit_email_enabled: 'BOOLEAN NOT NULL DEFAULT TRUE',
    hour_limits_enabled: 'BOOLEAN NOT NULL DEFAULT TRUE',
  });
  await schema.addColumns('users', {
    daily_hour_limit_override: 'DOUBLE PRECISION',
    weekly_hour_limit_override: 'DOUBLE PRECISION',
  });
};
