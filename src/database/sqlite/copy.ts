import { statSync } from 'node:fs';
import SQLite from 'better-sqlite3';
import { requireOwnSideFiles } from './recover-side-files.ts';

/**
 * Copies a database file in one snapshot, with the content of its write-ahead log, and checks the copy. Synchronous
 * like the driver: a signal is handled only after it has finished.
 * @param target must not exist
 * @throws Error if either file is damaged
 */
export function copySqlite(file: string, target: string): void {
  requireOwnSideFiles(file);
  withFile(file, (database) => database.prepare('VACUUM INTO ?').run(target));
  withFile(target, (database) => {
    const findings = database.pragma('integrity_check', { simple: true });
    if (findings !== 'ok') throw new Error(`the copy is damaged: ${String(findings)}`);
  });
}

function withFile(file: string, work: (database: SQLite.Database) => void): void {
  const database = new SQLite(file, { fileMustExist: true, timeout: 10_000 });
  try {
    work(database);
  } finally {
    database.close();
  }
}

/** Bytes of a database file and its write-ahead log. */
export function sizeOfSqlite(file: string): number {
  const sizes = [file, `${file}-wal`].map((path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}
