import { closeSync, constants, copyFileSync, mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import SQLite from 'better-sqlite3';
import { quoteName } from '../quoting.ts';
import { requireReadableSideFiles, roomFor } from './recover-side-files.ts';

/** A database file that is open, and how to be done with it. */
export interface OpenFile {
  readonly database: SQLite.Database;
  close(): void;
}

/** How often a file is copied that changes meanwhile, before it is read in place. */
const copies = 3;

/**
 * Opens a file to look into it, and leaves everything beside it as it is. Even a read-only connection writes side
 * files in WAL mode, and needs a folder where it may: such a file is read as a copy, together with its log.
 */
export function openForReading(file: string): OpenFile {
  requireReadableSideFiles(file);
  if (!isInWalMode(file)) return inPlace(file);
  const folder = mkdtempSync(join(roomFor(file), 'db-init-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const copy = join(folder, basename(file));
  try {
    for (let attempt = 1; !copyUnchanged(file, copy); attempt++) {
      if (attempt < copies) continue;
      // somebody is at work on it: the side files are there already, and change anyway
      remove();
      return inPlace(file);
    }
    const database = new SQLite(copy);
    const close = (): void => {
      database.close();
      remove();
    };
    return { database, close };
  } catch (error) {
    remove();
    throw error;
  }
}

function inPlace(file: string): OpenFile {
  const database = new SQLite(file, { readonly: true, timeout: 2000 });
  return { database, close: () => void database.close() };
}

/** The first bytes of a database file (https://sqlite.org/fileformat2.html#the_database_header). */
function readHeader(file: string): Buffer {
  const header = Buffer.alloc(20);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, header, 0, header.length, 0);
  } finally {
    closeSync(descriptor);
  }
  return header;
}

/** Whether a file is what SQLite writes. An empty file is an empty database. */
export function isDatabaseFile(file: string): boolean {
  return statSync(file).size === 0 || readHeader(file).toString('latin1', 0, 16) === 'SQLite format 3\0';
}

function isInWalMode(file: string): boolean {
  return readHeader(file)[18] === 2;
}

/** Copies a file and its log. @returns whether both stayed what they were meanwhile */
function copyUnchanged(file: string, copy: string): boolean {
  const before = marksOf(file);
  for (const suffix of ['', '-wal']) {
    rmSync(copy + suffix, { force: true });
    if (markOf(file + suffix) !== 'none') copyFileSync(file + suffix, copy + suffix, constants.COPYFILE_FICLONE);
  }
  return marksOf(file) === before;
}

function marksOf(file: string): string {
  return `${markOf(file)} ${markOf(`${file}-wal`)}`;
}

function markOf(file: string): string {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? 'none' : `${stats.ino}:${stats.size}:${stats.mtimeNs}`;
}

/** How many rows a table has. */
export function countRows(database: SQLite.Database, table: string): number {
  return Number(
    database
      .prepare(`SELECT count(*) FROM ${quoteName(table)}`)
      .pluck()
      .get(),
  );
}
