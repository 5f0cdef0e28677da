import { createHash } from 'node:crypto';
import type { Model, ModelStatic } from 'sequelize';
import { expect, it } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import { type SeedOptions, readSeedOptions } from '../../../src/seed/options.ts';
import { type Counts, type SeededTable, seededTables } from '../../../src/seed/tables.ts';
import { withModels } from '../../../src/seed/models/models-on.ts';
import { seedDatabase } from '../../../src/seed/seed.ts';
import { openRecord } from '../../../src/report/run-record.ts';
import type { Engine } from '../../../src/model/engine.ts';
import { describeEngines } from '../../support/database.ts';
import { dbInit, withSession } from '../upgrade/release-database.ts';
import { signal, withDatabase } from '../../support/open-database.ts';
import { column, faultsIn } from './seeds.ts';

const options = (given: Readonly<Record<string, string>>): SeedOptions =>
  readSeedOptions(
    new Map(Object.entries({ clients: '2', invoices: '4', 'time-entries': '40', 'days-back': '10', ...given })),
    new Set(),
  );

/** The checksums from before Sequelize wrote the rows. */
const known: Readonly<Record<Engine, Readonly<Record<SeededTable, string>>>> = {
  postgresql: {
    users: '70f874199608',
    clients: '29bdabc44cfe',
    projects: 'c1ae48ab0e73',
    tasks: '2ffaa2b3bcb9',
    time_entries: '2c595f26eab6',
    expense_categories: '2ee007e3e1d2',
    expenses: '4d44f6582779',
    comments: '25d4871b38e2',
    warehouses: '3d6533e284e6',
    stock_items: '959e163149c4',
    warehouse_stock: 'd50c8af2c294',
    stock_movements: '0cc8941f8682',
    currencies: '1e30dfea4415',
    tax_rules: 'a49625342afc',
    invoices: '5af1a6983eac',
    invoice_items: 'ef98cd8783e9',
    payments: 'c2628d6539d4',
  },
  sqlite: {
    users: 'ade3df38963b',
    clients: '94b69ea7828f',
    projects: '7d64e61e1e89',
    tasks: '5a10b4cb2c1b',
    time_entries: '3e631f31d3c8',
    expense_categories: 'd572f9744cfd',
    expenses: 'c8a45ca5240a',
    comments: 'fbbdf76a5f98',
    warehouses: '769be2607b98',
    stock_items: 'a4fb85ae00b4',
    warehouse_stock: 'eb0624b09488',
    stock_movements: '7a6c600cd92e',
    currencies: 'fc140b2e7554',
    tax_rules: '9eecd0a78c07',
    invoices: '22236193a762',
    invoice_items: '00cd634f5672',
    payments: '69acd2b901c6',
  },
};

