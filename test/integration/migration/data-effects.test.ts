import type { Row } from '../../../src/model/engine.ts';
import { describe, expect, it } from 'vitest';
import { describeEngines } from '../../support/database.ts';
import { openStageAt, type Stage } from './test-environment.ts';

/** The cells of one column, in order. */
const column = (rows: readonly Row[], name: string): unknown[] => rows.map((row) => row[name]);

describeEngines('what a revision does to existing rows', ({ name, create }) => {
  const databaseAt = async (revision: string, rows: string): Promise<Stage> =>
    openStageAt(await create(), revision, rows);
  const yes = name === 'postgresql' ? true : 1;
  const no = name === 'postgresql' ? false : 0;
  const decimal = (text: string): unknown => (name === 'postgresql' ? text : Number(text));

  const client = "INSERT INTO clients (id, name) VALUES (1, 'Ada');";
  const invoice = `${client}
    INSERT INTO invoices (id, invoice_number, client_id, issue_date, due_date, status, total)
    VALUES (1, 'A-1', 1, '2024-01-01', '2024-02-01', 'paid', 123.45);`;

  describe('001 to 008', () => {
    it('keeps existing values and fills new columns with their defaults', async () => {
      const stage = await databaseAt('001', `${invoice} INSERT INTO settings (id) VALUES (1);`);
      await stage.migrateTo('008');
      const [settings] = await stage.session.query('SELECT * FROM settings');
      expect(settings).toMatchObject({ backup_time: '02:00', company_tax_id: '', invoice_start_number: 1000 });
      const [row] = await stage.session.query('SELECT * FROM invoices');
      expect(row).toMatchObject({ invoice_number: 'A-1', client_name: '', client_email: null });
    });

    it('leaves total_amount at 0, as in the application', async () => {
      const stage = await databaseAt('007', invoice);
      await stage.migrateTo('008');
      const rows = await stage.session.query('SELECT total, total_amount FROM invoices');
      expect(rows).toEqual([{ total: decimal('123.45'), total_amount: decimal('0.00') }]);
    });
  });

  describe('010', () => {
    const timers = `${client}
      INSERT INTO users (id, username) VALUES (1, 'ada'), (2, 'bob');
      INSERT INTO projects (id, name, client_id) VALUES (1, 'Engine', 1);
      INSERT INTO time_entries (id, user_id, project_id, start_time, end_time, updated_at) VALUES
        (1, 1, 1, '2024-01-01 08:00:00', '2024-01-01 09:00:00', '2024-01-01 10:00:00'),
        (2, 1, 1, '2024-01-02 08:00:00', NULL, '2024-01-01 10:00:00'),
        (3, 1, 1, '2024-01-03 08:00:00', NULL, '2024-01-01 10:00:00'),
        (4, 1, 1, '2024-01-03 08:00:00', NULL, '2024-01-01 10:00:00'),
        (5, 2, 1, '2024-01-01 08:00:00', NULL, '2024-01-01 10:00:00');`;

    it('ends all timers of a user except the newest at their start, and changes nothing else', async () => {
      const stage = await databaseAt('009', timers);
      await stage.migrateTo('010');
      const rows = await stage.session.query('SELECT * FROM time_entries ORDER BY id');
      expect(column(rows, 'end_time')).toEqual([
        '2024-01-01 09:00:00',
        '2024-01-02 08:00:00',
        '2024-01-03 08:00:00',
        null,
        null,
      ]);
      expect(new Set(column(rows, 'updated_at'))).toEqual(new Set(['2024-01-01 10:00:00']));
      expect(new Set(column(rows, 'duration_seconds'))).toEqual(new Set([null]));
    });

    it('prevents a second timer', async () => {
      const stage = await databaseAt('009', timers);
      await stage.migrateTo('010');
      const second = "INSERT INTO time_entries (user_id, project_id, start_time) VALUES (2, 1, '2024-01-05 08:00:00')";
      await expect(stage.session.run(second)).rejects.toThrow(/unique/i);
    });
  });

  describe('014', () => {
    it('derives the payment from the status', async () => {
      const stage = await databaseAt(
        '013',
        `${client}
        INSERT INTO invoices (id, invoice_number, client_id, issue_date, due_date, status, total_amount) VALUES
          (1, 'A-1', 1, '2024-01-01', '2024-02-01', 'paid', 100),
          (2, 'A-2', 1, '2024-01-01', '2024-02-01', 'PAID', 200),
          (3, 'A-3', 1, '2024-01-01', '2024-02-01', 'paid', 0),
          (4, 'A-4', 1, '2024-01-01', '2024-02-01', 'draft', 300);`,
      );
      await stage.migrateTo('014');
      const rows = await stage.session.query(
        `SELECT payment_status, amount_paid, coalesce(payment_date = CURRENT_DATE, FALSE) AS today
         FROM invoices ORDER BY id`,
      );
      expect(rows.map((row) => [row['payment_status'], Number(row['amount_paid']), row['today']])).toEqual([
        ['fully_paid', 100, yes],
        ['unpaid', 0, no],
        ['fully_paid', 0, yes],
        ['unpaid', 0, no],
      ]);
    });

    it('derives nothing if the column of the status exists already', async () => {
      const stage = await databaseAt(
        '013',
        `${invoice} ALTER TABLE invoices ADD COLUMN payment_status VARCHAR(20) NOT NULL DEFAULT 'unpaid';`,
      );
      await stage.migrateTo('014');
      const rows = await stage.session.query('SELECT payment_status, payment_date FROM invoices');
      expect(rows).toEqual([{ payment_status: 'unpaid', payment_date: null }]);
    });
  });

  describe('016 to 027', () => {
    it('sets the euro for existing invoices, and requires a currency for new ones', async () => {
      const stage = await databaseAt('013', invoice);
      await stage.migrateTo('017');
      const rows = await stage.session.query('SELECT currency_code, template_id FROM invoices');
      expect(rows).toEqual([{ currency_code: 'EUR', template_id: null }]);
      const withoutCurrency = `INSERT INTO invoices (invoice_number, client_id, issue_date, due_date, payment_status)
        VALUES ('A-2', 1, '2024-01-01', '2024-02-01', 'unpaid')`;
      await expect(stage.session.run(withoutCurrency)).rejects.toThrow(/currency_code/);
    });

    it('sets the preferences of existing users, as real booleans', async () => {
      const stage = await databaseAt('021', "INSERT INTO users (username) VALUES ('ada');");
      await stage.migrateTo('027');
      expect(await stage.session.query('SELECT * FROM users WHERE email_notifications')).toMatchObject([
        {
          notification_overdue_invoices: yes,
          notification_task_assigned: yes,
          notification_task_comments: yes,
          notification_weekly_summary: no,
          date_format: 'YYYY-MM-DD',
          time_format: '24h',
          week_start_day: 1,
          timezone: null,
          time_rounding_enabled: yes,
          time_rounding_minutes: 1,
          time_rounding_method: 'nearest',
        },
      ]);
    });
  });

  describe('030', () => {
    const users =
      "INSERT INTO users (id, username, role) VALUES (1, 'ada', 'admin'), (2, 'bob', 'user'), (3, 'eve', 'Admin'), (4, 'joe', 'manager');";

    it('gives administrators and users the role of that name, and nobody else a role', async () => {
      const stage = await databaseAt('029', users);
      await stage.migrateTo('030');
      const rows = await stage.session.query('SELECT user_id, role_id FROM user_roles ORDER BY user_id');
      expect(rows).toEqual([
        { user_id: 1, role_id: 2 },
        { user_id: 2, role_id: 4 },
      ]);
    });

    it('numbers the next role and permission after its own rows', async () => {
      const stage = await databaseAt('029', users);
      await stage.migrateTo('030');
      const roles = await stage.session.query("INSERT INTO roles (name) VALUES ('auditor') RETURNING id");
      const permissions = await stage.session.query(
        "INSERT INTO permissions (name, category) VALUES ('audit', 'system') RETURNING id",
      );
      expect([...column(roles, 'id'), ...column(permissions, 'id')]).toEqual([6, 51]);
    });
  });
});
