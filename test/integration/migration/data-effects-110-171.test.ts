import { beforeAll, describe, expect, it } from 'vitest';
import { describeEngines } from '../../support/database.ts';
import { asOnSqlite } from './observed.ts';
import type { FactRow } from './history.ts';
import { openStage, openStageAt, type Stage } from './test-environment.ts';

const users = `INSERT INTO users (id, username, role) VALUES (1, 'ada', 'user'), (2, 'bob', 'admin'), (3, 'eve', 'user');`;
const client = "INSERT INTO clients (id, name) VALUES (1, 'Ada');";
const quotes = `${users} ${client}
  INSERT INTO quotes (id, quote_number, client_id, title, created_by) VALUES (1, 'Q-1', 1, 'One', 1), (2, 'Q-2', 1, 'Two', 1);
  INSERT INTO quote_items (id, quote_id, description, unit_price, total_amount)
    VALUES (9, 1, 'third', 1, 1), (2, 1, 'first', 1, 1), (5, 1, 'second', 1, 1), (4, 2, 'first', 1, 1);`;
const everything = `${quotes}
  UPDATE users SET oidc_sub = 'sub', oidc_issuer = 'https://id', date_format = 'DD.MM.YYYY' WHERE id = 1;
  INSERT INTO settings (id, mail_enabled) VALUES (1, FALSE);
  INSERT INTO projects (id, name, client_id) VALUES (1, 'Engine', 1);
  INSERT INTO tasks (id, project_id, name, created_by, created_at, updated_at)
    VALUES (1, 1, 'Think', 1, '2024-01-01', '2024-01-01');
  INSERT INTO time_entries (id, user_id, project_id, start_time) VALUES (1, 1, 1, '2024-01-01 08:00:00');
  INSERT INTO weekly_time_goals (id, user_id, target_hours, week_start_date, week_end_date, created_at, updated_at)
    VALUES (1, 1, 40, '2024-01-01', '2024-01-07', '2024-01-01', '2024-01-01');`;
const workday = `INSERT INTO workday_sessions (id, user_id, start_time, end_time, duration_seconds, created_at, updated_at)
  VALUES (1, 1, '2024-01-01 08:00:00', '2024-01-01 09:00:00', 3600, '2024-01-01', '2024-01-01');`;

