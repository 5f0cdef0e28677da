import type { Engine, Row } from '../../../src/model/engine.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { revisions } from '../../../migrations/graph.ts';
import { openSchema } from '../../../src/migration/schema-builder/schema.ts';
import { widenVersionColumn } from '../../../src/migration/version-column.ts';
import { describeEngines } from '../../support/database.ts';
import { seenOnPostgres, seenOnSqlite } from './observed.ts';
import { openStageAt, type Stage } from './test-environment.ts';

const before = '065';
const end = '109_add_pdf_template_date_format';
const position = (id: string): number => revisions.findIndex((revision) => revision.id === id);
const moment = "'2024-01-01 08:00:00'";

const rowsBefore = `
  INSERT INTO users (id, username) VALUES (1, 'ada');
  INSERT INTO settings (id, mail_enabled) VALUES (1, FALSE);
  INSERT INTO clients (id, name) VALUES (1, 'Byron');
  INSERT INTO projects (id, name, client_id) VALUES (1, 'Engine', 1);
  INSERT INTO time_entries (id, user_id, project_id, start_time) VALUES (1, 1, 1, ${moment});
  INSERT INTO comments (id, content, user_id, project_id, created_at, updated_at)
    VALUES (1, 'Well done', 1, 1, ${moment}, ${moment});
  INSERT INTO quotes (id, offer_number, client_id, title, created_by, total_amount) VALUES (7, 'Q-7', 1, 'Mill', 1, 50);
  INSERT INTO saved_report_views (id, name, owner_id, config_json) VALUES (1, 'Week', 1, '{}');
  INSERT INTO report_email_schedules (id, saved_view_id, recipients, cadence, created_by)
    VALUES (1, 1, 'ada@example.org', 'weekly', 1);
  INSERT INTO warehouses (id, name, code, created_at, updated_at, created_by)
    VALUES (1, 'Main', 'M', ${moment}, ${moment}, 1);
  INSERT INTO stock_items (id, sku, name, created_at, updated_at, created_by)
    VALUES (1, 'COG', 'Cog', ${moment}, ${moment}, 1);
  INSERT INTO warehouse_stock (warehouse_id, stock_item_id, quantity_on_hand, created_at, updated_at)
    VALUES (1, 1, 5, ${moment}, ${moment});`;

const rowsAt078 = `
  INSERT INTO badges (id, name, badge_type, criteria, created_at, updated_at)
    VALUES (1, 'First', 'count', '{}', ${moment}, ${moment});
  INSERT INTO user_badges (id, user_id, badge_id, earned_at, metadata) VALUES (1, 1, 1, ${moment}, '{"a":1}');
  INSERT INTO leaderboards (id, name, leaderboard_type, created_at, updated_at)
    VALUES (1, 'Hours', 'hours', ${moment}, ${moment});
  INSERT INTO leaderboard_entries
    (id, leaderboard_id, user_id, rank, score, period_start, period_end, calculated_at, metadata)
    VALUES (1, 1, 1, 1, 2, ${moment}, ${moment}, ${moment}, '{"b":2}');
  INSERT INTO integrations (id, name, provider, user_id, is_active, created_at, updated_at)
    VALUES (1, 'Jira', 'jira', 1, TRUE, ${moment}, ${moment});
  UPDATE settings SET ui_allow_quotes = FALSE, jira_client_id = 'mine';`;

/** Changes that were made to the database without migrations just before a revision. */
const drift = (engine: Engine): readonly (readonly [revision: string, sql: string])[] => [
  [
    '075_custom_fields_link_templates',
    engine === 'sqlite' ? '' : 'ALTER TABLE time_entries RENAME CONSTRAINT time_entries_project_id_fkey TO some_key;',
  ],
  [
    '079_rename_user_badges_metadata',
    `ALTER TABLE user_badges RENAME COLUMN achievement_metadata TO metadata;
     ALTER TABLE leaderboard_entries DROP COLUMN entry_metadata;`,
  ],
  [
    '080_fix_metadata_column_names',
    "ALTER TABLE settings ADD COLUMN xero_client_id VARCHAR(255); UPDATE settings SET xero_client_id = 'mine';",
  ],
  [
    '088_salesman_splitting_reports',
    `INSERT INTO roles (id, name) VALUES (40, 'auditor');
     CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);
     ${engine === 'sqlite' ? '' : 'ALTER TABLE roles ALTER id DROP DEFAULT; DROP SEQUENCE roles_id_seq;'}`,
  ],
  [
    '091_add_integration_external_event_links',
    'ALTER TABLE users DROP COLUMN ui_show_issues; ALTER TABLE clients DROP COLUMN portal_issues_enabled;',
  ],
  [
    '102_add_missing_quotes_template_id',
    'DROP INDEX IF EXISTS ix_offers_offer_number; ALTER TABLE quotes DROP COLUMN offer_number;',
  ],
  [
    '103_add_missing_quotes_quote_number',
    `DROP INDEX ix_quotes_coupon_code; ALTER TABLE quotes DROP COLUMN coupon_code;
     ALTER TABLE quotes DROP COLUMN payment_terms;`,
  ],
  [
    '104_add_missing_quotes_columns',
    engine === 'sqlite'
      ? ''
      : `ALTER TABLE client_notifications RENAME CONSTRAINT client_notifications_client_id_fkey TO some_key;
         ALTER TABLE client_notifications ADD CONSTRAINT fk_client_notifications_client_id
           FOREIGN KEY (client_id) REFERENCES clients(id);`,
  ],
];

