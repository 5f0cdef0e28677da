import { beforeAll, expect, it } from 'vitest';
import { createDatabase, describeEngines } from '../../support/database.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { asOnSqlite } from './observed.ts';
import type { FactRow } from './history.ts';
import { openStage, openStageAt, type Stage } from './test-environment.ts';

const users = `
  INSERT INTO users (id, username, role, two_factor_enabled, auth_provider, smart_notify_break_reminder,
    smart_notify_break_interval_minutes, smart_notify_end_of_day)
  VALUES (1, 'ada', 'user', FALSE, 'local', FALSE, 60, FALSE), (2, 'bob', 'admin', FALSE, 'local', FALSE, 60, FALSE);`;
const projects = `INSERT INTO clients (id, name, address) VALUES (1, 'Ada', 'Street 1, 12345 City');
  INSERT INTO projects (id, name, client_id) VALUES (1, 'Engine', 1);`;
const everything = `${users} ${projects}
  INSERT INTO settings (id, mail_enabled, rounding_minutes, company_address, company_tax_id)
    VALUES (1, FALSE, 15, 'Road 2', 'DE1'), (2, FALSE, 5, 'Lane 3', 'DE2');
  UPDATE users SET time_rounding_minutes = 30 WHERE id = 1;
  INSERT INTO tasks (id, project_id, name, created_by, created_at, updated_at)
    VALUES (1, 1, 'Think', 1, '2024-01-01', '2024-01-01');
  INSERT INTO time_entries (id, user_id, project_id, start_time, end_time)
    VALUES (1, 1, 1, '2024-01-01 08:00:00', '2024-01-01 09:00:00'), (2, 1, 1, '2024-01-02 08:00:00', NULL);
  INSERT INTO workday_sessions (id, user_id, start_time, auto_closed, created_at, updated_at)
    VALUES (1, 1, '2024-01-01 08:00:00', TRUE, '2024-01-01', '2024-01-01');
  INSERT INTO daily_attendance_records (id, user_id, work_date, created_at, updated_at)
    VALUES (1, 1, '2024-01-01', '2024-01-01', '2024-01-01');
  INSERT INTO attendance_breaks (id, attendance_day_id, user_id, start_time, created_at, updated_at)
    VALUES (1, 1, 1, '2024-01-01 12:00:00', '2024-01-01', '2024-01-01');
  INSERT INTO quotes (id, quote_number, client_id, title, created_by, status) VALUES (1, 'Q-1', 1, 'One', 1, 'accepted');
  INSERT INTO push_subscriptions (id, user_id, endpoint, keys, created_at, updated_at)
    VALUES (1, 1, 'https://push', '{}', '2024-01-01', '2024-01-01');
  INSERT INTO api_tokens (id, name, token_hash, token_prefix, user_id, created_at, is_active, usage_count)
    VALUES (1, 'mine', 'hash', 'tt', 1, '2024-01-01', TRUE, 0);
  INSERT INTO custom_field_definitions (id, field_key, label, created_by, created_at, updated_at)
    VALUES (1, 'colour', 'Colour', 1, '2024-01-01', '2024-01-01');
  INSERT INTO timesheet_periods (id, user_id, period_type, period_start, period_end, status, created_at, updated_at)
    VALUES (1, 1, 'weekly', '2024-01-01', '2024-01-07', 'approved', '2024-01-01', '2024-01-01');`;