/** Revision, query and result: rows from before 110 after all revisions. */
const kept: readonly (readonly [string, string, readonly FactRow[]])[] = [
  [
    '110, 112, 118 to 138',
    `SELECT disabled_module_ids, modules_disabled, invoices_peppol_compliant, locked_client_id, date_format, time_format,
       system_instance_id, time_entry_description_min_length, default_daily_working_hours, break_after_hours_1,
       break_minutes_2, peppol_transport_mode FROM settings`,
    [
      {
        disabled_module_ids: null,
        modules_disabled: null,
        invoices_peppol_compliant: false,
        locked_client_id: null,
        date_format: 'YYYY-MM-DD',
        time_format: '24h',
        system_instance_id: null,
        time_entry_description_min_length: 20,
        default_daily_working_hours: 8,
        break_after_hours_1: 6,
        break_minutes_2: 45,
        peppol_transport_mode: 'generic',
      },
    ],
  ],
  [
    '115',
    'SELECT target_hours, exclude_weekends FROM weekly_time_goals WHERE NOT exclude_weekends',
    [{ target_hours: 40, exclude_weekends: false }],
  ],
  [
    '120',
    'SELECT date_format, time_format FROM users WHERE id < 3 ORDER BY id',
    [
      { date_format: 'DD.MM.YYYY', time_format: '24h' },
      { date_format: 'YYYY-MM-DD', time_format: '24h' },
    ],
  ],
  [
    '121, 126, 134, 135 and 150',
    `SELECT ui_show_donate, overtime_include_weekends, overtime_calculation_mode, notification_remind_to_log,
       smart_notify_no_tracking FROM users WHERE ui_show_donate AND id = 1`,
    [
      {
        ui_show_donate: true,
        overtime_include_weekends: true,
        overtime_calculation_mode: 'daily',
        notification_remind_to_log: false,
        smart_notify_no_tracking: true,
      },
    ],
  ],
  ['137', 'SELECT break_seconds, paused_at FROM time_entries', [{ break_seconds: 0, paused_at: null }]],
  [
    '146 and 147',
    'SELECT quote_id, description, position, line_kind FROM quote_items ORDER BY quote_id, position',
    [
      { quote_id: 1, description: 'first', position: 0, line_kind: 'item' },
      { quote_id: 1, description: 'second', position: 1, line_kind: 'item' },
      { quote_id: 1, description: 'third', position: 2, line_kind: 'item' },
      { quote_id: 2, description: 'first', position: 0, line_kind: 'item' },
    ],
  ],
  [
    '152 to 154',
    `SELECT id, two_factor_enabled, auth_provider, smart_notify_break_reminder, smart_notify_break_interval_minutes,
       smart_notify_end_of_day, smart_notify_end_of_day_time FROM users WHERE NOT two_factor_enabled ORDER BY id`,
    [1, 2, 3].map((id) => ({
      id,
      two_factor_enabled: false,
      auth_provider: 'local',
      smart_notify_break_reminder: false,
      smart_notify_break_interval_minutes: 60,
      smart_notify_end_of_day: false,
      smart_notify_end_of_day_time: null,
    })),
  ],
  ['154, of a dismissal', 'SELECT local_date FROM user_smart_notification_dismissals', [{ local_date: '2024-01-01' }]],
  [
    '157',
    'SELECT clients.created_by AS client, projects.created_by AS project FROM clients, projects',
    [{ client: null, project: null }],
  ],
  [
    '158',
    `SELECT daily_hour_limit, weekly_hour_limit, hour_limit_enforcement, hour_limit_email_enabled, hour_limits_enabled
       FROM settings WHERE hour_limits_enabled`,
    [
      {
        daily_hour_limit: 10,
        weekly_hour_limit: 48,
        hour_limit_enforcement: 'soft_email',
        hour_limit_email_enabled: true,
        hour_limits_enabled: true,
      },
    ],
  ],
  [
    '163 and 165',
    'SELECT portal_only, notification_missed_clock_in FROM users WHERE id = 1',
    [{ portal_only: false, notification_missed_clock_in: false }],
  ],
  [
    '164',
    `SELECT (SELECT count(*) FROM workday_sessions) = 1 AS sessions, count(*) = 0 AS no_records
       FROM daily_attendance_records`,
    [{ sessions: true, no_records: true }],
  ],
  [
    '164, of the settings',
    'SELECT compliance_enabled, compliance_standard_weekly_hours FROM settings',
    [{ compliance_enabled: false, compliance_standard_weekly_hours: 38 }],
  ],
  ['168', "SELECT wip_limit FROM kanban_columns WHERE key = 'todo'", [{ wip_limit: null }]],
];

const dashboards = (rows: string): string => `${users} ${client}
  CREATE TABLE client_portal_dashboard_preferences (
    id INTEGER NOT NULL PRIMARY KEY, client_id INTEGER NOT NULL, user_id INTEGER, widget_ids JSON NOT NULL,
    created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP NOT NULL);
  INSERT INTO client_portal_dashboard_preferences (id, client_id, user_id, widget_ids, created_at, updated_at)
  VALUES ${rows}`;
const dashboard = (id: number): string => `(${id}, 1, 1, '[]', '2024-01-01', '2024-01-01')`;

const viewGrantsOf = (role: string): string => `
  SELECT permissions.name FROM role_permissions JOIN roles ON roles.id = role_id
    JOIN permissions ON permissions.id = permission_id
  WHERE roles.name = '${role}' AND category IN ('projects', 'clients') AND permissions.name LIKE 'view%'
  ORDER BY permissions.name`;
const names = (...list: readonly string[]): readonly FactRow[] => list.map((name) => ({ name }));

const ownerOfTemplates = 'SELECT created_by, count(*) = 5 AS five FROM workflow_templates GROUP BY created_by';

interface Case {
  readonly what: string;
  /** The revision at which the rows and changes are inserted. */
  readonly at: string;
  readonly rows: string;
  /** The last applied revision. */
  readonly to: string;
  readonly question: string;
  readonly answer: readonly FactRow[];
  readonly only?: 'postgresql';
}

