import { join } from 'node:path';
import Database from 'better-sqlite3';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { loadHead } from '../../../src/schema/expected-schema.ts';
import { withClient } from '../../support/database.ts';
import { release, sqliteFile } from '../../support/fixtures.ts';
import { run } from '../../support/run.ts';
import { ask, type Installation, madeByHand, now } from './restores.ts';

/** The releases whose SQLite databases every run of the tests restores; the exhaustive ones take all of them. */
export const inEveryRun = ['v1.5.1', 'v5.10.0'];

/** Restores the SQLite database of a release into PostgreSQL. @returns rows that differ from those that the gate makes of it */
export async function restoreAndCompare(
  tag: string,
  { database, must }: Pick<Installation, 'database' | 'must'>,
): Promise<readonly string[]> {
  const since = now();
  const before = release('sqlite', tag, 'before.db.gz');
  const expected = await meaningOfFile(await migrated(before), since);
  await must('restore', await sqliteFile(before), '--set-aside', '--yes');
  const revisions = await ask(database, 'SELECT version_num FROM alembic_version');
  const different = difference(expected, await meaningOfDatabase(database.url, since));
  return revisions.join() === releaseGraph.heads.join() ? different : [...different, revisions.join()];
}

/**
 * Restores an archive of PostgreSQL into SQLite. @returns rows that differ from those that PostgreSQL's own tools and the
 * gate make of it
 */
export async function restoreIntoFile(
  archive: string,
  { database, must }: Pick<Installation, 'database' | 'must'>,
  ...flags: readonly string[]
): Promise<readonly string[]> {
  const since = now();
  const expected = await madeByHand(archive);
  await must('restore', archive, '--yes', ...flags);
  return difference(await meaningOfDatabase(expected.url, since), await meaningOfFile(database.name, since));
}

/** A copy of a SQLite file that the gate has migrated to the head: the cells that PostgreSQL must contain. */
async function migrated(file: string): Promise<string> {
  const copy = await sqliteFile(file);
  const env = { DATABASE_URL: `sqlite:///${copy}`, BACKUP_FOLDER: join(copy, '..'), TT_BACKUP_BEFORE_MIGRATE: 'never' };
  const { exitCode, all } = await run([], { env });
  if (exitCode !== 0) throw new Error(all);
  return copy;
}

/** Of each table, row by row: the values by their meaning. */
type Meaning = ReadonlyMap<string, readonly string[]>;

/** Every row of a SQLite file converted to the types of PostgreSQL, by an independent implementation. */
async function meaningOfFile(file: string, since: string): Promise<Meaning> {
  const { tables } = await loadHead('postgresql');
  const sqlite = new Database(file, { readonly: true });
  try {
    return new Map(
      Object.entries(tables).map(([table, { columns }]) => {
        const names = Object.keys(columns).map((name) => `"${name}"`);
        const rows = sqlite
          .prepare<[], unknown[]>(`SELECT ${names.join(', ')} FROM "${table}"`)
          .raw()
          .all();
        const types = Object.values(columns).map(({ type }) => type);
        return [table, rows.map((row) => row.map((value, at) => meaning(value, types[at] ?? '', since)).join(' | '))];
      }),
    );
  } finally {
    sqlite.close();
  }
}

/** The same for a PostgreSQL database, with the rows that were set aside. */
async function meaningOfDatabase(url: string, since: string): Promise<Meaning> {
  const { tables } = await loadHead('postgresql');
  return withClient(url, async (client) => {
    const found = new Map<string, readonly string[]>();
    const { rows: asides } = await client.query<{ schema: string; table: string }>(
      `SELECT schemaname AS schema, tablename AS table FROM pg_tables WHERE schemaname LIKE 'tt\\_quarantine%'`,
    );
    for (const [table, { columns }] of Object.entries(tables)) {
      const types = Object.values(columns).map(({ type }) => type);
      const texts = Object.entries(columns).map(([name, { type }]) =>
        type === 'interval' ? `('epoch'::timestamp + "${name}")::text` : `"${name}"::text`,
      );
      const names = Object.keys(columns).map((name) => `"${name}"`);
      const selects = [
        `SELECT ${texts.join(', ')} FROM "${table}"`,
        ...asides
          .filter((aside) => aside.table === table)
          .map(({ schema }) => `SELECT ${names.join(', ')} FROM ${schema}."${table}"`),
      ];
      const { rows } = await client.query<(string | null)[]>({ text: selects.join(' UNION ALL '), rowMode: 'array' });
      found.set(
        table,
        rows.map((row) => row.map((value, at) => meaning(value, types[at] ?? '', since)).join(' | ')),
      );
    }
    return found;
  });
}

function meaning(value: unknown, type: string, since: string): string {
  if (typeof value !== 'string' && typeof value !== 'number') return 'NULL';
  const text = String(value);
  if (type === 'boolean') return /^(1|t|true)$/i.test(text) ? 'true' : 'false';
  if (type.startsWith('numeric(')) return Number(text).toFixed(Number(/,(\d+)/.exec(type)?.[1]));
  if (type === 'double precision' || type === 'integer') return String(Number(text));
  if (type.startsWith('json')) return jsonOf(text);
  if (!/^(time|interval)/.test(type)) return text;
  const time = text
    .replace('T', ' ')
    .replace(/\.(\d*?)0*$/, (_, digits: string) => (digits === '' ? '' : `.${digits}`));
  return time >= since ? '(now)' : time;
}

function jsonOf(text: string): string {
  try {
    return JSON.stringify(sorted(JSON.parse(text)));
  } catch {
    return text;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const parts = Object.entries(value).map(([key, part]) => [key, sorted(part)] as const);
  return Object.fromEntries(parts.toSorted(([one], [other]) => one.localeCompare(other)));
}

/** Rows that only one of both has, the first of them. */
function difference(expected: Meaning, found: Meaning): readonly string[] {
  const lines: string[] = [];
  for (const [table, rows] of expected) {
    const [were, are] = [rows.toSorted(), (found.get(table) ?? []).toSorted()];
    if (were.length !== are.length) lines.push(`${table}: ${were.length} rows, then ${are.length}`);
    lines.push(...were.filter((row) => !are.includes(row)).map((row) => `${table} - ${row}`));
    lines.push(...are.filter((row) => !were.includes(row)).map((row) => `${table} + ${row}`));
  }
  return lines.slice(0, 6);
}
