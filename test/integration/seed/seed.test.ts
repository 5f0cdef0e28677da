import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type SeededTable, seededTables } from '../../../src/seed/tables.ts';
import { createSqliteDatabase, describeEngines } from '../../support/database.ts';
import { start } from '../../support/run.ts';
import { waitForOutput } from '../../support/wait-for-output.ts';
import { snapshot } from '../../support/snapshot.ts';
import { dbInit, withSession } from '../upgrade/release-database.ts';
import { column, countsIn, faultsIn, few, more, seed } from './seeds.ts';

const defaults: Readonly<Record<SeededTable, number>> = {
  // the four users, and an administrator because there was no user
  users: 5,
  clients: 20,
  projects: 80,
  tasks: 960,
  time_entries: 1500,
  // four of the seven come with the schema
  expense_categories: 3,
  expenses: 50,
  comments: 80,
  warehouses: 3,
  stock_items: 15,
  warehouse_stock: 45,
  // an opening movement for each level, and forty
  stock_movements: 85,
  currencies: 2,
  tax_rules: 2,
  invoices: 25,
  invoice_items: 49,
  payments: 20,
};

const nothing = Object.fromEntries(seededTables.map((table) => [table, 0]));

describeEngines('seed', ({ create }) => {
  const fresh = async (): Promise<string> => {
    const { url } = await create();
    expect((await dbInit([], url)).exitCode).toBe(0);
    return url;
  };

  it('says before it writes that rows are there already, and that it only adds', async () => {
    const url = await fresh();
    const first = await seed(url, few);
    expect([first.exitCode, first.all]).toEqual([0, expect.not.stringContaining('holds rows already')]);
    const second = await seed(url, few);
    expect(second.exitCode).toBe(0);
    expect(second.stdout).toMatch(/holds rows already \(clients: 2, projects: 4, .*It deletes no row/);
    expect(second.stdout.indexOf('holds rows already')).toBeLessThan(second.stdout.indexOf('nothing was added'));
  });

  describe('with its defaults', () => {
    let url: string;
    let before: Readonly<Record<string, number>>;
    let first: Awaited<ReturnType<typeof seed>>;
    beforeAll(async () => {
      url = await fresh();
      before = await countsIn(url);
      first = await seed(url, ['--json']);
    });

    it('adds the documented numbers of rows, and prints them', async () => {
      expect(first.exitCode, first.all).toBe(0);
      expect(JSON.parse(first.stdout)).toEqual({ ...defaults, exitCode: 0 });
      const added = Object.entries(await countsIn(url)).map(([table, rows]) => [table, rows - (before[table] ?? 0)]);
      expect(Object.fromEntries(added)).toEqual(defaults);
    });

    it('makes consistent rows', async () => {
      expect(await faultsIn(url)).toEqual({});
    });

    it('makes entries within the working day, with the right duration', async () => {
      const sql = "SELECT start_time || '|' || end_time || '|' || duration_seconds AS x FROM time_entries";
      const odd = (await withSession(url, (session) => column(session, sql))).filter((line) => {
        const [begin = '', end = '', seconds] = line.split('|');
        const [from, to] = [new Date(`${begin.slice(0, 19)}Z`), new Date(`${end.slice(0, 19)}Z`)];
        const weekend = [0, 6].includes(from.getUTCDay());
        const late =
          from.getUTCHours() < 8 || end.slice(11, 19) > '18:00:00' || begin.slice(0, 10) !== end.slice(0, 10);
        return (
          weekend || late || (to.getTime() - from.getTime()) / 1000 !== Number(seconds) || to.getTime() > Date.now()
        );
      });
      expect(odd).toEqual([]);
    });

    it('writes truth values and times in the form of the application', async () => {
      await withSession(url, async (session) => {
        const [entry = ''] = await column(session, 'SELECT CAST(start_time AS TEXT) AS x FROM time_entries');
        expect(entry).toMatch(session.engine === 'sqlite' ? /:00\.000000$/ : /:00$/);
        if (session.engine !== 'sqlite') return;
        for (const table of seededTables) {
          const flags = await column(
            session,
            `SELECT name AS x FROM pragma_table_info('${table}') WHERE type = 'BOOLEAN'`,
          );
          for (const flag of flags) {
            const types = `SELECT typeof(${flag}) AS x FROM ${table} WHERE id IS NOT NULL AND typeof(${flag}) = 'text'`;
            // expense categories of the schema itself keep what their migration wrote
            const sql = table === 'currencies' ? types.replace('id IS NOT NULL AND', '') : types;
            expect({ table, flag, texts: await column(session, sql) }).toEqual({ table, flag, texts: [] });
          }
        }
      });
    });

    it('adds nothing the second time, and changes nothing', async () => {
      const state = await snapshot(url, { withoutSequences: true });
      const second = await seed(url, ['--json']);
      expect(second.exitCode, second.all).toBe(0);
      expect(JSON.parse(second.stdout)).toEqual({ ...nothing, exitCode: 0 });
      expect((await seed(url, ['--seed', '2'])).stdout).toContain('nothing was added');
      expect(await snapshot(url, { withoutSequences: true })).toBe(state);
    });

    it('leaves a database that the gate calls healthy', async () => {
      expect((await dbInit(['verify'], url)).exitCode).toBe(0);
    });

    it('lets the application continue its numbering', async () => {
      await withSession(url, async (session) => {
        await session.query(
          "INSERT INTO clients (name, status, created_at, updated_at) VALUES ('Next', 'active', $1, $1)",
          ['2025-01-01 00:00:00'],
        );
        expect(await column(session, "SELECT id AS x FROM clients WHERE name = 'Next'")).toEqual(['21']);
      });
    });
  });

  it('adds only the new rows for larger numbers', async () => {
    const url = await fresh();
    const first = await seed(url, [...few, '--json']);
    expect(first.exitCode, first.all).toBe(0);
    const rows = await rowsOf(url);

    const second = await seed(url, [...more, '--json']);
    expect(second.exitCode, second.all).toBe(0);
    expect(JSON.parse(second.stdout)).toMatchObject({
      users: 1,
      clients: 1,
      projects: 5,
      tasks: 24,
      time_entries: 30,
      expenses: 4,
      comments: 5,
      warehouses: 1,
      stock_items: 2,
      warehouse_stock: 10,
      stock_movements: 25,
      tax_rules: 1,
      invoices: 3,
    });
    expect(await faultsIn(url)).toEqual({});
    const now = await rowsOf(url);
    for (const table of seededTables.filter((each) => each !== 'warehouse_stock')) {
      const gone = rows[table]?.filter((row) => now[table]?.includes(row) !== true);
      expect({ table, gone }).toEqual({ table, gone: [] });
    }
    // smaller numbers remove no rows
    expect((await seed(url, few)).stdout).toContain('nothing was added');
  });

  it('adds deleted rows again, consistent with the existing rows', async () => {
    const url = await fresh();
    expect((await seed(url, few)).exitCode).toBe(0);
    await withSession(url, async (session) => {
      const sold = "SELECT 'sale', stock_item_id, warehouse_id, -quantity_on_hand, 1, $1 FROM warehouse_stock";
      const came = "SELECT 'purchase', stock_item_id, warehouse_id, 3, 1, $1 FROM warehouse_stock";
      const into =
        'INSERT INTO stock_movements (movement_type, stock_item_id, warehouse_id, quantity, moved_by, moved_at)';
      const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
      await session.query(`${into} ${sold}`, [daysAgo(60)]);
      await session.query(`${into} ${came}`, [daysAgo(1)]);
      await session.query('UPDATE warehouse_stock SET quantity_on_hand = 3');
      await session.query('DELETE FROM warehouse_stock WHERE id = 2');
      await session.query('DELETE FROM time_entries WHERE id IN (5, 6)');
      await session.query("UPDATE clients SET name = 'Renamed' WHERE id = 1");
      await session.query('UPDATE projects SET client_id = 1 WHERE id = 3');
    });
    const manyMovements = few.with(few.indexOf('--stock-movements') + 1, '90');
    const { exitCode, all, stdout } = await seed(url, [...manyMovements, '--json']);
    expect(exitCode, all).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      clients: 1,
      projects: 3,
      time_entries: 2,
      warehouse_stock: 1,
      stock_movements: 80,
    });
    const { 'entries of another project': moved, ...faults } = await faultsIn(url);
    // of the project that was moved
    expect(moved).not.toEqual([]);
    expect(faults).toEqual({});
    expect((await seed(url, few)).stdout).toContain('nothing was added');
  });

  it('leaves the formats of dates and times to the settings', async () => {
    const url = await fresh();
    expect((await seed(url, few)).exitCode).toBe(0);
    const sql = 'SELECT username AS x FROM users WHERE date_format IS NOT NULL OR time_format IS NOT NULL';
    expect(await withSession(url, (session) => column(session, sql))).toEqual([]);
  });

  it('makes the same rows for the same number, and others for another', async () => {
    const rows = await Promise.all(
      ['7', '7', '8'].map(async (number) => {
        const url = await fresh();
        const { exitCode, all } = await seed(url, [...few, '--seed', number]);
        expect(exitCode, all).toBe(0);
        return JSON.stringify(await rowsOf(url, true));
      }),
    );
    expect(rows[1]).toBe(rows[0]);
    expect(rows[2]).not.toBe(rows[0]);
  });

  it('takes currency and time zone from the settings', async () => {
    const url = await fresh();
    await withSession(url, (session) =>
      session.query("INSERT INTO settings (currency, timezone, mail_enabled) VALUES ('JPY', 'Nowhere/Land', FALSE)"),
    );
    const { exitCode, all, stdout } = await seed(url, [...few, '--json']);
    expect(exitCode, all).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ currencies: 3 });
    await withSession(url, async (session) => {
      const sql = "SELECT name || ' ' || decimal_places AS x FROM currencies WHERE code = 'JPY'";
      expect(await column(session, sql)).toEqual(['Japanese Yen 0']);
      for (const [table, name] of [
        ['invoices', 'currency_code'],
        ['expenses', 'currency_code'],
        ['payments', 'currency'],
      ]) {
        expect(await column(session, `SELECT DISTINCT ${name} AS x FROM ${table}`)).toEqual(['JPY']);
      }
    });
  });

  it('leaves out the parts that are switched off', async () => {
    const url = await fresh();
    const none = [
      '--clients',
      '0',
      '--warehouses',
      '0',
      '--tax-rules',
      '0',
      '--no-currencies',
      '--no-expense-categories',
    ];
    const { exitCode, all, stdout } = await seed(url, [...none, '--json'], { ADMIN_USERNAMES: ' Ada , bob' });
    expect(exitCode, all).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ ...nothing, users: 5, stock_items: 15, exitCode: 0 });
    const sql = "SELECT username AS x FROM users WHERE role = 'admin'";
    expect(await withSession(url, (session) => column(session, sql))).toEqual(['ada']);
  });

  it.each([{ FLASK_ENV: '' }, { FLASK_ENV: 'Development' }])('adds nothing with $FLASK_ENV', async (environment) => {
    const { url } = await create();
    const { exitCode, stderr } = await seed(url, [], environment);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(environment.FLASK_ENV || 'production');
    expect(stderr).toContain('FLASK_ENV=development db-init seed');
    expect(await snapshot(url)).toBe(await snapshot((await create()).url));
  });

  it('adds nothing to a database that is not current', async () => {
    const { url } = await create();
    const empty = await seed(url);
    expect(empty.exitCode).toBe(21);
    expect(empty.stderr).toMatch(/"fresh"[\s\S]*Run the gate first/);

    expect((await dbInit([], url)).exitCode).toBe(0);
    await withSession(url, (session) => session.run('ALTER TABLE comments DROP COLUMN is_internal'));
    const before = await snapshot(url);
    const drifted = await seed(url);
    expect(drifted.exitCode).toBe(14);
    expect(drifted.stderr).toContain('"drifted"');
    expect(await snapshot(url)).toBe(before);
  });

  it('leaves nothing behind if it is stopped', async () => {
    const url = await fresh();
    const before = await snapshot(url, { withoutSequences: true });
    const running = start(['seed', '--users', '20', '--time-entries', '9000'], {
      env: { DATABASE_URL: url, FLASK_ENV: 'development' },
    });
    await waitForOutput(running, /tasks: 960 added/);
    running.kill('SIGTERM');
    expect((await running).exitCode).toBe(143);
    expect(await snapshot(url, { withoutSequences: true })).toBe(before);
  });
});

