import { once } from 'node:events';
import { copyFile } from 'node:fs/promises';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { lockFileOf } from '../../../src/database/sqlite/lock.ts';
import { runLock } from '../../../src/database/postgres/lock.ts';
import {
  connectClient,
  createDatabase,
  createSqliteDatabase,
  describeEngines,
  type TestDatabase,
} from '../../support/database.ts';
import { release, sqliteFile } from '../../support/fixtures.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { restoreSql } from '../../support/restore-sql.ts';
import { run, start } from '../../support/run.ts';
import { waitForOutput } from '../../support/wait-for-output.ts';

/** Holds the lock of a database like another run. @returns a function that releases it */
async function holdLock(database: TestDatabase): Promise<() => Promise<void>> {
  if (database.engine === 'sqlite') {
    const file = new Database(lockFileOf(database.name));
    file.exec('BEGIN EXCLUSIVE');
    return async () => void file.close();
  }
  const client = await connectClient(database.url, 'db-init 9.9.9 gate');
  await client.query('SELECT pg_advisory_lock($1, $2)', [runLock.application, runLock.key]);
  return () => client.end();
}

async function fillWithOldRelease({ engine, url, name }: TestDatabase): Promise<void> {
  if (engine === 'postgresql') await restoreSql(url, release('pg', 'v1.5.1', 'before.sql.gz'));
  else await copyFile(await sqliteFile(release('sqlite', 'v1.5.1', 'before.db.gz')), name);
}

describeEngines('the run lock', ({ create, name: engine }) => {
  it('is waited for, with a message that names its holder', async () => {
    const database = await create();
    const releaseLock = await holdLock(database);
    const gate = start(['gate'], { env: { DATABASE_URL: database.url } });
    const told = await waitForOutput(gate, /Waiting for another run/);
    await releaseLock();
    const { exitCode, stdout } = await gate;
    expect(exitCode).toBe(0);
    expect(stdout).toContain('The database is healthy and current');
    expect(told).toMatch(
      engine === 'sqlite'
        ? new RegExp(`pid ${process.pid} .*running since`)
        : /db-init 9\.9\.9 gate, pid \d+, from \S+\S*, connected since \d{4}-/,
    );
  });

  it('is waited for no longer than TT_LOCK_TIMEOUT, with nothing changed', async () => {
    const database = await create();
    const releaseLock = await holdLock(database);
    const { exitCode, stderr } = await run(['gate'], { env: { DATABASE_URL: database.url, TT_LOCK_TIMEOUT: '1' } });
    await releaseLock();
    expect(exitCode).toBe(5);
    expect(stderr).toContain('Another run holds the lock');
    expect((await run(['status'], { env: { DATABASE_URL: database.url } })).stdout).toContain('state:     fresh');
  });

  it('is not taken by commands that only read', async () => {
    const database = await create();
    const releaseLock = await holdLock(database);
    const { exitCode } = await run(['status'], { env: { DATABASE_URL: database.url } });
    await releaseLock();
    expect(exitCode).toBe(0);
  });

  it('lets one of ten runs do the work before the others, which find it done', async () => {
    const database = await create();
    const env = { DATABASE_URL: database.url };
    const results = await Promise.all(Array.from({ length: 10 }, () => run(['gate'], { env })));
    expect(results.map(({ exitCode }) => exitCode)).toEqual(Array(10).fill(0));
    expect(results.filter(({ stdout }) => stdout.includes('The database is empty'))).toHaveLength(1);
    expect(results.filter(({ stdout }) => stdout.includes('nothing to do'))).toHaveLength(9);
  });

  it('is released when its holder ends in any way', async () => {
    const database = await create();
    await fillWithOldRelease(database);
    const env = { DATABASE_URL: database.url };
    const killed = start(['gate'], { env });
    await waitForOutput(killed, /revisions to apply/);
    killed.kill('SIGKILL');
    await killed;
    const { exitCode } = await run(['gate'], { env });
    expect(exitCode).toBe(0);
    expect((await run(['verify'], { env })).exitCode).toBe(0);
  });
});

describePostgres('the locks of others', () => {
  it('of another database or another key have no effect', async () => {
    const [database, other] = [await createDatabase(), await createDatabase()];
    const releaseLock = await holdLock(other);
    const { stdout, exitCode } = await run(['gate'], { env: { DATABASE_URL: database.url } });
    await releaseLock();
    expect(exitCode).toBe(0);
    expect(stdout).not.toContain('Waiting for another run');
  });
});

describe('the lock file of SQLite', () => {
  it('is beside the database, and stays', async () => {
    const { name, url } = await createSqliteDatabase();
    const gate = start(['gate'], { env: { DATABASE_URL: url } });
    await once(gate, 'exit');
    await gate;
    const lock = new Database(lockFileOf(name), { fileMustExist: true });
    lock.close();
    expect(lockFileOf(name)).toBe(`${name}.db-init-lock`);
  });
});
