import type { Engine } from '../../src/model/engine.ts';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import pg from 'pg';
import { describe } from 'vitest';
import { atEnd } from './cleanup.ts';
import { describePostgres, requirePostgres } from './postgres-server.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A database of a test's own. It is dropped after the file's tests; `drop` does it earlier. */
export interface TestDatabase {
  readonly engine: Engine;
  /** The value for DATABASE_URL. */
  readonly url: string;
  /** PostgreSQL: the database's name; SQLite: the path of its file. */
  readonly name: string;
  drop(): Promise<void>;
}

/** Creates a database on the tests' PostgreSQL server, owned by the superuser: an empty one in UTF-8, or a copy. */
export async function createDatabase(template?: string): Promise<TestDatabase> {
  const name = `dbi_${randomBytes(6).toString('hex')}`;
  // template0, because CREATE DATABASE fails if any session is connected to template1
  await withClient(requirePostgres().url, (client) => copyInto(client, name, template));
  const drop = () => admin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  atEnd(drop);
  return { engine: 'postgresql', url: databaseUrl(name), name, drop };
}

/**
 * Creates a database as a copy of another one, or an empty one in UTF-8. From PostgreSQL 15 on it copies the files, which
 * takes a third of the processor time of a copy through the write-ahead log.
 * @param options further options of CREATE DATABASE
 */
export async function copyInto(client: pg.Client, name: string, template?: string, options = ''): Promise<void> {
  const { rows } = await client.query<{ strategies: boolean }>(
    `SELECT current_setting('server_version_num')::int >= 150000 AS strategies`,
  );
  const strategy = rows[0]?.strategies === true ? 'STRATEGY file_copy' : '';
  const source = template === undefined ? `template0 ENCODING 'UTF8'` : `"${template}"`;
  await client.query(`CREATE DATABASE "${name}" TEMPLATE ${source} ${options} ${strategy}`);
}

/** The URL of another database on the tests' server, for example of one that a restore has kept. */
export function databaseUrl(name: string): string {
  const url = new URL(requirePostgres().url);
  url.pathname = `/${encodeURIComponent(name)}`;
  return url.href;
}

/** Runs SQL in the maintenance database as superuser. */
export async function admin(sql: string): Promise<void> {
  await withClient(requirePostgres().url, (client) => client.query(sql));
}

/**
 * A connected client of a PostgreSQL database. The caller ends it.
 *
 * If the server ends a session between two queries, the client emits an event. Without a listener, that event would end
 * the whole test run. With this listener, only the next query is rejected.
 */
export async function connectClient(url: string, applicationName = 'db-init tests'): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: applicationName });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Connects to a PostgreSQL database, passes the client to `use`, and always disconnects. */
export async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connectClient(url);
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** Runs SQL in a database of either engine. */
export async function execute({ engine, url, name }: TestDatabase, sql: string): Promise<void> {
  if (engine === 'postgresql') return void (await withClient(url, (client) => client.query(sql)));
  const file = new Database(name);
  try {
    file.exec(sql);
  } finally {
    file.close();
  }
}

/** The path of a SQLite database in a new directory. The file does not exist yet. */
export async function createSqliteDatabase(): Promise<TestDatabase> {
  const name = join(await temporaryDirectory(), 'timetracker.db');
  return { engine: 'sqlite', url: sqliteUrl(name), name, drop: () => Promise.resolve() };
}

/** The DATABASE_URL of a SQLite file, given by its absolute path. */
export function sqliteUrl(path: string): string {
  return `sqlite:///${path}`;
}

/** Runs one behavioural spec on SQLite and on PostgreSQL. Without a server, the second is skipped with a reason. */
export function describeEngines(
  title: string,
  spec: (engine: { readonly name: Engine; readonly create: () => Promise<TestDatabase> }) => void,
): void {
  describe(`${title} (sqlite)`, () => spec({ name: 'sqlite', create: createSqliteDatabase }));
  describePostgres(`${title} (postgresql)`, () => spec({ name: 'postgresql', create: createDatabase }));
}