/** In the order of the graph. */
const cases: readonly Case[] = [
  {
    what: 'puts the check on time entries in place where it is missing',
    at: '100_gantt_colors_modules',
    rows: 'ALTER TABLE time_entries DROP CONSTRAINT chk_time_entries_project_or_client',
    to: '089_allow_auto_entries_no_project',
    question: "SELECT count(*)::int AS checks FROM pg_constraint WHERE conname = 'chk_time_entries_project_or_client'",
    answer: [{ checks: 1 }],
    only: 'postgresql',
  },
  {
    what: 'lets users have a calendar colour already',
    at: '116_merge_three_heads',
    rows: `${users} ALTER TABLE users ADD COLUMN calendar_color_tasks VARCHAR(7) DEFAULT '#123456'`,
    to: '117_add_user_calendar_type_colors',
    question: 'SELECT calendar_color_events, calendar_color_tasks FROM users WHERE id = 1',
    answer: [{ calendar_color_events: null, calendar_color_tasks: '#123456' }],
  },
  {
    what: 'uses an enumeration type that is there without its table',
    at: '131_add_donation_variant',
    rows: "CREATE TYPE timesheetperiodstatus AS ENUM ('draft', 'submitted', 'approved', 'rejected', 'closed')",
    to: '132_add_timesheet_governance_and_time_off',
    question: "SELECT to_regclass('timesheet_periods')::text AS table",
    answer: [{ table: 'timesheet_periods' }],
    only: 'postgresql',
  },
  {
    what: 'adds the leave type for overtime beside others',
    at: '135_remind_to_log',
    rows: "INSERT INTO leave_types (name, code) VALUES ('Holiday', 'OVERTIME')",
    to: '136_seed_overtime_leave_type',
    question: 'SELECT name, code, is_paid, enabled FROM leave_types ORDER BY id',
    answer: [
      { name: 'Holiday', code: 'OVERTIME', is_paid: true, enabled: true },
      { name: 'Overtime', code: 'overtime', is_paid: true, enabled: true },
    ],
  },
  {
    what: 'leaves a leave type for overtime as it is',
    at: '135_remind_to_log',
    rows: "INSERT INTO leave_types (name, code, is_paid) VALUES ('Mine', 'overtime', FALSE)",
    to: '136_seed_overtime_leave_type',
    question: 'SELECT name, is_paid FROM leave_types',
    answer: [{ name: 'Mine', is_paid: false }],
  },
  {
    what: 'adds the rule for dashboards to a table that was made without it',
    at: '139_keyboard_shortcuts',
    rows: dashboards(dashboard(1)),
    to: '140_client_portal_dashboard_prefs',
    question: `INSERT INTO client_portal_dashboard_preferences VALUES ${dashboard(2)}
      ON CONFLICT (client_id, user_id) DO NOTHING RETURNING id`,
    answer: [],
  },
  {
    what: 'does without the rule for dashboards where rows break it',
    at: '139_keyboard_shortcuts',
    rows: dashboards(`${dashboard(1)}, ${dashboard(2)}`),
    to: '140_client_portal_dashboard_prefs',
    question: 'SELECT id FROM client_portal_dashboard_preferences ORDER BY id',
    answer: [{ id: 1 }, { id: 2 }],
  },
  {
    what: 'keeps an order of quote items that is there',
    at: '145_add_quotes_requires_approval',
    rows: `${quotes} ALTER TABLE quote_items ADD COLUMN position INTEGER; UPDATE quote_items SET position = 10 - id`,
    to: '146_add_quote_item_position',
    question: 'SELECT position FROM quote_items WHERE quote_id = 1 ORDER BY id',
    answer: [{ position: 8 }, { position: 5 }, { position: 1 }],
  },
  {
    what: 'fills kinds of quote items that are empty, and only those',
    at: '146_add_quote_item_position',
    rows: `${quotes} ALTER TABLE quote_items ADD COLUMN line_kind VARCHAR(20);
      UPDATE quote_items SET line_kind = '' WHERE id = 2; UPDATE quote_items SET line_kind = 'expense' WHERE id = 9`,
    to: '147_add_quote_item_line_kind',
    question: 'SELECT line_kind FROM quote_items ORDER BY id',
    answer: [{ line_kind: 'item' }, { line_kind: 'item' }, { line_kind: 'item' }, { line_kind: 'expense' }],
  },
  {
    what: 'gives workflow templates to the first user who is an administrator, by role or by link',
    at: '151_add_ai_helper_settings',
    rows: `INSERT INTO users (id, username, role) VALUES (1, 'a', 'user'), (2, 'b', 'user'), (3, 'c', 'admin');
      INSERT INTO user_roles (user_id, role_id) VALUES (1, 4), (2, 1)`,
    to: '161_add_workflow_templates',
    question: ownerOfTemplates,
    answer: [{ created_by: 2, five: true }],
  },
  {
    what: 'writes workflow templates as they are used, their lists as JSON',
    at: '151_add_ai_helper_settings',
    rows: users,
    to: '161_add_workflow_templates',
    question: `SELECT name, trigger_type, CAST(tags AS TEXT) AS tags, CAST(trigger_conditions AS TEXT) AS conditions,
      CAST(actions AS TEXT) AS actions, is_public, usage_count, created_at = updated_at AS new
      FROM workflow_templates WHERE category = 'Tasks' ORDER BY id`,
    answer: [
      {
        name: 'Notify on task completion',
        trigger_type: 'task_completed',
        tags: '["tasks", "notifications"]',
        conditions: '[]',
        actions:
          '[{"type": "send_notification", "title": "Task completed", "message": "{{task.name}} has been completed."}]',
        is_public: true,
        usage_count: 0,
        new: true,
      },
      {
        name: 'Assign task on status change',
        trigger_type: 'task_status_change',
        tags: '["tasks", "assignment"]',
        conditions: '[{"field": "status", "operator": "==", "value": "in_progress"}]',
        actions: '[{"type": "assign_task", "task_id": "{{task.id}}", "user_id": "{{user_id}}"}]',
        is_public: true,
        usage_count: 0,
        new: true,
      },
    ],
  },
  {
    what: 'gives workflow templates to the first user if there is no administrator',
    at: '151_add_ai_helper_settings',
    rows: "INSERT INTO users (id, username, role) VALUES (5, 'joe', 'user'), (4, 'eve', 'manager')",
    to: '161_add_workflow_templates',
    question: ownerOfTemplates,
    answer: [{ created_by: 4, five: true }],
  },
  {
    what: 'adds no workflow templates without a user',
    at: '151_add_ai_helper_settings',
    rows: '',
    to: '161_add_workflow_templates',
    question: ownerOfTemplates,
    answer: [],
  },
  {
    what: 'adds no workflow templates to a table that lacks their names',
    at: '151_add_ai_helper_settings',
    rows: `${users} CREATE TABLE workflow_templates (id INTEGER NOT NULL PRIMARY KEY, created_by INTEGER)`,
    to: '161_add_workflow_templates',
    question: ownerOfTemplates,
    answer: [],
  },
  {
    what: 'derives no attendance where there are records',
    at: '151_add_ai_helper_settings',
    rows: 'CREATE TABLE daily_attendance_records (id INTEGER NOT NULL PRIMARY KEY, user_id INTEGER, work_date DATE)',
    to: '164_add_attendance_compliance',
    question: 'SELECT id FROM attendance_work_periods',
    answer: [],
  },
  {
    what: 'lets viewers see what is their own instead of everything',
    at: '156_add_user_theme_columns',
    rows: '',
    to: '157_add_project_client_created_by',
    question: viewGrantsOf('viewer'),
    answer: names('view_own_clients', 'view_own_projects'),
  },
  {
    what: 'lets managers see everything',
    at: '156_add_user_theme_columns',
    rows: '',
    to: '157_add_project_client_created_by',
    question: viewGrantsOf('manager'),
    answer: names('view_all_clients', 'view_all_projects', 'view_clients', 'view_projects'),
  },
  {
    what: 'gives super administrators nothing, as the application did',
    at: '156_add_user_theme_columns',
    rows: '',
    to: '157_add_project_client_created_by',
    question: viewGrantsOf('super_admin'),
    answer: names('view_clients', 'view_projects'),
  },
  {
    what: 'leaves a role with another name alone',
    at: '156_add_user_theme_columns',
    rows: "UPDATE roles SET name = 'guest' WHERE name = 'viewer'",
    to: '157_add_project_client_created_by',
    question: viewGrantsOf('guest'),
    answer: names('view_clients', 'view_projects'),
  },
  {
    what: 'takes a permission that is there and grants it once',
    at: '156_add_user_theme_columns',
    rows: `INSERT INTO permissions (name, category) VALUES ('view_own_projects', 'mine');
      INSERT INTO role_permissions (role_id, permission_id)
      SELECT 4, id FROM permissions WHERE name = 'view_own_projects'`,
    to: '157_add_project_client_created_by',
    question: `SELECT category, (SELECT count(*) FROM role_permissions WHERE permission_id = id AND role_id = 4) = 1 AS once
      FROM permissions WHERE name = 'view_own_projects'`,
    answer: [{ category: 'mine', once: true }],
  },
  {
    what: 'ends a half-done step over creators',
    at: '156_add_user_theme_columns',
    rows: `${client} ALTER TABLE clients ADD COLUMN created_by INTEGER; UPDATE clients SET created_by = 7`,
    to: '157_add_project_client_created_by',
    question: 'SELECT created_by FROM clients',
    answer: [{ created_by: 7 }],
  },
];

