import type { Migration } from '../src/migration/migration.ts';

export const revision = '132_add_timesheet_governance_and_time_off';
export const parents: readonly string[] = ['131_add_donation_variant'];

/** Creates timesheet periods and the policy for them, and time off with its types and the company's holidays. */
export const up: Migration = async ({ context: schema }) => {
  const onPostgres = schema.engine === 'postgresql';
  const timestamp = `TIMESTAMP NOT NULL DEFAULT ${onPostgres ? 'now()' : 'CURRENT_TIMESTAMP'}`;

  await schema.createEnum('timeoffrequeststatus', ['draft', 'submitted', 'approved', 'rejected', 'cancelled']);
  await schema.createEnum('timesheetperiodstatus', ['draft', 'submitted', 'approved', 'rejected', 'closed']);

  await schema.createTable('company_holidays', {
    id: 'SERIAL PRIMARY KEY',
    name: 'VARCHAR(120) NOT NULL',
    start_date: 'DATE NOT NULL',
    end_date: 'DATE NOT NULL',
    region: 'VARCHAR(50)',
    enabled: 'BOOLEAN NOT NULL DEFAULT TRUE',
    created_at: timestamp,
    updated_at: timestamp,
  });

  await schema.createTable(
    'leave_types',
    {
      id: 'SERIAL PRIMARY KEY',
      name: 'VARCHAR(120) NOT NULL',
      code: 'VARCHAR(40) NOT NULL',
      is_paid: 'BOOLEAN NOT NULL DEFAULT TRUE',
      annual_allowance_hours: 'NUMERIC(10,2)',
      accrual_hours_per_month: 'NUMERIC(10,2)',
      enabled: 'BOOLEAN NOT NULL DEFAULT TRUE',
      created_at: timestamp,
      updated_at: timestamp,
    },
    {
      uq_leave_types_code: 'UNIQUE (code)',
    },
  );

  await schema.createTable('time_off_requests', {
    id: 'SERIAL PRIMARY KEY',
    user_id: 'INTEGER NOT NULL REFERENCES users(id)',
    leave_type_id: 'INTEGER NOT NULL REFERENCES leave_types(id)',
    start_date: 'DATE NOT NULL',
    end_date: 'DATE NOT NULL',
    start_half_day: 'BOOLEAN NOT NULL DEFAULT FALSE',
    end_half_day: 'BOOLEAN NOT NULL DEFAULT FALSE',
    requested_hours: 'NUMERIC(10,2)',
    status: `${onPostgres ? 'timeoffrequeststatus' : 'VARCHAR(9)'} NOT NULL DEFAULT 'draft'`,
    requested_comment: 'TEXT',
    review_comment: 'TEXT',
    submitted_at: 'TIMESTAMP',
    reviewed_at: 'TIMESTAMP',
    reviewed_by: 'INTEGER REFERENCES users(id)',
    created_at: timestamp,
    updated_at: timestamp,
  });
  await schema.addIndex('time_off_requests', ['user_id', 'status', 'start_date', 'end_date'], {
    name: 'ix_time_off_user_status_dates',
  });

  await schema.createTable(
    'timesheet_periods',
    {
      id: 'SERIAL PRIMARY KEY',
      user_id: 'INTEGER NOT NULL REFERENCES users(id)',
      period_type: "VARCHAR(20) NOT NULL DEFAULT 'weekly'",
      period_start: 'DATE NOT NULL',
      period_end: 'DATE NOT NULL',
      status: `${onPostgres ? 'timesheetperiodstatus' : 'VARCHAR(9)'} NOT NULL DEFAULT 'draft'`,
      submitted_at: 'TIMESTAMP',
      submitted_by: 'INTEGER REFERENCES users(id)',
      approved_at: 'TIMESTAMP',
      approved_by: 'INTEGER REFERENCES users(id)',
      rejected_at: 'TIMESTAMP',
      rejected_by: 'INTEGER REFERENCES users(id)',
      rejection_reason: 'TEXT',
      closed_at: 'TIMESTAMP',
      closed_by: 'INTEGER REFERENCES users(id)',
      close_reason: 'TEXT',
      created_at: timestamp,
      updated_at: timestamp,
    },
    {
      uq_timesheet_period_user_range: 'UNIQUE (user_id, period_type, period_start, period_end)',
    },
  );
  await schema.addIndex('timesheet_periods', ['user_id', 'status'], { name: 'ix_timesheet_period_user_status' });

  await schema.createTable('timesheet_policies', {
    id: 'SERIAL PRIMARY KEY',
    default_period_type: "VARCHAR(20) NOT NULL DEFAULT 'weekly'",
    auto_lock_days: 'INTEGER',
    approver_user_ids: 'VARCHAR(1000)',
    enable_multi_level_approval: 'BOOLEAN NOT NULL DEFAULT FALSE',
    require_rejection_comment: 'BOOLEAN NOT NULL DEFAULT TRUE',
    enable_admin_override: 'BOOLEAN NOT NULL DEFAULT TRUE',
    created_at: timestamp,
    updated_at: timestamp,
  });
};
