import { statSync } from 'node:fs';
import SQLite from 'better-sqlite3';
import { quoteName } from '../quoting.ts';
import type { Row } from '../session.ts';
import { isDatabaseFile } from './reading.ts';

/** Rows that break a rule of their table: the file is sound, and old databases hold some. */
const notDamage = /^(NULL value in|CHECK constraint failed in) /;
/** So many of those may come before the first damage is found. */
const findings = 10_000;

/**
 * Proves a database file, which nobody else has open: it may come from a stranger.
 * @returns what is wrong with it, a sentence without its full stop; null if it is sound
 */
export function checkSqliteFile(file: string): string | null {
  if (statSync(file).size === 0) return 'it is empty';
  if (!isDatabaseFile(file)) return 'it is not a SQLite database';
  try {
    return withFile(file, (database) => {
      const found = database.prepare<[], string>(`PRAGMA integrity_check(${findings})`).pluck().all();
      return found.find((finding) => finding !== 'ok' && !notDamage.test(finding)) ?? null;
    });
  } catch (error) {
    if (error instanceof SQLite.SqliteError) return error.message;
    throw error;
  }
}

/** How many rows of a sound database file refer to nothing. That is no damage: SQLite does not look unless asked to. */
export function countDanglingReferences(file: string): number {
  return withFile(file, (database) => {
    return [...danglingReferences(database).values()].reduce((sum, count) => sum + count, 0);
  });
}

/**
 * How many rows refer to nothing, by table and referenced table. Asked table by table: a foreign key to columns that
 * are not unique, which an owner's table may have, ends the question for all tables at once
 * (https://sqlite.org/foreignkeys.html#fk_indexes).
 */
export function danglingReferences(database: SQLite.Database): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const tables = database.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
  for (const table of tables) {
    try {
      for (const row of database.prepare<[], Row>(`PRAGMA foreign_key_check(${quoteName(table)})`).iterate()) {
        const reference = `${String(row['table'])} to ${String(row['parent'])}`;
        counts.set(reference, (counts.get(reference) ?? 0) + 1);
      }
    } catch (error) {
      if (!(error instanceof SQLite.SqliteError) || !error.message.startsWith('foreign key mismatch')) throw error;
    }
  }
  return counts;
}

function withFile<Result>(file: string, work: (database: SQLite.Database) => Result): Result {
  const database = new SQLite(file, { fileMustExist: true });
  try {
    // what its schema calls in views and indexes is not to be run
    database.pragma('trusted_schema = OFF');
    database.pragma('cell_size_check = ON');
    return work(database);
  } finally {
    database.close();
  }
}