describeEngines('seed on different days', ({ name, create }) => {
  it('counts from the day in the time zone of the settings', async () => {
    const { url } = await create();
    await dbInit([], url);
    await withSession(url, (session) =>
      session.query("INSERT INTO settings (timezone, mail_enabled) VALUES ('Pacific/Kiritimati', FALSE)"),
    );
    await seedAt(url, '2025-03-07T11:30:00Z', options({}));
    await withSession(url, async (session) => {
      const text = (cell: string, of: string): Promise<readonly string[]> =>
        column(session, `SELECT CAST(${cell} AS TEXT) AS x FROM ${of}`);
      // in that time zone it is already Saturday
      expect((await text('max(start_time)', 'time_entries'))[0]?.slice(0, 10)).toBe('2025-03-07');
      expect((await text('min(start_time)', 'time_entries'))[0]?.slice(0, 10)).toBe('2025-02-26');
      expect((await text('max(created_at)', 'time_entries'))[0]?.slice(0, 16)).toBe('2025-03-08 01:30');
      expect((await text('max(created_at)', 'clients'))[0]?.slice(0, 16)).toBe('2025-03-07 11:30');
      expect(await text('due_date', "invoices WHERE invoice_number = 'DEV-1001'")).toEqual(['2025-03-08']);
    });
  });

  it('writes the same rows for the same number and day', async () => {
    const { url } = await create();
    await dbInit([], url);
    await seedAt(url, '2025-03-07T11:30:00Z', options({ seed: '7', 'payments-per-invoice': '3' }));
    expect(await digests(url)).toEqual(known[name]);
  });

  it('adds nothing on another day, and new entries in the free time of the days before', async () => {
    const { url } = await create();
    await dbInit([], url);
    await seedAt(url, '2025-03-05T12:00:00Z', options({ users: '2' }));
    const again = await seedAt(url, '2025-03-11T12:00:00Z', options({ users: '2' }));
    expect(seededTables.filter((table) => again[table] > 0)).toEqual([]);

    // one user has forgotten a timer, and another one has worked at night
    await withSession(url, async (session) => {
      const [first = '', second = ''] = await column(
        session,
        "SELECT id AS x FROM users WHERE role = 'user' ORDER BY id",
      );
      await session.query(
        `INSERT INTO time_entries (user_id, client_id, start_time, end_time, billable, paid, created_at, updated_at)
         SELECT $1, id, $2, NULL, TRUE, FALSE, $2, $2 FROM clients WHERE name LIKE 'Nord%'`,
        [Number(first), '2025-03-07 09:00:00'],
      );
      await session.query(
        `INSERT INTO time_entries (user_id, client_id, start_time, end_time, billable, paid, created_at, updated_at)
         SELECT $1, id, $2, $3, TRUE, FALSE, $2, $2 FROM clients WHERE name LIKE 'Nord%'`,
        [Number(second), '2025-03-06 22:10:00', '2025-03-07 08:20:00'],
      );
    });
    const later = await seedAt(url, '2025-03-11T12:00:00Z', options({ users: '2', 'time-entries': '70' }));
    expect(later).toMatchObject({ users: 0, tasks: 0, time_entries: 30 });
    expect(await faultsIn(url)).toEqual({});
    await withSession(url, async (session) => {
      const sql =
        "SELECT count(*) AS x FROM time_entries WHERE start_time < '2025-03-07 08:20:00' AND end_time > '2025-03-07 00:00:00'";
      expect(await column(session, `${sql} AND notes IS NOT NULL AND user_id = (SELECT max(id) FROM users)`)).toEqual([
        '0',
      ]);
      const during =
        "SELECT count(*) AS x FROM time_entries WHERE end_time > '2025-03-07 09:00:00' AND user_id = (SELECT user_id FROM time_entries WHERE end_time IS NULL)";
      expect(await column(session, during)).toEqual(['0']);
    });
  });

  it('reports that the days are full', async () => {
    const { url } = await create();
    await dbInit([], url);
    const full = options({ users: '1', 'days-back': '2', 'time-entries': '6' });
    await seedAt(url, '2025-03-06T12:00:00Z', full);
    await withSession(url, (session) =>
      session.query("UPDATE time_entries SET notes = 'Mine', end_time = '2025-03-06 00:00:00'"),
    );
    await expect(seedAt(url, '2025-03-06T12:00:00Z', full)).rejects.toMatchObject({
      problem: { kind: 'usage', message: expect.stringContaining('no room for 6 more') },
    });
  });
});

/** The checksums of the rows of the seed, by table, without passwords, which have random salts. */
function digests(url: string): Promise<Readonly<Record<string, string>>> {
  return withDatabase(url, (database) =>
    database.transaction(({ connection }) =>
      withModels(connection, async (models) => {
        const found: Record<string, string> = {};
        for (const table of seededTables) {
          const model: ModelStatic<Model> = models[table];
          const rows = await model.findAll({
            attributes: { exclude: ['password_hash'] },
            // the migrations write categories as well, at the time of the test
            where: table === 'expense_categories' ? { created_at: '2025-03-07 11:30:00.000000' } : {},
            order: [...model.primaryKeyAttributes],
            raw: true,
          });
          found[table] = createHash('sha256').update(JSON.stringify(rows)).digest('hex').slice(0, 12);
        }
        return found;
      }),
    ),
  );
}

/** Runs the seed at a moment of the test's choice. */
async function seedAt(url: string, moment: string, given: SeedOptions): Promise<Counts> {
  const config = readConfig({ DATABASE_URL: url, FLASK_ENV: 'development' }, '/');
  const ignore = (): void => undefined;
  const log = { info: ignore, warn: ignore, error: ignore };
  return withDatabase(url, (database) =>
    seedDatabase({ database, config, log, recorder: openRecord(), signal }, given, new Date(moment)),
  );
}
