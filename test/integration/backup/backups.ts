import type { ArchiveKind } from '../../../src/model/archive.ts';
import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { execa } from 'execa';
import { describe } from 'vitest';
import type { Manifest } from '../../../src/archive/manifest.ts';
import {
  connectClient,
  createDatabase,
  createSqliteDatabase,
  type TestDatabase,
  withClient,
} from '../../support/database.ts';
import { release, sqliteFile } from '../../support/fixtures.ts';
import { describePostgres, requirePostgres } from '../../support/postgres-server.ts';
import { restoreInto } from '../../support/templates.ts';
import type { start } from '../../support/run.ts';
import { eventually } from '../../support/wait-for-output.ts';
import { snapshot } from '../../support/snapshot.ts';

const tag = 'v4.20.0';
export const revisions = ['118_add_role_hidden_module_ids', '128_add_invoices_zugferd_pdf'];

export async function fill(database: TestDatabase): Promise<void> {
  if (database.engine === 'postgresql') await restoreInto(database, release('pg', tag, 'before.sql.gz'));
  else await copyFile(await sqliteFile(release('sqlite', tag, 'before.db.gz')), database.name);
}

/** Runs SQL in a database of either engine. */
export async function execute({ engine, url, name }: TestDatabase, sql: string): Promise<void> {
  if (engine === 'postgresql') return void (await withClient(url, (client) => client.query(sql)));
  const file = new Database(name);
  file.exec(sql);
  file.close();
}

/** On PostgreSQL the suite needs a server and its client tools. */
export function describeBackups(
  title: string,
  spec: (engine: { readonly name: TestDatabase['engine']; readonly create: () => Promise<TestDatabase> }) => void,
): void {
  describe(`${title} (sqlite)`, () => spec({ name: 'sqlite', create: createSqliteDatabase }));
  describePostgres(`${title} (postgresql)`, () => spec({ name: 'postgresql', create: createDatabase }), 'tools');
}

export const archivesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith('.zip')).toSorted();

/** Makes a backup of the database take long: a table that is locked on PostgreSQL, a large one on SQLite. */
export async function makeBackupSlow(
  database: TestDatabase,
): Promise<{ snapshot: string; release: () => Promise<unknown> }> {
  if (database.engine === 'sqlite') {
    await execute(
      database,
      `CREATE TABLE ballast AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)
         SELECT i, hex(randomblob(300000)) AS bytes FROM n`,
    );
    return { snapshot: await snapshot(database.url), release: async () => undefined };
  }
  // in a schema that the gate does not read, so that the gate does not wait
  await execute(database, 'CREATE SCHEMA other; CREATE TABLE other.locked (id int)');
  const before = await snapshot(database.url);
  const client = await connectClient(database.url);
  await client.query('BEGIN; LOCK TABLE other.locked IN ACCESS EXCLUSIVE MODE');
  return { snapshot: before, release: () => client.end() };
}

/** Waits until a run has begun to write an archive. */
export async function partialIn(folder: string, gate: ReturnType<typeof start>): Promise<void> {
  let ended = false;
  void gate.then(() => (ended = true));
  await eventually(async () => ended || (await readdir(folder)).some((name) => name.endsWith('.partial')));
  if (ended) throw new Error(`the run was over: ${(await gate).all}`);
}

/** The name of a database in messages. */
export function spoken({ engine, name }: TestDatabase): string {
  if (engine === 'sqlite') return name;
  const { hostname, port } = new URL(requirePostgres().url);
  return `${name} on ${hostname}:${port || '5432'}`;
}

export function manifestOf(kind: ArchiveKind, database: string, day: number): Manifest {
  return {
    engine: 'sqlite',
    kind,
    createdAt: new Date(2020, 0, day),
    version: '0',
    database,
    server: 's',
    tool: 't',
    revisions: [],
    rows: {},
    entries: {},
    uploads: [],
  };
}

export async function restoreDump({ url }: TestDatabase, dump: Buffer): Promise<void> {
  const { binDirectory } = requirePostgres();
  await execa(join(binDirectory ?? '', 'pg_restore'), ['--exit-on-error', '--dbname', url], { input: dump });
}
