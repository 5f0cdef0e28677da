import type { Row } from '../model/engine.ts';
import { setImmediate } from 'node:timers/promises';
import { number, text } from '../database/rows.ts';
import type { Session } from '../database/session.ts';
import type { Log } from '../report/log.ts';
import type { NewRow } from './generators/seed-context.ts';
import type { Counts, SeededTable } from './tables.ts';

/** Where rows go: the transaction, and who wants to know of them. */
export interface Site {
  readonly session: Session;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly counts: { -readonly [Table in keyof Counts]: Counts[Table] };
}

/** Rows that are in the database now. */
export interface Ensured {
  /** In the order of the rows that were asked for. */
  readonly ids: readonly number[];
  /** The places of those that were not there before. */
  readonly added: readonly number[];
}

/** Far below what the engines take: SQLite looks for each parameter among all those before it. */
const mostParameters = 1000;

/** Inserts rows that have the same columns. @returns what was asked for of each, in no particular order */
export async function add(
  { session, log, signal, counts }: Site,
  table: SeededTable,
  rows: readonly NewRow[],
  returning: readonly string[] = [],
): Promise<readonly Row[]> {
  const [first] = rows;
  if (first === undefined) return [];
  const columns = Object.keys(first);
  const end = returning.length > 0 ? ` RETURNING ${returning.join()}` : '';
  const returned: Row[] = [];
  for (const batch of batches(rows, Math.floor(mostParameters / columns.length))) {
    // on SQLite nothing else would run meanwhile, not even the signal to stop
    await setImmediate();
    signal.throwIfAborted();
    const rowPlaces = batch.map((_, row) => `(${placeholders(columns.length, row * columns.length)})`);
    const sql = `INSERT INTO ${table} (${columns.join()}) VALUES ${rowPlaces.join()}${end}`;
    const values = batch.flatMap((row) => columns.map((column) => row[column] ?? null));
    returned.push(...(await session.query(sql, values)));
  }
  counts[table] += rows.length;
  log.info(`  ${table}: ${rows.length} added`, { table, rows: rows.length });
  return returned;
}

/**
 * Inserts the rows that are not there yet.
 * @param keys the columns by which a row is recognised; the first of them narrows the search
 * @param complete what is still to be done to those that are missing
 */
export async function ensure(
  site: Site,
  table: SeededTable,
  keys: readonly [string, ...string[]],
  rows: readonly NewRow[],
  complete: (missing: readonly NewRow[]) => Promise<readonly NewRow[]> = async (missing) => missing,
): Promise<Ensured> {
  const known = await identify(site.session, table, keys, rows);
  const added = rows.flatMap((row, place) => (known.has(keyOf(row, keys)) ? [] : [place]));
  const missing = rows.filter((row) => !known.has(keyOf(row, keys)));
  for (const row of await add(site, table, await complete(missing), ['id', ...keys])) {
    known.set(keyOf(row, keys), number(row, 'id'));
  }
  const ids = rows.map((row) => known.get(keyOf(row, keys)));
  return { ids: ids.filter((id) => id !== undefined), added };
}

/** The ids of the rows that are there, by key; of several with the same key the oldest. */
async function identify(
  session: Session,
  table: SeededTable,
  keys: readonly [string, ...string[]],
  rows: readonly NewRow[],
): Promise<Map<string, number>> {
  const known = new Map<string, number>();
  const [scope] = keys;
  for (const row of await selectWhere(
    session,
    table,
    ['id', ...keys],
    scope,
    rows.map((each) => each[scope] ?? null),
  )) {
    const key = keyOf(row, keys);
    known.set(key, Math.min(number(row, 'id'), known.get(key) ?? Infinity));
  }
  return known;
}

/** Reads columns of the rows in which a column has one of the values. */
export async function selectWhere(
  session: Session,
  table: SeededTable,
  columns: readonly string[],
  where: string,
  values: readonly NewRow[string][],
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const batch of batches([...new Set(values)], mostParameters)) {
    const sql = `SELECT ${columns.join()} FROM ${table} WHERE ${where} IN (${placeholders(batch.length)})`;
    rows.push(...(await session.query(sql, batch)));
  }
  return rows;
}

/** The numbers up to `count` that no row bears yet. */
export async function missingNumbers(
  session: Session,
  { table, column, like, pattern }: { table: SeededTable; column: string; like: string; pattern: RegExp },
  count: number,
): Promise<readonly number[]> {
  const rows = await session.query(`SELECT ${column} AS mark FROM ${table} WHERE ${column} LIKE $1`, [like]);
  const present = new Set(rows.map((row) => Number(pattern.exec(text(row, 'mark'))?.[1])));
  return Array.from({ length: count }, (_, index) => index + 1).filter((each) => !present.has(each));
}

/** Leaves a column empty where another row has its value: it must be unique, and need not be there. */
export function withoutTaken(
  session: Session,
  table: SeededTable,
  column: string,
): (rows: readonly NewRow[]) => Promise<readonly NewRow[]> {
  return async (rows) => {
    const found = await selectWhere(
      session,
      table,
      [column],
      column,
      rows.map((row) => row[column] ?? null),
    );
    const taken = new Set(found.map((row) => row[column]));
    return rows.map((row) => (taken.has(row[column]) ? { ...row, [column]: null } : row));
  };
}

/** `$1,$2,$3`, or from further on. */
const placeholders = (count: number, after = 0): string =>
  Array.from({ length: count }, (_, index) => `$${after + index + 1}`).join();

const keyOf = (row: Readonly<Record<string, unknown>>, keys: readonly string[]): string =>
  JSON.stringify(keys.map((key) => row[key]));

function* batches<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
