import { copyFile, readFile } from 'node:fs/promises';
import Database from 'better-sqlite3';
import { beforeAll, expect, it } from 'vitest';
import { revisions } from '../../migrations/graph.ts';
import { createSqliteDatabase, type TestDatabase, withClient } from '../support/database.ts';
import { release } from '../support/fixtures.ts';
import { describePostgres } from '../support/postgres-server.ts';
import { restoredDatabase } from '../support/templates.ts';
import { requireTrueSafeSentence } from '../support/safe-sentence.ts';
import { snapshot } from '../support/snapshot.ts';
import { chanceOf } from './fuzz.ts';
import { bugPattern, runInProcess } from '../support/run-in-process.ts';

const known = revisions.map(({ id }) => id);
const head = known.filter((id) => revisions.every(({ parents }) => !parents.includes(id)));

let healthy: string;
beforeAll(async () => {
  const { name, url } = await createSqliteDatabase();
  const { exitCode, all } = await runInProcess(['gate'], { DATABASE_URL: url, TT_BACKUP_BEFORE_MIGRATE: 'never' });
  if (exitCode !== 0) throw new Error(all);
  healthy = name;
});

/** A copy of a healthy database with another alembic_version. */
async function withRows(rows: readonly unknown[]): Promise<TestDatabase> {
  const database = await createSqliteDatabase();
  await copyFile(healthy, database.name);
  const file = new Database(database.name);
  file.pragma('synchronous = OFF');
  file.exec('BEGIN; DROP TABLE alembic_version; CREATE TABLE alembic_version (version_num VARCHAR(32))');
  const insert = file.prepare('INSERT INTO alembic_version VALUES (?)');
  for (const row of rows) insert.run(row);
  file.exec('COMMIT');
  file.close();
  return database;
}

it('unusual version rows never cause an unexpected failure, are never healthy, and are not changed by a refusal', async () => {
  const chance = chanceOf('version rows');
  const odd = [
    null,
    '',
    ' ',
    '\n',
    0,
    171,
    1.5,
    Buffer.from([0, 255]),
    Buffer.from(head.join()),
    'x'.repeat(1_000_000),
    '\u{1F600}',
    "'; DROP TABLE users; --",
    '\u001B[2J',
    '__proto__',
    'constructor',
    'HEAD',
    'base',
    '171',
    'ä\u0308',
  ];
  const failures: unknown[] = [];
  for (let number = 0; number < 40; number++) {
    const row = (): unknown =>
      chance.pick([
        () => chance.pick(odd),
        () => chance.mutateText(chance.pick(known)),
        () => chance.pick(known).toUpperCase(),
      ])();
    const rows = Array.from({ length: chance.pick([1, 1, 1, 2, 3, 300]) }, row);
    if (chance.below(4) === 0) rows.push(...head);
    if (rows.every((entry) => known.some((id) => id === entry))) continue;
    const { url, name } = await withRows(rows);
    const before = await readFile(name);
    for (const command of ['status', 'gate']) {
      const { exitCode, all } = await runInProcess([command], { DATABASE_URL: url, TT_BACKUP_BEFORE_MIGRATE: 'never' });
      const same = (await readFile(name)).equals(before);
      requireTrueSafeSentence(all, !same);
      if (exitCode < 2 || bugPattern.test(all) || !same || all.length > 10_000 || all.includes('\u001B')) {
        failures.push([command, rows.slice(0, 5), exitCode, same, all.slice(0, 2000)]);
      }
    }
  }
  expect(failures).toEqual([]);
});

it('any combination of known revisions ends in a healthy database or a refusal', async () => {
  const chance = chanceOf('known revisions');
  const failures: unknown[] = [];
  for (let number = 0; number < 4; number++) {
    const rows = Array.from({ length: chance.pick([1, 2, 5, 200]) }, () => chance.pick(known));
    const { url } = await withRows(rows);
    const { exitCode, all } = await runInProcess(['gate'], { DATABASE_URL: url, TT_BACKUP_BEFORE_MIGRATE: 'never' });
    const looked = await runInProcess(['verify'], { DATABASE_URL: url });
    if (exitCode === 1 || bugPattern.test(all + looked.all) || (exitCode === 0) !== (looked.exitCode === 0)) {
      failures.push([rows, exitCode, all.slice(-2000), looked.exitCode]);
    }
  }
  expect(failures).toEqual([]);
});

describePostgres('an unusual alembic_version', () => {
  /** Any object with the name. */
  const clear = `DO $$ DECLARE kind text; BEGIN
    SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END INTO kind
      FROM pg_class WHERE oid = to_regclass('public.alembic_version');
    IF kind IS NOT NULL THEN EXECUTE 'DROP ' || kind || ' public.alembic_version'; END IF; END $$`;
  let database: TestDatabase;
  let before: string;
  beforeAll(async () => {
    database = await restoredDatabase(release('pg', 'v5.0.0', 'before.sql.gz'));
    await withClient(database.url, (client) => client.query(clear));
    before = await snapshot(database.url);
  });

  it.each([
    ['of another type', 'CREATE TABLE alembic_version (version_num integer); INSERT INTO alembic_version VALUES (171)'],
    ['of bytes', "CREATE TABLE alembic_version (version_num bytea); INSERT INTO alembic_version VALUES ('\\x00ff')"],
    ['of nothing', 'CREATE TABLE alembic_version ()'],
    ['without its column', "CREATE TABLE alembic_version (version text); INSERT INTO alembic_version VALUES ('171')"],
    ['with a NULL', 'CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES (NULL)'],
    ['that is a view', `CREATE VIEW alembic_version AS SELECT '${head.join()}'::text AS version_num`],
    ['that fails', 'CREATE VIEW alembic_version AS SELECT (1 / (random() * 0)::int)::text AS version_num'],
    ['that is a sequence', 'CREATE SEQUENCE alembic_version'],
    [
      'of a thousand rows',
      "CREATE TABLE alembic_version AS SELECT repeat('x', 1000) || i AS version_num FROM generate_series(1, 1000) i",
    ],
    ['with a long row', "CREATE TABLE alembic_version AS SELECT repeat('é', 1000000) AS version_num"],
  ])('%s is refused', async (_, sql) => {
    const { url } = database;
    await withClient(url, (client) => client.query(`${clear}; ${sql}`));
    for (const command of [['status'], ['gate'], ['repair'], ['adopt', '--dry-run'], ['adopt']]) {
      const { exitCode, all } = await runInProcess(command, { DATABASE_URL: url, TT_BACKUP_BEFORE_MIGRATE: 'never' });
      expect(all).not.toMatch(bugPattern);
      // the next test compares the rows with the former ones
      requireTrueSafeSentence(all, false);
      expect([command[0], exitCode > 1, all.length < 10_000, all]).toEqual([command[0], true, true, all]);
    }
  });

  it('is refused with nothing changed', async () => {
    await withClient(database.url, (client) => client.query(clear));
    expect(await snapshot(database.url)).toBe(before);
  });
});
