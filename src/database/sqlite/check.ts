import { statSync } from 'node:fs';
import SQLite from 'better-sqlite3';
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
    let count = 0;
    for (const _ of database.prepare('PRAGMA foreign_key_check').iterate()) count++;
    return count;
  });
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
