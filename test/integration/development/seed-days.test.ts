import { expect, it } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import { type SeedOptions, readSeedOptions } from '../../../src/seed/options.ts';
import { type Counts, seededTables } from '../../../src/seed/tables.ts';
import { seedDatabase } from '../../../src/seed/seed.ts';
import { openRecord } from '../../../src/report/run-record.ts';
import { describeEngines } from '../../support/database.ts';
import { dbInit, withSession } from '../fixtures/process.ts';
import { signal, withDatabase } from '../../support/open-database.ts';
import { column, faultsIn } from './seeds.ts';

const options = (given: Readonly<Record<string, string>>): SeedOptions =>
  readSeedOptions(
    new Map(Object.entries({ clients: '2', invoices: '4', 'time-entries': '40', 'days-back': '10', ...given })),
    new Set(),
  );

describeEngines('seed, day after day', ({ create }) => {
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
      // there it is Saturday already, so Friday is over
      expect((await text('max(start_time)', 'time_entries'))[0]?.slice(0, 10)).toBe('2025-03-07');
      expect((await text('min(start_time)', 'time_entries'))[0]?.slice(0, 10)).toBe('2025-02-26');
      expect((await text('max(created_at)', 'time_entries'))[0]?.slice(0, 16)).toBe('2025-03-08 01:30');
      expect((await text('max(created_at)', 'clients'))[0]?.slice(0, 16)).toBe('2025-03-07 11:30');
      expect(await text('due_date', "invoices WHERE invoice_number = 'DEV-1001'")).toEqual(['2025-03-08']);
    });
  });

  it('adds nothing on another day, and what is new in the free time of the days before it', async () => {
    const { url } = await create();
    await dbInit([], url);
    await seedAt(url, '2025-03-05T12:00:00Z', options({ users: '2' }));
    const again = await seedAt(url, '2025-03-11T12:00:00Z', options({ users: '2' }));
    expect(seededTables.filter((table) => again[table] > 0)).toEqual([]);

    // somebody has forgotten a timer, and somebody has worked by night
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

  it('says so when the days are full', async () => {
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

/** Runs the seed at a moment of the test's choice. */
async function seedAt(url: string, moment: string, given: SeedOptions): Promise<Counts> {
  const config = readConfig({ DATABASE_URL: url, FLASK_ENV: 'development' }, '/');
  const ignore = (): void => undefined;
  const log = { info: ignore, warn: ignore, error: ignore };
  return withDatabase(url, (database) =>
    seedDatabase({ database, config, log, recorder: openRecord(), signal }, given, new Date(moment)),
  );
}
