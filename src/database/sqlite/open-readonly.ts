import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import SQLite from 'better-sqlite3';
import { requireReadableSideFiles, folderWithSpace } from './recover-side-files.ts';
import { markOf } from './wal-files.ts';

/** An open database file. `close` also removes its temporary copy, if there is one. */
export interface OpenFile {
  readonly database: SQLite.Database;
  close(): void;
}

/** How often to copy a file that changes during the copy, before it is read in place. */
const mostCopies = 3;

/**
 * Opens a file for reading without changing its side files. In WAL mode even a read-only connection writes side files
 * and needs write access to the folder, so such a file is copied with its WAL, and the copy is opened.
 */
export function openForReading(file: string): OpenFile {
  requireReadableSideFiles(file);
  if (!isInWalMode(file)) return inPlace(file);
  const folder = mkdtempSync(join(folderWithSpace(file), 'db-init-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const copy = join(folder, basename(file));
  try {
    for (let attempt = 1; !copyUnchanged(file, copy); attempt++) {
      if (attempt < mostCopies) continue;
      // another program writes to it: the side files exist already and change anyway
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

/** Whether a file has the header of a SQLite database. An empty file is an empty database. */
export function isDatabaseFile(file: string): boolean {
  return statSync(file).size === 0 || readHeader(file).toString('latin1', 0, 16) === 'SQLite format 3\0';
}

function isInWalMode(file: string): boolean {
  return readHeader(file)[18] === 2;
}

/** Copies a file and its WAL. @returns whether both stayed unchanged during the copy */
function copyUnchanged(file: string, copy: string): boolean {
  const before = markOf(file);
  for (const suffix of ['', '-wal']) {
    rmSync(copy + suffix, { force: true });
    if (existsSync(file + suffix)) copyFileSync(file + suffix, copy + suffix, constants.COPYFILE_FICLONE);
  }
  return markOf(file) === before;
}
