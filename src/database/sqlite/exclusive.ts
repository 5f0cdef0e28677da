import type { Relation } from '../../model/database-facts.ts';
import SQLite from 'better-sqlite3';
import { inspect } from './inspect.ts';
import { isBusy } from './lock.ts';
import { findOpenFileHolders } from './open-file-holders.ts';
import { isDatabaseFile, openForReading } from './open-readonly.ts';
import { countRows } from './count-rows.ts';
import { requireOwnSideFiles } from './recover-side-files.ts';

/** Milliseconds to wait for the transactions of other processes. */
const lockTimeoutMs = 2000;

/**
 * Runs `work` on a database file that no other process has open, as far as the kernel and file locks show. First, an
 * interrupted transaction is rolled back and the write-ahead log is written into the file, so that the file is
 * complete. A file that is not a database is not opened, and its side files stay unchanged.
 * @returns false if another process uses the file; then `work` did not run
 */
export function withExclusiveFile(file: string, work: () => void): boolean {
  if (!isDatabaseFile(file)) {
    work();
    return true;
  }
  // SQLite does not notice programs that have the file open without a lock
  if (findOpenFileHolders(file) === 'some') return false;
  requireOwnSideFiles(file);
  checkpoint(file);
  const database = new SQLite(file, { timeout: lockTimeoutMs });
  try {
    // before the first access: in WAL mode this also excludes programs that only have the file open
    database.pragma('locking_mode = EXCLUSIVE');
    if (!succeedsUnlessLocked(() => database.exec('BEGIN EXCLUSIVE'))) return false;
    work();
  } finally {
    database.close();
  }
  return true;
}

/** Writes the WAL into the file. When the last connection is closed, SQLite removes the side files. */
function checkpoint(file: string): void {
  const database = new SQLite(file, { timeout: lockTimeoutMs });
  try {
    succeedsUnlessLocked(() => database.pragma('wal_checkpoint(TRUNCATE)'));
  } finally {
    database.close();
  }
}

/** @returns false if another program holds a lock */
function succeedsUnlessLocked(access: () => unknown): boolean {
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

/** Lists the relations of a database file with their numbers of rows; null if it cannot be read. Writes nothing. */
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