/** Revision, query and result: rows from before 172 after all revisions. */
const kept: readonly (readonly [string, string, readonly FactRow[]])[] = [
  [
    '172',
    'SELECT auto_closed, auto_close_confirmed_at FROM workday_sessions',
    [{ auto_closed: true, auto_close_confirmed_at: null }],
  ],
  ['173', 'SELECT is_auto_break FROM attendance_breaks', [{ is_auto_break: false }]],
  [
    '173, of all settings',
    'SELECT auto_break_enabled, auto_break_after_hours, auto_break_duration_minutes FROM settings ORDER BY id',
    [1, 2].map(() => ({ auto_break_enabled: false, auto_break_after_hours: 6, auto_break_duration_minutes: 30 })),
  ],
  [
    '174 and 183, of a timer that runs as well',
    'SELECT last_heartbeat_at, idle_notified_at, idle_flagged_at FROM time_entries ORDER BY id',
    [1, 2].map(() => ({ last_heartbeat_at: null, idle_notified_at: null, idle_flagged_at: null })),
  ],
  [
    '175',
    'SELECT time_rounding_minutes, time_rounding_minimum_minutes FROM users WHERE id = 1',
    [{ time_rounding_minutes: 30, time_rounding_minimum_minutes: 0 }],
  ],
  [
    '176, 177, 183, 192, 193 and 195',
    `SELECT rounding_minutes, rounding_method, rounding_minimum_minutes, rounding_enforce_global, app_base_url,
       idle_auto_stop_hours, ai_routing_strategy, portal_allowed_custom_domains, idle_unanswered_action
       FROM settings WHERE id = 1`,
    [
      {
        rounding_minutes: 15,
        rounding_method: 'nearest',
        rounding_minimum_minutes: 0,
        rounding_enforce_global: false,
        app_base_url: '',
        idle_auto_stop_hours: 0,
        ai_routing_strategy: null,
        portal_allowed_custom_domains: null,
        idle_unanswered_action: 'review',
      },
    ],
  ],
  ['180', 'SELECT milestone_id FROM tasks', [{ milestone_id: null }]],
  [
    '181',
    'SELECT status, signature_data, signed_at, signed_by_name, signed_by_email, signed_ip FROM quotes',
    [
      {
        status: 'accepted',
        signature_data: null,
        signed_at: null,
        signed_by_name: null,
        signed_by_email: null,
        signed_ip: null,
      },
    ],
  ],
  ['182', 'SELECT last_used_at FROM projects', [{ last_used_at: null }]],
  [
    '183, of devices',
    'SELECT endpoint, device_token, platform FROM push_subscriptions',
    [{ endpoint: 'https://push', device_token: null, platform: null }],
  ],
  [
    '185',
    `SELECT pomodoro_length, pomodoro_short_break, pomodoro_long_break, pomodoro_long_break_interval
       FROM users ORDER BY id`,
    [1, 2].map(() => ({
      pomodoro_length: 25,
      pomodoro_short_break: 5,
      pomodoro_long_break: 15,
      pomodoro_long_break_interval: 4,
    })),
  ],
  [
    '191',
    'SELECT latitude, longitude, accuracy_m, geofence_id, geofence_status FROM workday_sessions',
    [{ latitude: null, longitude: null, accuracy_m: null, geofence_id: null, geofence_status: null }],
  ],
  ['193', 'SELECT custom_domain FROM clients', [{ custom_domain: null }]],
  ['194', 'SELECT name, client_id FROM api_tokens', [{ name: 'mine', client_id: null }]],
  [
    '196, nothing derived from the address of a client',
    'SELECT address, street, postcode, city, country, vat_id FROM clients',
    [{ address: 'Street 1, 12345 City', street: null, postcode: null, city: null, country: null, vat_id: null }],
  ],
  [
    '196, of all settings',
    `SELECT company_address, company_tax_id, company_street, company_iban, invoices_default_vat_category
       FROM settings ORDER BY id`,
    [
      ['Road 2', 'DE1'],
      ['Lane 3', 'DE2'],
    ].map(([company_address, company_tax_id]) => ({
      company_address,
      company_tax_id,
      company_street: null,
      company_iban: null,
      invoices_default_vat_category: 'S',
    })),
  ],
  ['197, of users', 'SELECT anonymized_at FROM users WHERE id = 1', [{ anonymized_at: null }]],
  ['197, of custom fields', 'SELECT entity_type FROM custom_field_definitions', [{ entity_type: 'client' }]],
  [
    '197, of timesheets',
    'SELECT status, secondary_approved_by, secondary_approved_at FROM timesheet_periods',
    [{ status: 'approved', secondary_approved_by: null, secondary_approved_at: null }],
  ],
];

const added = `task_dependencies milestones payroll_export_templates integration_sync_errors activitywatch_rules
  pending_activities recurring_project_costs shared_report_links geofences client_surveys client_messages email_threads
  email_messages payroll_sync_logs oauth_applications oauth_authorization_codes`.split(/\s+/);

describeEngines('the effect of revisions 172 to 198 on existing rows', ({ name, create }) => {
  const here = (rows: readonly FactRow[]): readonly FactRow[] => (name === 'postgresql' ? rows : rows.map(asOnSqlite));
  let stage: Stage;

  beforeAll(async () => {
    stage = await openStageAt(await create(), '171_merge_kanban_feature_heads', everything);
    await stage.migrateTo('198_add_oauth_applications');
  });

  it.each(kept)('%s', async (_revision, question, answer) => {
    expect(await stage.session.query(question)).toEqual(here(answer));
  });

  it('leaves the new tables empty', async () => {
    const counts = added.map((table) => `SELECT '${table}' AS filled FROM ${table}`).join(' UNION ALL ');
    expect(await stage.session.query(counts)).toEqual([]);
  });
});

