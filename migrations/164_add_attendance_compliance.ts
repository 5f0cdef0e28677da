import type { Migration } from '../src/migration/migration.ts';

export const revision = '164_add_attendance_compliance';
export const parents: readonly string[] = ['163_deleted_usernames_and_portal_only'];

/**
 * Creates attendance records with their work periods, breaks and corrections, and adds the rules for them to the
 * settings and to users.
 *
 * Existing workday sessions get no records: the application intended to derive them here, but that step never had an
 * effect, or failed.
 */
export const up: Migration = async ({ context: schema }) => {
  await schema.createTable(
    'daily_attendance_records',
    {
      id: 'SERIAL PRIMARY KEY',
      user_id: 'INTEGER NOT NULL REFERENCES users(id)',
      work_date: 'DATE NOT NULL',
      status: "VARCHAR(20) NOT NULL DEFAULT 'present'",
      time_off_request_id: 'INTEGER REFERENCES time_off_requests(id)',
      leave_type_id: 'INTEGER REFERENCES leave_types(id)',
      total_work_seconds: 'INTEGER NOT NULL DEFAULT 0',
      total_break_seconds: 'INTEGER NOT NULL DEFAULT 0',
      locked_at: 'TIMESTAMP',
      locked_by: 'INTEGER REFERENCES users(id)',
      timesheet_period_id: 'INTEGER REFERENCES timesheet_periods(id)',
      compliance_notes: 'TEXT',
      created_at: 'TIMESTAMP NOT NULL',
      updated_at: 'TIMESTAMP NOT NULL',
    },
    {
      uq_daily_attendance_user_date: 'UNIQUE (user_id, work_date)',
    },
  );
  await schema.addIndex('daily_attendance_records', ['user_id'], { name: 'ix_daily_attendance_records_user_id' });
  await schema.addIndex('daily_attendance_records', ['work_date'], { name: 'ix_daily_attendance_records_work_date' });
  await schema.addIndex('daily_attendance_records', ['user_id', 'work_date'], {
    name: 'ix_daily_attendance_user_date',
  });

  await schema.createTable('attendance_corrections', {
    id: 'SERIAL PRIMARY KEY',
    attendance_day_id: 'INTEGER NOT NULL REFERENCES daily_attendance_records(id)',
    entity_type: 'VARCHAR(50) NOT NULL',
    entity_id: 'INTEGER NOT NULL',
    original_values: 'JSON',
    corrected_values: 'JSON NOT NULL',
    reason: 'TEXT NOT NULL',
    status: "VARCHAR(20) NOT NULL DEFAULT 'pending'",
    requested_by: 'INTEGER NOT NULL REFERENCES users(id)',
    reviewed_by: 'INTEGER REFERENCES users(id)',
    reviewed_at: 'TIMESTAMP',
    review_comment: 'TEXT',
    applied_at: 'TIMESTAMP',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('attendance_corrections', ['attendance_day_id'], {
    name: 'ix_attendance_corrections_attendance_day_id',
  });
  await schema.addIndex('attendance_corrections', ['status'], { name: 'ix_attendance_corrections_status' });

  await schema.createTable('attendance_work_periods', {
    id: 'SERIAL PRIMARY KEY',
    attendance_day_id: 'INTEGER NOT NULL REFERENCES daily_attendance_records(id)',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    start_time: 'TIMESTAMP NOT NULL',
    end_time: 'TIMESTAMP',
    duration_seconds: 'INTEGER',
    source: "VARCHAR(20) NOT NULL DEFAULT 'manual'",
    auto_closed: 'BOOLEAN NOT NULL DEFAULT FALSE',
    notes: 'TEXT',
    workday_session_id: 'INTEGER REFERENCES workday_sessions(id)',
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('attendance_work_periods', ['attendance_day_id'], {
    name: 'ix_attendance_work_periods_attendance_day_id',
  });
  await schema.addIndex('attendance_work_periods', ['start_time'], { name: 'ix_attendance_work_periods_start_time' });
  await schema.addIndex('attendance_work_periods', ['user_id'], { name: 'ix_attendance_work_periods_user_id' });

  await schema.createTable('attendance_breaks', {
    id: 'SERIAL PRIMARY KEY',
    attendance_day_id: 'INTEGER NOT NULL REFERENCES daily_attendance_records(id)',
    work_period_id: 'INTEGER REFERENCES attendance_work_periods(id)',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    start_time: 'TIMESTAMP NOT NULL',
    end_time: 'TIMESTAMP',
    duration_seconds: 'INTEGER',
    break_type: "VARCHAR(20) NOT NULL DEFAULT 'rest'",
    created_at: 'TIMESTAMP NOT NULL',
    updated_at: 'TIMESTAMP NOT NULL',
  });
  await schema.addIndex('attendance_breaks', ['attendance_day_id'], { name: 'ix_attendance_breaks_attendance_day_id' });
  await schema.addIndex('attendance_breaks', ['user_id'], { name: 'ix_attendance_breaks_user_id' });
  await schema.addColumns('settings', {
    compliance_enabled: 'BOOLEAN NOT NULL DEFAULT FALSE',
    compliance_jurisdiction_preset: "VARCHAR(30) NOT NULL DEFAULT 'custom'",
    compliance_standard_daily_hours: "DOUBLE PRECISION NOT NULL DEFAULT '8'",
    compliance_standard_weekly_hours: "DOUBLE PRECISION NOT NULL DEFAULT '38'",
    compliance_break_after_hours: "DOUBLE PRECISION NOT NULL DEFAULT '6'",
    compliance_min_break_minutes: 'INTEGER NOT NULL DEFAULT 15',
    compliance_min_daily_rest_hours: "DOUBLE PRECISION NOT NULL DEFAULT '11'",
    compliance_attendance_retention_years: 'INTEGER NOT NULL DEFAULT 10',
    compliance_require_workday_registration: 'BOOLEAN NOT NULL DEFAULT FALSE',
    compliance_royal_decree_config: 'JSON',
  });
  await schema.addColumns('users', {
    has_other_employers: 'BOOLEAN NOT NULL DEFAULT FALSE',
    other_employers_note: 'TEXT',
    other_employers_declared_at: 'TIMESTAMP',
    compliance_jurisdiction_preset: 'VARCHAR(30)',
    compliance_standard_daily_hours: 'DOUBLE PRECISION',
    compliance_standard_weekly_hours: 'DOUBLE PRECISION',
  });
};
