import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import { openDatabase } from '../../../src/database/open.ts';
import { Failure, type Problem } from '../../../src/errors/failure.ts';
import { openQuarantine } from '../../../src/quarantine/quarantine.ts';
import { openRecord } from '../../../src/report/run-record.ts';
import { createDatabase, createSqliteDatabase, withClient } from '../../support/database.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { held, only, quarantine } from './quarantines.ts';

/** Purges a quarantine; runs `meanwhile` while the question waits, and then answers yes. */
async function purge(url: string, name: string, meanwhile: () => unknown): Promise<Problem | 'purged'> {
  const { signal } = new AbortController();
  const ignore = (): void => undefined;
  const config = readConfig({ DATABASE_URL: url }, '/');
  const callbacks = { onWaiting: ignore, onLockWaiting: ignore, onRetry: ignore, onWarning: ignore };
  const options = { ...config, ...callbacks, applicationName: 'db-init test', writes: true, signal };
  const database = await openDatabase(config.database, options);
  const log = { info: ignore, warn: ignore, error: ignore };
  const recorder = openRecord();
  try {
    const consent = async (): Promise<void> => void (await meanwhile());
    await (await openQuarantine({ database, config, log, recorder, signal, consent })).purge(name);
    return 'purged';
  } catch (error) {
    if (error instanceof Failure) return error.problem;
    throw error;
  } finally {
    await database.close();
  }
}

describePostgres('a purge that waits for an answer (postgresql)', () => {
  /** Two tables that refer to each other, a view, a type: purged at once if nothing changes. */
  const contents = `
    CREATE TYPE mood AS ENUM ('good'); CREATE SEQUENCE numbers; CREATE DOMAIN moods AS mood;
    CREATE TABLE hen (id integer DEFAULT nextval('numbers') PRIMARY KEY, mood moods);
    CREATE TABLE egg (id serial PRIMARY KEY, hen integer REFERENCES hen);
    ALTER TABLE hen ADD COLUMN egg integer REFERENCES egg;
    CREATE VIEW a AS SELECT * FROM hen; CREATE MATERIALIZED VIEW b AS SELECT * FROM a; CREATE VIEW c AS SELECT * FROM b;
    INSERT INTO hen VALUES (1)`;
  const quarantined = async (): Promise<{ url: string; name: string }> => {
    const { url } = await createDatabase();
    await withClient(url, (client) => client.query(contents));
    expect(await quarantine(url, 'create', '--all', '--yes')).toMatchObject({ exitCode: 0 });
    return { url, name: only(await held(url)).name };
  };
  const outside = { kind: 'quarantine-refused', obstacle: { kind: 'depended-upon' } };
  const inside = { kind: 'quarantine-refused', obstacle: { kind: 'changed' } };

  it.each([
    ['creates a view over a table', (name: string) => `CREATE VIEW public.mine AS SELECT * FROM ${name}.hen`, outside],
    ['creates a view over a view', (name: string) => `CREATE VIEW public.mine AS SELECT * FROM ${name}.c`, outside],
    ['creates a column of one of its types', (name: string) => `CREATE TABLE public.mine (mood ${name}.mood)`, outside],
    [
      'creates a foreign key to it',
      (name: string) => `CREATE TABLE public.mine (egg integer REFERENCES ${name}.egg)`,
      outside,
    ],
    [
      'creates a table that inherits from one of its tables',
      (name: string) => `CREATE TABLE public.mine () INHERITS (${name}.hen)`,
      outside,
    ],
    [
      'creates a function that reads it',
      (name: string) =>
        `CREATE FUNCTION public.mine() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM ${name}.hen; END`,
      outside,
    ],
    [
      'creates a function in it',
      (name: string) =>
        `CREATE FUNCTION ${name}.mine() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM ${name}.hen; END`,
      outside,
    ],
    ['creates a table in it', (name: string) => `CREATE TABLE ${name}.mine (id integer)`, inside],
    ['inserts a row into one of its tables', (name: string) => `INSERT INTO ${name}.hen VALUES (2)`, inside],
    ['drops one of its tables', (name: string) => `DROP TABLE ${name}.hen CASCADE`, inside],
  ])('drops nothing if somebody meanwhile %s', async (_what, interfere, expected) => {
    const { url, name } = await quarantined();
    const problem = await purge(url, name, () => withClient(url, (client) => client.query(interfere(name))));
    expect(problem).toMatchObject(expected);
    await withClient(url, async (client) => {
      await expect(client.query(`SELECT FROM ${name}.egg`)).resolves.toBeDefined();
    });
  });

  it('drops everything that was shown if nothing changes, with any dependencies inside', async () => {
    const { url, name } = await quarantined();
    expect(await purge(url, name, () => undefined)).toBe('purged');
    expect(await held(url)).toEqual([]);
  });
});

it('a purge deletes no SQLite file that was changed while it waited for an answer', async () => {
  const { url, name: file } = await createSqliteDatabase();
  const write = (path: string): void => {
    const database = new Database(path);
    database.exec('CREATE TABLE IF NOT EXISTS stray (id integer); INSERT INTO stray VALUES (1)');
    database.close();
  };
  write(file);
  expect(await quarantine(url, 'create', '--yes')).toMatchObject({ exitCode: 0 });
  const { name } = only(await held(url));
  const path = join(dirname(file), name);
  const changed = { kind: 'quarantine-refused', obstacle: { kind: 'changed' } };
  expect(await purge(url, name, () => write(path))).toMatchObject(changed);
  expect(await purge(url, name, () => writeFileSync(`${path}-wal`, 'another'))).toMatchObject(changed);
  expect(only(await held(url)).name).toBe(name);
  expect(await purge(url, name, () => undefined)).toBe('purged');
  expect(await held(url)).toEqual([]);
});