describePostgres('revision 178 for an enumeration with labels', () => {
  const status = 'SELECT id, status::text AS status FROM time_entry_approvals ORDER BY id';
  const labels = `SELECT enumlabel::text AS label FROM pg_enum WHERE enumtypid = 'approvalstatus'::regtype
    ORDER BY enumsortorder`;
  const approvals = (...states: readonly string[]): string =>
    states
      .map(
        (state, index) => `
        INSERT INTO time_entry_approvals (id, time_entry_id, status, requested_by, requested_at, created_at, updated_at)
        VALUES (${index + 1}, 1, '${state}', 1, '2024-01-01', '2024-01-01', '2024-01-01')`,
      )
      .join(';');
  const someTimeEntry = `${users} ${projects}
    INSERT INTO time_entries (id, user_id, project_id, start_time) VALUES (1, 1, 1, '2024-01-01 08:00:00');`;
  const ofType = (...names: readonly string[]): string => `
    ALTER TABLE time_entry_approvals ALTER COLUMN status DROP DEFAULT;
    ALTER TYPE approvalstatus RENAME TO former;
    CREATE TYPE approvalstatus AS ENUM (${names.map((label) => `'${label}'`).join(', ')});
    ALTER TABLE time_entry_approvals ALTER COLUMN status TYPE approvalstatus USING upper(status::text)::approvalstatus;
    DROP TYPE former;`;
  const capitals = ofType('PENDING', 'APPROVED', 'REJECTED', 'CANCELLED');
  const four = ['pending', 'approved', 'rejected', 'cancelled'];
  const defaultOf = `SELECT pg_get_expr(adbin, adrelid) AS value FROM pg_attrdef JOIN pg_attribute a
    ON a.attrelid = adrelid AND a.attnum = adnum WHERE adrelid = 'time_entry_approvals'::regclass AND attname = 'status'`;

  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage(await createDatabase());
    await stage.migrateTo('177_add_app_base_url');
    await stage.session.run(someTimeEntry);
  });

  interface Converted {
    readonly states: unknown;
    readonly labels: unknown;
    readonly default: unknown;
    readonly answer: unknown;
  }

  /** The result of the revision in a database in which these statements were run first. @param question the query for it */
  async function converted(sql: string, question = 'SELECT 1 AS one'): Promise<Partial<Converted>> {
    let result: Partial<Converted> = {};
    await stage.aside(async () => {
      await stage.session.run(sql);
      await stage.migrateTo('178_fix_approvalstatus_enum_case');
      const column = async (query: string, name: string): Promise<unknown[]> =>
        (await stage.session.query(query)).map((row) => row[name]);
      result = {
        states: await column(status, 'status'),
        labels: await column(labels, 'label'),
        default: (await column(defaultOf, 'value'))[0],
        answer: await stage.session.query(question),
      };
    });
    return result;
  }
  const pending = "'pending'::approvalstatus";

  it.each([
    ['without a default', ''],
    ['with a default in capitals', "ALTER TABLE time_entry_approvals ALTER COLUMN status SET DEFAULT 'PENDING';"],
  ])('all in capitals, %s, converts rows, labels and default to small letters', async (_title, setDefault) => {
    expect(await converted(`${capitals} ${setDefault} ${approvals('PENDING', 'CANCELLED')}`)).toMatchObject({
      states: ['pending', 'cancelled'],
      labels: four,
      default: pending,
    });
  });

  it('partly in capitals converts only the rows and the default in capitals', async () => {
    const result = await converted(
      `${ofType('PENDING', 'APPROVED', 'REJECTED', 'CANCELLED', 'pending', 'approved')}
       ALTER TABLE time_entry_approvals ALTER COLUMN status SET DEFAULT 'PENDING';
       ${approvals('PENDING', 'pending', 'REJECTED', 'APPROVED')}`,
    );
    const states = ['pending', 'pending', 'rejected', 'approved'];
    expect(result).toMatchObject({ states, labels: four, default: pending });
  });

  it('of the owner keeps them, and the rows that have them', async () => {
    const result = await converted(`${ofType('PENDING', 'ESCALATED', 'ON_HOLD')} ${approvals('ESCALATED', 'PENDING')}`);
    const all = [...four, 'escalated', 'on_hold'];
    expect(result).toMatchObject({ states: ['escalated', 'pending'], labels: all, default: pending });
  });

  it('converts other columns of the type, and the objects that depend on them', async () => {
    const result = await converted(
      `${capitals} CREATE TABLE mine (state approvalstatus DEFAULT 'REJECTED', states approvalstatus[]);
       INSERT INTO mine (states) VALUES ('{PENDING,CANCELLED}');
       CREATE INDEX of_mine ON mine (state) WHERE state = 'APPROVED';
       CREATE VIEW waiting AS SELECT id FROM time_entry_approvals WHERE status = 'PENDING';
       ${approvals('PENDING', 'APPROVED')}`,
      'SELECT state::text, states::text, waiting.id FROM mine, waiting',
    );
    expect(result.answer).toEqual([{ state: 'rejected', states: '{pending,cancelled}', id: 1 }]);
  });

  it('leaves a type of this name in another schema alone', async () => {
    const result = await converted(
      `CREATE SCHEMA other; CREATE TYPE other.approvalstatus AS ENUM ('PENDING'); ${approvals('approved')}`,
      "SELECT enumlabel::text AS label FROM pg_enum WHERE enumtypid = 'other.approvalstatus'::regtype",
    );
    expect(result).toMatchObject({ states: ['approved'], labels: four, answer: [{ label: 'PENDING' }] });
  });
});