describeEngines('what revisions 110 to 171 do', ({ name, create }) => {
  const onPostgres = name === 'postgresql';
  const here = (rows: readonly FactRow[]): readonly FactRow[] => (onPostgres ? rows : rows.map(asOnSqlite));

  describe('for existing rows', () => {
    let stage: Stage;

    beforeAll(async () => {
      stage = await openStageAt(await create(), '109_add_pdf_template_date_format', everything);
      await stage.migrateTo('153_add_user_auth_provider');
      await stage.session.run(`INSERT INTO user_smart_notification_dismissals (user_id, local_date, kind, dismissed_at)
        VALUES (1, '2024-01-01', 'summary', '2024-01-01')`);
      await stage.migrateTo('163_deleted_usernames_and_portal_only');
      await stage.session.run(workday);
      await stage.migrateTo('171_merge_kanban_feature_heads');
    });

    it.each(kept)('%s', async (_revision, question, answer) => {
      expect(await stage.session.query(question)).toEqual(here(answer));
    });

    /** The error of a statement, which is always rolled back. */
    const rejection = async (sql: string): Promise<string | undefined> => {
      await stage.session.run('SAVEPOINT attempt');
      const error: unknown = await stage.session.run(sql).catch((reason: unknown) => reason);
      await stage.session.run('ROLLBACK TO SAVEPOINT attempt');
      return error instanceof Error ? error.message : undefined;
    };
    const withoutDefault = {
      two_factor_enabled: 'FALSE',
      auth_provider: "'local'",
      smart_notify_break_reminder: 'FALSE',
      smart_notify_break_interval_minutes: '60',
      smart_notify_end_of_day: 'FALSE',
    };
    const newUser = (columns: readonly (readonly [string, string])[]): string => `
      INSERT INTO users (id, username, date_format, ${columns.map(([column]) => column).join(', ')})
      VALUES (99, 'new', NULL, ${columns.map(([, value]) => value).join(', ')})`;

    it.each(Object.keys(withoutDefault))('152 to 154: a new user must set %s', async (missing) => {
      const columns = Object.entries(withoutDefault).filter(([column]) => column !== missing);
      expect(await rejection(newUser(columns))).toContain(missing);
    });

    it('120: a new user may have no date format', async () => {
      expect(await rejection(newUser(Object.entries(withoutDefault)))).toBeUndefined();
    });

    const entry = (source: string): string =>
      `INSERT INTO time_entries (id, user_id, start_time, end_time, source) VALUES (99, 1, '2024-01-01', '2024-01-02', '${source}')`;

    it('089_allow_auto_entries_no_project: an entry without project and client is automatic', async () => {
      expect(await rejection(entry('auto'))).toBeUndefined();
      // SQLite has no such check, as in the application.
      const reason = (await rejection(entry('manual'))) ?? '';
      expect(reason.includes('chk_time_entries_project_or_client')).toBe(onPostgres);
    });

    it('140: a user has one dashboard for each client', async () => {
      const insert =
        'INSERT INTO client_portal_dashboard_preferences (id, client_id, user_id, widget_ids, created_at, updated_at)';
      expect(await rejection(`${insert} VALUES ${dashboard(1)}`)).toBeUndefined();
      expect(await rejection(`${insert} VALUES ${dashboard(1)}, ${dashboard(2)}`)).toMatch(/unique/i);
    });

    it('166: a Slack account belongs to one user', async () => {
      expect(await rejection("UPDATE users SET slack_user_id = 'U1'")).toMatch(/unique/i);
    });
  });

  describe('for existing objects', () => {
    let stage: Stage;
    let reached: string;
    beforeAll(async () => void (stage = await openStage(await create())));

    it.for(cases)('$what', async ({ at, rows, to, question, answer, only }, context) => {
      context.skip(only !== undefined && only !== name, 'SQLite has neither checks nor enumeration types here');
      if (at !== reached) await stage.migrateTo((reached = at));
      await stage.aside(async () => {
        await stage.session.run(rows);
        await stage.migrateTo(to);
        expect(await stage.session.query(question)).toEqual(here(answer));
      });
    });
  });
});
