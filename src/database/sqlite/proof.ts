import SQLite from 'better-sqlite3';
import { isDatabaseFile } from './reading.ts';

/**
 * Proves that a file is a whole SQLite database. It may come from a stranger, and it may get side files meanwhile:
 * it should lie in a folder of its own. Synchronous, as the driver is.
 * @throws Error in SQLite's own words
 */
export function proveSqlite(file: string): void {
  if (!isDatabaseFile(file)) throw new Error('it is not a SQLite database');
  const database = new SQLite(file, { fileMustExist: true });
  try {
    database.pragma('trusted_schema = OFF');
    const [finding] = database.prepare<[], { integrity_check: string }>('PRAGMA integrity_check(1)').all();
    if (finding?.integrity_check !== 'ok') throw new Error(finding?.integrity_check ?? 'it does not answer');
  } finally {
    database.close();
  }
}