describeEngines('what 066 to 109 do to existing rows', ({ name, create }) => {
  const yes = name === 'postgresql' ? true : 1;
  const no = name === 'postgresql' ? false : 0;
  const zero = name === 'postgresql' ? '0.00' : 0;
  let stage: Stage;
  const all = (sql: string): Promise<Row[]> => stage.session.query(sql);

  /** The error of `attempt`, which is rolled back. */
  const refusal = async (attempt: string): Promise<unknown> => {
    await stage.session.run('SAVEPOINT attempt');
    const refused = await stage.session.run(attempt).catch(String);
    await stage.session.run('ROLLBACK TO attempt');
    return refused;
  };

  describe('on a healthy database', () => {
    beforeAll(async () => {
      stage = await openStageAt(await create(), before, rowsBefore);
      await stage.migrateTo('078_system_ui_feature_flags');
      await stage.session.run(rowsAt078);
      await stage.migrateTo(end);
    });

    const effects: readonly (readonly [revisions: string, table: string, row: Row])[] = [
      ['067 and 081', 'settings', { jira_client_id: 'mine', github_client_secret: '', xero_client_secret: '' }],
      ['099', 'settings', { peppol_enabled: null, peppol_access_point_timeout: 30, peppol_provider: 'generic' }],
      ['107', 'settings', { invoice_prefix: 'INV' }],
      ['068 and 074', 'users', { password_hash: null, password_change_required: no }],
      ['077, 092 and 094', 'users', { ui_show_tools: yes, ui_show_issues: yes, ui_show_kiosk: yes }],
      ['075 and 096', 'clients', { custom_fields: null, portal_issues_enabled: yes }],
      ['085', 'projects', { custom_fields: null }],
      ['076', 'time_entries', { project_id: 1, client_id: null }],
      ['083', 'time_entries', { paid: no, invoice_number: null }],
      ['079', 'user_badges', { achievement_metadata: '{"a":1}' }],
      ['079', 'leaderboard_entries', { entry_metadata: '{"b":2}' }],
      ['082', 'integrations', { is_global: no, user_id: 1 }],
      ['088 and 090', 'report_email_schedules', { split_by_salesman: no, salesman_field_name: null }],
      ['090', 'saved_report_views', { iterative_report_generation: no, iterative_custom_field_name: null }],
      ['20250127_000001', 'comments', { user_id: 1, client_contact_id: null, is_client_comment: no }],
      ['102 and 103', 'quotes', { id: 7, quote_number: 'Q-7', template_id: null }],
      ['104', 'quotes', { subtotal: zero, tax_amount: zero, visible_to_client: no }],
      ['106 and 109', 'invoice_pdf_templates', { template_json: null, date_format: '%d.%m.%Y' }],
    ];

    const cells = async (table: string, columns: readonly string[]): Promise<Row | undefined> => {
      const list = columns.map((column) =>
        column.endsWith('metadata') ? `CAST(${column} AS TEXT) AS ${column}` : column,
      );
      return (await all(`SELECT ${list.join(', ')} FROM ${table}`))[0];
    };

    it.for(effects)('%s: %s', async ([, table, row]) => {
      expect(await cells(table, Object.keys(row))).toEqual(row);
    });

    it('invents no lots for existing stock (097)', async () => {
      expect(await all('SELECT * FROM stock_lots')).toEqual([]);
    });

    it('removes the flags of visible modules (093)', async () => {
      const [settings = {}] = await all('SELECT * FROM settings');
      expect(Object.keys(settings).filter((column) => column.startsWith('ui_allow_'))).toEqual([]);
    });

    it('makes required columns of entries, integrations and comments optional (076, 082, 20250127)', async () => {
      const without = `
        INSERT INTO time_entries (id, user_id, client_id, start_time) VALUES (2, 1, 1, ${moment});
        INSERT INTO integrations (id, name, provider, is_active, created_at, updated_at)
          VALUES (2, 'Jira', 'jira', TRUE, ${moment}, ${moment});
        INSERT INTO comments (id, content, project_id, created_at, updated_at) VALUES (2, 'Fine', 1, ${moment}, ${moment})`;
      await stage.session.run('UPDATE time_entries SET end_time = start_time');
      expect(await refusal(without)).toBeUndefined();
    });

    it.runIf(name === 'postgresql')('requires a project or a client for every time entry (076)', async () => {
      const neither = `INSERT INTO time_entries (id, user_id, start_time) VALUES (2, 1, ${moment})`;
      expect(await refusal(neither)).toMatch(/chk_time_entries_project_or_client/);
    });

    it('ends with the same result if everything is run again', async () => {
      const seen = name === 'postgresql' ? seenOnPostgres : seenOnSqlite;
      const once = await seen(stage.session);
      const schema = await openSchema(stage.session);
      for (const revision of revisions.slice(position(before) + 1, position(end) + 1)) {
        const { up } = await revision.load();
        await up({ context: schema });
      }
      await schema.flush();
      expect(await seen(stage.session)).toEqual(once);
      for (const [, table, row] of effects) expect(await cells(table, Object.keys(row))).toEqual(row);
    });
  });

  describe('on a database that drifted', () => {
    beforeAll(async () => {
      stage = await openStageAt(await create(), before, rowsBefore);
      for (const [revision, sql] of drift(name)) {
        await stage.migrateTo(revision);
        await stage.session.run(sql);
      }
      await stage.migrateTo(end);
    });

    it('renames both columns, and adds a missing one (080)', async () => {
      expect(await refusal('SELECT metadata FROM user_badges')).toMatch(/metadata/);
      expect(await all('SELECT achievement_metadata, entry_metadata FROM user_badges, leaderboard_entries')).toEqual(
        [],
      );
    });

    it('keeps stored credentials (081)', async () => {
      const rows = await all('SELECT xero_client_id, google_calendar_client_id FROM settings');
      expect(rows).toEqual([{ xero_client_id: 'mine', google_calendar_client_id: '' }]);
    });

    it('numbers roles and permissions after the last one (089_fix_role_perm_sequences)', async () => {
      expect(await all("INSERT INTO roles (name) VALUES ('guest') RETURNING id")).toEqual([{ id: 41 }]);
      const permission = "INSERT INTO permissions (name, category) VALUES ('look', 'system') RETURNING id";
      expect(await all(permission)).toEqual([{ id: 51 }]);
    });

    it('adds the flags that 048 and 077 did not add (094 to 096)', async () => {
      const rows = await all('SELECT ui_show_issues, portal_issues_enabled FROM users, clients');
      expect(rows).toEqual([{ ui_show_issues: yes, portal_issues_enabled: yes }]);
    });

    it('numbers quotes without a number, and requires a number for new ones (103)', async () => {
      expect(await all('SELECT quote_number FROM quotes')).toEqual([{ quote_number: 'QUO-7' }]);
      const second = "INSERT INTO quotes (client_id, title, created_by) VALUES (1, 'Loom', 1)";
      expect(await refusal(second)).toMatch(/quote_number/);
      expect(await refusal("UPDATE quotes SET quote_number = 'QUO-8'")).toBeUndefined();
    });

    it('completes quotes that lack what 052 and 053 add (104)', async () => {
      const rows = await all('SELECT coupon_code, payment_terms, approval_status FROM quotes');
      expect(rows).toEqual([{ coupon_code: null, payment_terms: null, approval_status: 'not_required' }]);
    });

    it.runIf(name === 'postgresql')('replaces foreign keys with any names (076, 105)', async () => {
      const keys = await all(`
        SELECT k.conname::text AS name, pg_get_constraintdef(k.oid) AS definition
        FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
        WHERE k.contype = 'f' AND (k.conrelid::regclass::text, a.attname) IN
          (('time_entries', 'project_id'), ('client_notifications', 'client_id')) ORDER BY name`);
      expect(keys).toEqual([
        {
          name: 'fk_client_notifications_client_id',
          definition: 'FOREIGN KEY (client_id) REFERENCES clients(id) ON DELETE CASCADE',
        },
        {
          name: 'fk_time_entries_project_id',
          definition: 'FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE',
        },
      ]);
    });

    it.runIf(name === 'postgresql')('widens the version column and never narrows it (090, 091, 096)', async () => {
      const widths: unknown[] = [];
      for (const width of [200, 255, 50]) {
        await widenVersionColumn(stage.session, width);
        const [row] = await all(`
          SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute
          WHERE attrelid = 'alembic_version'::regclass AND attname = 'version_num'`);
        widths.push(row?.['type']);
      }
      expect(widths).toEqual(Array(3).fill('character varying(255)'));
      await stage.session.run('ALTER TABLE alembic_version ALTER version_num TYPE VARCHAR(32)');
      await widenVersionColumn(stage.session, 50);
      await stage.session.run(`INSERT INTO alembic_version VALUES ('${'x'.repeat(50)}')`);
      expect(await refusal(`INSERT INTO alembic_version VALUES ('${'x'.repeat(51)}')`)).toMatch(/too long/);
    });
  });
});
