import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { catalogAndRows } from '../../support/catalog-snapshot.ts';
import { createDatabase, sqliteUrl, withClient } from '../../support/database.ts';
import { release, releases, sqliteFile, state } from '../../support/fixtures.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { restoreSql } from '../../support/restore-sql.ts';
import { snapshot } from '../../support/snapshot.ts';
import { restoredDatabase } from '../../support/templates.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

describePostgres('restoreSql', () => {
  it('loads COPY data with every escape, and the statements around it', async () => {
    const { url } = await createDatabase();
    const path = join(await temporaryDirectory(), 'dump.sql.gz');
    const data = String.raw`tab\tback\\slash	\N
\\.	\\N
line\nfeed	é🙂`;
    await writeFile(
      path,
      gzipSync(`CREATE TABLE t (a text, b text);\nCOPY t FROM stdin;\n${data}\n\\.\nDELETE FROM t WHERE b = 'no';\n`),
    );
    await restoreSql(url, path);
    const { rows } = await withClient(url, (client) => client.query('SELECT a, b FROM t'));
    expect(rows).toEqual([
      { a: 'tab\tback\\slash', b: null },
      { a: String.raw`\.`, b: String.raw`\N` },
      { a: 'line\nfeed', b: 'é🙂' },
    ]);
  });

  it('names the statement that failed', async () => {
    const { url } = await createDatabase();
    await restoreSql(url, state('partial'));
    await expect(restoreSql(url, state('partial'))).rejects.toThrow('already exists');
  });

  it('loads a release with all its rows', async () => {
    const { url } = await createDatabase();
    await restoreSql(url, release('pg', 'v5.10.0', 'before.sql.gz'));
    const { rows } = await withClient(url, (client) => client.query('SELECT count(*)::int AS n FROM time_entries'));
    expect(rows).toEqual([{ n: 1640 }]);
  });
});

describePostgres('restoredDatabase', () => {
  it('is the same each time, for any first caller', async () => {
    const { url } = await createDatabase();
    await restoreSql(url, state('polluted'));
    const copies = await Promise.all([restoredDatabase(state('polluted')), restoredDatabase(state('polluted'))]);
    const [one, other] = await Promise.all(copies.map((copy) => snapshot(copy.url)));
    expect([one, other]).toEqual([await snapshot(url), one]);
    const [{ url: changed }] = copies;
    await withClient(changed, (client) => client.query('CREATE TABLE of_one_test ()'));
    expect(await snapshot((await restoredDatabase(state('polluted'))).url)).toBe(one);
  });
});

describePostgres('snapshot of PostgreSQL', () => {
  const both = async (url: string) => [await snapshot(url), await withClient(url, catalogAndRows)];

  it('is the same twice', async () => {
    const { url } = await createDatabase();
    await restoreSql(url, state('polluted'));
    expect(await both(url)).toEqual(await both(url));
  });

  it.each([
    'CREATE TABLE t ()',
    "INSERT INTO s.author VALUES (2, 'b')",
    'ALTER TABLE s.author ALTER name SET NOT NULL',
    'CREATE INDEX ON s.author (name)',
    'ALTER TABLE s.author ADD CHECK (id > 0)',
    "COMMENT ON TABLE s.author IS 'x'",
    'GRANT SELECT ON s.author TO public',
    'CREATE VIEW v AS SELECT 1 AS x',
    "CREATE TYPE mood AS ENUM ('a')",
    'CREATE SCHEMA empty',
    "SELECT nextval('s.author_id_seq')",
  ])('shows %s', async (sql) => {
    const { url } = await createDatabase();
    await withClient(url, async (client) => {
      await client.query('CREATE SCHEMA s; CREATE TABLE s.author (id serial PRIMARY KEY, name text)');
      await client.query("INSERT INTO s.author (name) VALUES ('a')");
    });
    const before = await both(url);
    await withClient(url, (client) => client.query(sql));
    const after = await both(url);
    expect(after[0]).not.toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
  });

  it('leaves out the positions of sequences on request', async () => {
    const { url } = await createDatabase();
    await withClient(url, (client) => client.query('CREATE SEQUENCE q'));
    const before = await snapshot(url, { withoutSequences: true });
    await withClient(url, (client) => client.query("SELECT nextval('q'), nextval('q')"));
    expect(await snapshot(url, { withoutSequences: true })).toBe(before);
    expect(await snapshot(url)).not.toBe(before);
  });
});

describe('snapshot of SQLite', () => {
  it.each([
    'DELETE FROM time_entries WHERE id = 1',
    'CREATE TABLE t (a)',
    'CREATE INDEX i ON users (id)',
    'PRAGMA user_version = 7',
  ])('shows %s', async (sql) => {
    const path = await sqliteFile(release('sqlite', 'v1.5.1', 'before.db.gz'));
    const before = await snapshot(sqliteUrl(path));
    expect(await snapshot(sqliteUrl(path))).toBe(before);
    const database = new Database(path);
    database.exec(sql);
    database.close();
    expect(await snapshot(sqliteUrl(path))).not.toBe(before);
  });

  it('is empty for a file that does not exist', async () => {
    expect(await snapshot(sqliteUrl(join(await temporaryDirectory(), 'none.db')))).toBe('');
  });
});

it('finds the databases of the releases', async () => {
  expect(await releases('pg')).toContain('v5.10.0');
  expect(await releases('sqlite')).toContain('v5.10.0');
});
