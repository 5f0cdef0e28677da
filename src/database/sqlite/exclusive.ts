import type { Relation } from '../../model/database-facts.ts';
import SQLite from 'better-sqlite3';
import { inspect } from './inspect.ts';
import { isBusy } from './lock.ts';
import { findOpenFileHolders } from './open-file-holders.ts';
import { countRows, isDatabaseFile, openForReading } from './open-readonly.ts';
import { requireOwnSideFiles } from './recover-side-files.ts';

/** Milliseconds to wait for others to finish their transactions. */
const patience = 2000;

/**
 * Runs `work` on a database file that nobody else has open, as far as kernel and locks can tell, with everything that belongs to
 * it in the one file: a transaction that was cut off is rolled back, the write-ahead log written back. What is no
 * database can be in nobody's use either: it and what lies beside it stay as they are.
 * @returns whether the file was to be had; if not, `work` did not run
 */
export function withExclusiveFile(file: string, work: () => void): boolean {
  if (!isDatabaseFile(file)) {
    work();
    return true;
  }
  // what others have open without a lock, SQLite does not know
  if (findOpenFileHolders(file) === 'some') return false;
  requireOwnSideFiles(file);
  settle(file);
  const database = new SQLite(file, { timeout: patience });
  try {
    // before the first access: with a write-ahead log this is what keeps out those who only have the file open
    database.pragma('locking_mode = EXCLUSIVE');
    if (!isAcquired(() => database.exec('BEGIN EXCLUSIVE'))) return false;
    work();
  } finally {
    database.close();
  }
  return true;
}

/** The last connection that closes leaves no side files. */
function settle(file: string): void {
  const database = new SQLite(file, { timeout: patience });
  try {
    isAcquired(() => database.pragma('wal_checkpoint(TRUNCATE)'));
  } finally {
    database.close();
  }
}

/** @returns false if somebody else is in the way */
function isAcquired(access: () => unknown): boolean {
  try {
    access();
    return true;
  } catch (error) {
    if (isBusy(error)) return false;
    if (error instanceof SQLite.SqliteError && /^SQLITE_(NOTADB|CORRUPT)/.test(error.code)) return true;
    throw error;
  }
}

/** A relation of a database file with the number of its rows. */
export interface CountedRelation extends Pick<Relation, 'name' | 'kind'> {
  readonly rows: number | null;
}

/** What a database file holds; null if it cannot be read. Nothing is written. */
export function countRelations(file: string): readonly CountedRelation[] | null {
  try {
    if (!isDatabaseFile(file)) return null;
    const open = openForReading(file);
    try {
      return inspect(open.database).relations.map(({ name, kind }) => ({
        name,
        kind,
        rows: kind === 'table' ? countRows(open.database, name) : null,
      }));
    } finally {
      open.close();
    }
  } catch {
    return null;
  }
}