describe('seed', () => {
  it.each([
    [['--users', '0']],
    [['--users', '1.5']],
    [['--clients=-1']],
    [['--seed', 'x']],
    [['--days-back', '0']],
    [['--time-entries', '20000']],
    [['--clients', '500', '--projects-per-client', '100', '--tasks-per-project', '200']],
    [['now']],
  ])('refuses %s before it reads the database', async (options) => {
    const { url, name } = await createSqliteDatabase();
    const { exitCode, stderr } = await seed(url, options);
    expect(exitCode, stderr).toBe(2);
    expect(existsSync(name)).toBe(false);
  });
});

/** The rows of the seed's tables, as texts; on request without values that differ in each run. */
async function rowsOf(url: string, comparable = false): Promise<Readonly<Record<string, readonly string[]>>> {
  return withSession(url, async (session) => {
    const rows: Record<string, readonly string[]> = {};
    for (const table of seededTables) {
      rows[table] = (await session.query(`SELECT * FROM ${table}`)).map((row) =>
        JSON.stringify(comparable ? strip(row) : row),
      );
    }
    return rows;
  });
}

const strip = (row: Readonly<Record<string, unknown>>): unknown =>
  Object.fromEntries(
    Object.entries(row).filter(([name]) => !['created_at', 'updated_at', 'password_hash'].includes(name)),
  );
