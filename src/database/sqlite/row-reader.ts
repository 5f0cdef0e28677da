import SQLite from 'better-sqlite3';
import { quoteName } from '../../platform/sql-quoting.ts';
import { countRows } from './count-rows.ts';

/** A value as stored: large integers as bigint, texts with invalid bytes as a Buffer. */
export type ExactValue = string | number | bigint | Buffer | null;

/** Reads the rows of a database file that no other process has open. */
export interface RowReader {
  holdsRows(table: string): boolean;
  /** The number of rows, counted in an index if there is one: an index still has the rows that a damaged table lost. */
  countedRows(table: string): number;
  /**
   * The rows of a table. Each begins with the place of the row for `exactRow`, followed by the columns.
   * @param exact whether integers are returned as `bigint`; otherwise those beyond 2^53 are not exact
   */
  rows(table: string, columns: readonly string[], exact: boolean): IterableIterator<readonly unknown[]>;
  /** One row with its values as stored. @param place as returned by `rows` */
  exactRow(table: string, columns: readonly string[], place: unknown): readonly ExactValue[];
  /** The storage classes of the values in a column (`typeof`), without NULL. */
  storedTypes(table: string, column: string): readonly string[];
  /**
   * The highest number in a column, or in sqlite_sequence (AUTOINCREMENT), after which PostgreSQL's `integer` has
   * another one; null if there is none.
   */
  lastNumber(table: string, column: string): number | null;
  close(): void;
}

/** The highest value of PostgreSQL's `integer` that is followed by another one. */
const highest = 2_147_483_646;

export function openRows(file: string): RowReader {
  const database = new SQLite(file, { readonly: true, fileMustExist: true });
  database.pragma('trusted_schema = OFF');
  const bytesOf = encoderOf(String(database.pragma('encoding', { simple: true })));
  const numbered = new Map<string, boolean>();
  const hasRowid = (table: string): boolean => {
    const known = numbered.get(table) ?? hasRowidColumn(database, table);
    numbered.set(table, known);
    return known;
  };
  return {
    holdsRows: (table) => database.prepare(`SELECT 1 FROM ${quoteName(table)} LIMIT 1`).get() !== undefined,

    countedRows: (table) => countRows(database, table),

    rows(table, columns, exact) {
      const names = columns.map(quoteName).join(', ');
      const hasNumbers = hasRowid(table);
      const isExact = exact || (hasNumbers && hasLargeRowids(database, table));
      const found = database
        .prepare<[], readonly unknown[]>(`SELECT ${hasNumbers ? '_rowid_' : 'NULL'}, ${names} FROM ${inOrder(table)}`)
        .safeIntegers(isExact)
        .raw()
        .iterate();
      return hasNumbers ? found : withPlaces(found);
    },

    exactRow(table, columns, place) {
      const parts = columns.map(quoteName).map((name) => `${name}, CAST(${name} AS BLOB)`);
      const row = database
        .prepare<[unknown], readonly unknown[]>(
          `SELECT ${parts.join(', ')} FROM ${inOrder(table)} ${hasRowid(table) ? 'WHERE _rowid_ = ?' : 'LIMIT 1 OFFSET ?'}`,
        )
        .safeIntegers(true)
        .raw()
        .get(place);
      return columns.map((_, index) => exactValue(row?.[2 * index], row?.[2 * index + 1], bytesOf));
    },

    storedTypes: (table, column) =>
      database
        .prepare<[], string>(
          `SELECT DISTINCT typeof(${quoteName(column)}) FROM ${quoteName(table)} WHERE ${quoteName(column)} IS NOT NULL`,
        )
        .pluck()
        .all(),

    lastNumber(table, column) {
      const counts = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").get() !== undefined;
      const given = counts ? ' UNION ALL SELECT seq FROM sqlite_sequence WHERE name = $table' : '';
      const last = database
        .prepare(
          `SELECT max(number) FROM (SELECT ${quoteName(column)} AS number FROM ${quoteName(table)}${given})
           WHERE typeof(number) = 'integer' AND number BETWEEN 1 AND ${highest}`,
        )
        .pluck()
        .get(...(counts ? [{ table }] : []));
      return typeof last === 'number' ? last : null;
    },

    close: () => void database.close(),
  };
}

/** Makes SQLite read the table itself: an index could return the rows in another order. */
const inOrder = (table: string): string => `${quoteName(table)} NOT INDEXED`;

/** Rows without a rowid are found again by their position. */
function* withPlaces(rows: Iterable<readonly unknown[]>): Generator<readonly unknown[], void, undefined> {
  let place = 0;
  for (const [, ...values] of rows) yield [place++, ...values];
}

/** A function that gives the bytes of a text in the encoding of a file. */
function encoderOf(encoding: string): (text: string) => Buffer {
  switch (encoding) {
    case 'UTF-16le':
      return (text) => Buffer.from(text, 'utf16le');
    case 'UTF-16be':
      return (text) => Buffer.from(text, 'utf16le').swap16();
    default:
      return (text) => Buffer.from(text);
  }
}

/** Whether a table has a rowid, and no declared column named `_rowid_`. */
function hasRowidColumn(database: SQLite.Database, table: string): boolean {
  const taken = database.prepare("SELECT 1 FROM pragma_table_xinfo(?) WHERE lower(name) = '_rowid_'").get(table);
  if (taken !== undefined) return false;
  try {
    database.prepare(`SELECT _rowid_ FROM ${quoteName(table)}`);
    return true;
  } catch (error) {
    if (error instanceof SQLite.SqliteError) return false;
    throw error;
  }
}

/** Whether rowids are beyond 2^53: as a `number` they would lead to another row. */
function hasLargeRowids(database: SQLite.Database, table: string): boolean {
  const beyond = (order: string, comparison: string): boolean =>
    database
      .prepare(
        `SELECT 1 FROM (SELECT _rowid_ AS place FROM ${inOrder(table)} ORDER BY _rowid_ ${order} LIMIT 1) WHERE place ${comparison}`,
      )
      .get() !== undefined;
  return beyond('DESC', `> ${Number.MAX_SAFE_INTEGER}`) || beyond('ASC', `< ${-Number.MAX_SAFE_INTEGER}`);
}

/** Returns the bytes of a text if they are invalid in its encoding. */
function exactValue(value: unknown, bytes: unknown, bytesOf: (text: string) => Buffer): ExactValue {
  if (typeof value === 'string') return Buffer.isBuffer(bytes) && !bytes.equals(bytesOf(value)) ? bytes : value;
  return typeof value === 'number' || typeof value === 'bigint' || Buffer.isBuffer(value) ? value : null;
}
