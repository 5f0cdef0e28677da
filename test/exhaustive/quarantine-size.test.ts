import type { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { createDatabase, type TestDatabase, withClient } from '../support/database.ts';
import { describePostgres } from '../support/postgres-server.ts';
import { start } from '../support/run.ts';
import { dbInit } from '../integration/upgrade/release-database.ts';
import { held, only, quarantine } from '../integration/quarantine/quarantines.ts';

/** The number of tables that one transaction of the test can create without running out of locks. */
const portion = 400;

/** A database with stray tables only, each with an index and a sequence. */
async function strayTables(count: number): Promise<TestDatabase> {
  const database = await createDatabase();
  await withClient(database.url, async (client) => {
    for (let from = 1; from <= count; from += portion) {
      const to = Math.min(from + portion - 1, count);
      await client.query(`DO $$ BEGIN FOR number IN ${from}..${to} LOOP
        EXECUTE format('CREATE TABLE %I (id serial PRIMARY KEY, note text)', 'Stray ' || number); END LOOP; END $$`);
    }
  });
  return database;
}

/** Resolves when a run has committed its first batch. */
function moved(log: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    log.on('data', (text: Buffer) => {
      if (text.includes('  moved ')) resolve();
    });
    log.on('end', () => reject(new Error('the run ended without moving anything')));
  });
}

async function tablesIn(url: string, schema: string): Promise<number> {
  return withClient(url, async (client) => {
    const query = "SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = $1 AND tablename LIKE 'Stray %'";
    return (await client.query<{ tables: number }>(query, [schema])).rows[0]?.tables ?? 0;
  });
}

describePostgres('a quarantine of more tables than the server has locks for', () => {
  it('survives a kill and another session between its batches, ends in one schema, and is brought back', async () => {
    const count = 10_000;
    const database = await strayTables(count);
    const { url } = database;
    const gate = () => start(['gate'], { env: { DATABASE_URL: url }, timeout: 300_000 });

    const killed = gate();
    await moved(killed.stdout);
    killed.kill('SIGKILL');
    await killed;
    const { name, state } = only(await held(url));
    expect(state).toBe('unfinished');
    const before = await tablesIn(url, name);
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(count);

    const visited = gate();
    await moved(visited.stdout);
    await withClient(url, async (client) => {
      await client.query("SET application_name TO 'a visitor'");
      const { exitCode, stderr } = await visited;
      expect(exitCode).toBe(10);
      expect(stderr).toContain('a visitor');
    });
    expect(only(await held(url))).toMatchObject({ name, state: 'unfinished' });
    expect(await tablesIn(url, name)).toBeGreaterThan(before);

    expect(await gate()).toMatchObject({ exitCode: 0 });
    expect(only(await held(url))).toMatchObject({ name, state: 'complete', relations: count });
    expect(await quarantine(url, 'restore', name)).toMatchObject({ exitCode: 0 });
    expect(await tablesIn(url, 'public')).toBe(count);
    expect(await held(url)).toEqual([]);
    expect(await dbInit(['verify'], url)).toMatchObject({ exitCode: 0 });
    // this takes longer than cleaning up after the tests may
    await database.drop();
  }, 600_000);

  it('takes a time that grows with the number of tables, not with its square', async () => {
    const seconds: number[] = [];
    for (const count of [1500, 6000]) {
      const database = await strayTables(count);
      const started = performance.now();
      expect(await quarantine(database.url, 'create', '--yes')).toMatchObject({ exitCode: 0 });
      seconds.push((performance.now() - started) / 1000);
      await database.drop();
    }
    const [few = 0, many = 0] = seconds;
    console.log(`1500 tables: ${few.toFixed(1)} s, 6000 tables: ${many.toFixed(1)} s`);
    // four times as many: 4 if it is linear, 16 if it is quadratic
    expect(many / few).toBeLessThan(12);
  }, 600_000);
});
