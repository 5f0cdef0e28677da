import { randomBytes } from 'node:crypto';
import { atEnd } from '../support/cleanup.ts';
import { catalogAndRows } from '../support/catalog-snapshot.ts';
import { copyInto, withClient } from '../support/database.ts';
import { eventually } from '../support/wait-for-output.ts';
import { type TestInstallation, installationOn } from './test-installation.ts';

/** What a run changes, which decides how the installation is reset: contents of a database, names of databases, or of schemas. */
export type Changes = 'content' | 'databases' | 'schemas';

export interface PostgresOptions {
  /** A superuser's URL. */
  readonly server: string;
  readonly changes: Changes;
}

interface Named {
  readonly oid: number;
  readonly name: string;
}

/** An installation around an empty PostgreSQL database. For `schemas` its runs connect as an owner without CREATEDB. */
export async function postgresInstallation({ server, changes }: PostgresOptions): Promise<TestInstallation> {
  const name = `dbi_crash_${randomBytes(4).toString('hex')}`;
  const [template, role] = [`tpl_${name}`, `role_${name}`];
  const url = urlOf(server, name);
  const databases = (): Promise<readonly Named[]> =>
    ask(server, `SELECT oid::int, datname AS name FROM pg_database WHERE datname LIKE '${name}%' ORDER BY datname`);
  const drop = async (): Promise<void> => {
    for (const database of await databases()) await tell(server, `DROP DATABASE "${database.name}" WITH (FORCE)`);
  };
  const owner = changes === 'schemas' ? role : 'DEFAULT';
  if (changes === 'schemas') await tell(server, `CREATE ROLE ${role} LOGIN PASSWORD 'pw'`);
  const copy = (to: string, from?: string, options?: string): Promise<void> =>
    withClient(server, (client) => copyInto(client, to, from, options));
  await copy(name, undefined, `OWNER ${owner}`);
  if (changes === 'schemas') await tell(url, `ALTER SCHEMA public OWNER TO ${role}`);
  atEnd(async () => {
    await drop();
    await tell(server, `DROP DATABASE IF EXISTS ${template} WITH (FORCE)`, `DROP ROLE IF EXISTS ${role}`);
  });

  let kept: readonly Named[] = [];
  const schemas = (): Promise<readonly Named[]> =>
    ask(url, `SELECT oid::int, nspname AS name FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$'`);

  return installationOn(async () => ({
    engine: 'postgresql',
    url: changes === 'schemas' ? ownersUrl(url, role) : url,
    name,
    execute: (sql) => tell(changes === 'schemas' ? ownersUrl(url, role) : url, sql),

    async count(table) {
      const [there] = await ask<{ there: boolean }>(url, `SELECT to_regclass('public.${table}') IS NOT NULL AS there`);
      if (there?.there !== true) return null;
      const [row] = await ask<{ rows: number }>(url, `SELECT count(*)::int AS rows FROM public.${table}`);
      return row?.rows ?? null;
    },

    async save() {
      await alone(server, name);
      kept = changes === 'schemas' ? await schemas() : await databases();
      if (changes !== 'content') return;
      await tell(server, `DROP DATABASE IF EXISTS ${template}`);
      await copy(template, name);
    },

    async restoreSaved() {
      if (changes === 'content') {
        await drop();
        await copy(name, template);
      } else if (changes === 'schemas') {
        await renameBack(await schemas(), kept, 'SCHEMA', (sql) => tell(url, sql));
      } else {
        await alone(server, name);
        await renameBack(await databases(), kept, 'DATABASE', (sql) => tell(server, sql));
      }
    },

    async snapshot() {
      await alone(server, name);
      const found = await databases();
      const parts: Record<string, string> = { databases: found.map((database) => database.name).join('\n') };
      for (const database of found) {
        const [facts] = await ask<{ facts: string }>(
          server,
          `SELECT format('open %s, limit %s, owner %s', datallowconn, datconnlimit, pg_get_userbyid(datdba)) AS facts
           FROM pg_database WHERE datname = '${database.name}'`,
        );
        parts[database.name] = `${facts?.facts}\n${await withClient(urlOf(server, database.name), catalogAndRows)}`;
      }
      return parts;
    },

    leftovers: async () =>
      (await databases()).map((database) => database.name).filter((found) => found.includes('_restore_')),
  }));
}

/** Gives objects with a saved oid their name back, and drops all others. */
async function renameBack(
  present: readonly Named[],
  kept: readonly Named[],
  kind: 'DATABASE' | 'SCHEMA',
  run: (sql: string) => Promise<void>,
): Promise<void> {
  const force = kind === 'DATABASE' ? 'WITH (FORCE)' : 'CASCADE';
  const nameAt = new Map(kept.map(({ oid, name }) => [oid, name]));
  const missing = kept.filter(({ oid }) => !present.some((found) => found.oid === oid));
  if (missing.length > 0) throw new Error(`lost: ${missing.map(({ name }) => name).join(', ')}`);
  for (const { oid, name } of present) if (!nameAt.has(oid)) await run(`DROP ${kind} "${name}" ${force}`);
  const renamed = present.filter(({ oid, name }) => nameAt.has(oid) && nameAt.get(oid) !== name);
  for (const { oid, name } of renamed) await run(`ALTER ${kind} "${name}" RENAME TO "way_${oid}"`);
  for (const { oid } of renamed) await run(`ALTER ${kind} "way_${oid}" RENAME TO "${nameAt.get(oid)}"`);
}

/** Waits until no session is connected: those of a killed run have ended. */
async function alone(server: string, name: string): Promise<void> {
  await withClient(server, (client) =>
    eventually(async () => {
      const { rowCount } = await client.query(`SELECT FROM pg_stat_activity WHERE datname LIKE '${name}%'`);
      return rowCount === 0;
    }),
  );
}

export function urlOf(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}

function ownersUrl(database: string, role: string): string {
  const url = new URL(database);
  url.username = role;
  url.password = 'pw';
  return url.href;
}

async function tell(url: string, ...statements: readonly string[]): Promise<void> {
  await withClient(url, async (client) => {
    for (const statement of statements) await client.query(statement);
  });
}

const ask = <Row extends object = Named>(url: string, sql: string): Promise<readonly Row[]> =>
  withClient(url, async (client) => (await client.query<Row & Record<string, unknown>>(sql)).rows);
