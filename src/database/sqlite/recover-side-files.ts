import { sqliteReasons } from '../../report/sqlite-reasons.ts';
import { syncToDisk } from '../../platform/durable-file.ts';
import type { SideFileFault } from '../../model/state.ts';
import { copyFileSync, constants, existsSync, linkSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import SQLite from 'better-sqlite3';
import { makeFolder } from '../../platform/make-folder.ts';
import { Failure, reasonOf } from '../../errors/failure.ts';
import { countRows } from './count-rows.ts';
import { firstDamage } from './damage.ts';
import { isBusy } from './lock.ts';
import { findMismatch, readFileHeader } from './side-file-headers.ts';
import { hasSideFiles, logSuffixes, markOf, sizeOf } from './wal-files.ts';
import { ownPrefix } from '../../platform/own-files.ts';
import { freeBytes } from '../../platform/free-space.ts';

/** How many copies are kept that were made before recoveries. */
const keptRecoveries = 2;
/** The tables that identify the database: the core tables and the ledger. This layer knows no other tables. */
const applicationTables: ReadonlySet<string> = new Set([
  'alembic_version',
  'users',
  'projects',
  'time_entries',
  'settings',
  'clients',
]);
/** The tables among them that the application never empties. */
const neverEmpty: ReadonlySet<string> = new Set(['alembic_version', 'users', 'settings']);

/** Tables of a file with their numbers of rows; null for a file that cannot be read. */
type Contents = ReadonlyMap<string, number> | null;

/**
 * Checks that the WAL or rollback journal beside a file belongs to it. Must be called before SQLite may write to the
 * file: SQLite recovers a file from any log beside it, and the log of another copy of the database destroys the file
 * (https://sqlite.org/howtocorrupt.html#_unlinking_or_renaming_a_database_file_while_in_use). If the log has content,
 * the recovery is first tried on a copy, and a copy of the file and the log is kept.
 * @param onKept called with the folder of the kept copies
 * @throws Failure `unreadable` if the log does not belong to the file, or if that is uncertain; nothing was changed
 */
export function requireOwnSideFiles(file: string, onKept: (folder: string) => void = () => undefined): void {
  if (!hasSideFiles(file) || isInUse(file)) return;
  const folder = join(dirname(file), `${ownPrefix}-recovered`);
  requireSpace(file, dirname(file), 2);
  const before = markOf(file);
  makeFolder(folder, 0o700);
  const copies = mkdtempSync(
    join(folder, `${basename(file)}-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}-`),
  );
  try {
    const copy = copyInto(file, copies);
    requireSame(file, before);
    const scratch = mkdtempSync(join(copies, 'scratch-'));
    requireRecoverable(file, copy, scratch);
    rmSync(scratch, { recursive: true });
    requireSame(file, before);
    for (const side of ['', ...logSuffixes]) if (existsSync(copy + side)) syncToDisk(copy + side);
    syncToDisk(copies);
  } catch (error) {
    rmSync(copies, { recursive: true, force: true });
    if (readdirSync(folder).length === 0) rmSync(folder, { recursive: true });
    throw error;
  }
  prune(folder, basename(file));
  onKept(copies);
}

/** Does the same check for a file that is only read; keeps no copies. @throws Failure `unreadable` */
export function requireReadableSideFiles(file: string): void {
  if (!hasSideFiles(file)) return;
  const before = markOf(file);
  const scratch = mkdtempSync(join(folderWithSpace(file), 'db-init-'));
  try {
    requireRecoverable(file, file, scratch);
  } catch (error) {
    // if the file has changed during the check, the application is using it, and the log belongs to it
    if (markOf(file) === before) throw error;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Recovers a copy, and compares it with the file without its log. @throws Failure `unreadable` */
function requireRecoverable(file: string, from: string, scratch: string): void {
  const mismatch = findMismatch(from);
  if (mismatch !== null) throw staleSideFile(file, mismatch);
  const copy = copyFileTo(from, scratch);
  const alone = contentsOf(copy, () => null);
  for (const log of logSuffixes) {
    rmSync(copy + log, { force: true });
    if (sizeOf(from + log) > 0) copyFileSync(from + log, copy + log, constants.COPYFILE_FICLONE);
  }
  const side = sizeOf(`${from}-journal`) > 0 ? '-journal' : '-wal';
  const recovered = contentsOf(copy, (reason) => {
    throw staleSideFile(file, { side, kind: 'damages', reason });
  });
  const lost = findLoss(alone, recovered);
  // the journal of an adoption that was killed during COMMIT: its rollback removes only the ledger that it created
  if (side === '-journal' && lost.join() === 'alembic_version') return;
  if (lost.length > 0) throw staleSideFile(file, { side, kind: 'loses', tables: lost });
}

/** The tables of the application that a recovery would remove or empty. Pure. */
export function findLoss(alone: Contents, recovered: Contents): readonly string[] {
  return [...applicationTables].filter((table) => {
    const [before, after] = [alone?.get(table), recovered?.get(table)];
    if (before === undefined) return false;
    return after === undefined || (before > 0 && after === 0 && neverEmpty.has(table));
  });
}

/** Counts the rows of the tables in `telling`. @param onDamage called with the reason if the file is damaged */
function contentsOf(file: string, onDamage: (reason: string) => null): Contents {
  try {
    const database = new SQLite(file);
    try {
      database.pragma('trusted_schema = OFF');
      const damage = firstDamage(database.prepare<[], string>('PRAGMA integrity_check').pluck().all());
      if (damage !== null) return onDamage(damage.split('\n')[0] ?? damage);
      const tables = database.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
      return new Map(
        tables.filter((name) => applicationTables.has(name)).map((name) => [name, countRows(database, name)]),
      );
    } finally {
      database.close();
    }
  } catch (error) {
    if (error instanceof SQLite.SqliteError) return onDamage(reasonOf(error));
    throw error;
  }
}

/**
 * Whether a running program uses the file, so that the log belongs to it. The lock is tried through a hard link without
 * a log beside it: SQLite finds a log by the name of the file and would recover the file.
 * In WAL mode every connection holds a shared lock; in the other modes only a writer has a journal.
 */
function isInUse(file: string): boolean {
  const header = readFileHeader(file);
  const walMode = header?.writeVersion === 2;
  if (header === null || sizeOf(`${file}${walMode ? '-journal' : '-wal'}`) > 0) return false;
  const probe = `${file}.db-init-probe`;
  const remove = (): void => ['', '-wal', '-shm', '-journal'].forEach((side) => rmSync(probe + side, { force: true }));
  remove();
  try {
    linkSync(file, probe);
  } catch {
    // without a hard link the lock cannot be tried, so the log is checked
    return false;
  }
  const database = new SQLite(probe, { timeout: 0 });
  try {
    if (walMode) database.pragma('locking_mode = EXCLUSIVE');
    database.exec(walMode ? 'BEGIN EXCLUSIVE' : 'BEGIN IMMEDIATE');
    database.exec('ROLLBACK');
    return false;
  } catch (error) {
    return isBusy(error);
  } finally {
    database.close();
    remove();
  }
}

function copyInto(file: string, folder: string): string {
  const copy = copyFileTo(file, folder);
  for (const log of logSuffixes) {
    if (sizeOf(file + log) > 0) copyFileSync(file + log, copy + log, constants.COPYFILE_FICLONE);
  }
  return copy;
}

function copyFileTo(file: string, folder: string): string {
  const copy = join(folder, basename(file));
  copyFileSync(file, copy, constants.COPYFILE_FICLONE);
  return copy;
}

function prune(folder: string, name: string): void {
  const folders = readdirSync(folder).filter((entry) => entry.startsWith(`${name}-`));
  for (const old of folders.toSorted().slice(0, -keptRecoveries))
    rmSync(join(folder, old), { recursive: true, force: true });
}

/** Finds the first folder with space for a copy; the folder for temporary files is often a small tmpfs. */
export function folderWithSpace(file: string): string {
  const places = [tmpdir(), dirname(file)];
  const place = places.find((folder) => freeBytes(folder) > neededFor(file, 1));
  if (place !== undefined) return place;
  throw noSpace(file, `neither ${places.join(' nor ')} has`, neededFor(file, 1));
}

/** The size of the smallest WAL index (https://sqlite.org/walformat.html#the_wal_index_file_format). */
const walIndexBytes = 32 * 1024;

/**
 * Whether the disk has no space for the WAL index of a file: a run that writes cannot open a database in WAL mode
 * without one, even if it writes nothing.
 */
export function lacksRoomForWalIndex(file: string): boolean {
  const holdsHeader = statSync(file, { throwIfNoEntry: false })?.isFile() === true && sizeOf(file) >= 100;
  if (!holdsHeader || readFileHeader(file)?.writeVersion !== 2) return false;
  return sizeOf(`${file}-shm`) < walIndexBytes && freeBytes(dirname(file)) < walIndexBytes;
}

function requireSpace(file: string, folder: string, copies: number): void {
  const needed = neededFor(file, copies);
  if (freeBytes(folder) < needed) throw noSpace(file, `${folder} does not have`, needed);
}

/** The bytes that copies need: a checkpoint can make the file longer by the size of the WAL. */
function neededFor(file: string, copies: number): number {
  const all = ['', ...logSuffixes].reduce((total, side) => total + sizeOf(file + side), 0);
  return copies * all + sizeOf(`${file}-wal`);
}

function requireSame(file: string, mark: string): void {
  if (markOf(file) === mark) return;
  const reason = sqliteReasons.changedMeanwhile(file);
  throw new Failure({ kind: 'unreadable', database: file, reason });
}

function noSpace(file: string, who: string, bytes: number): Failure {
  const reason = sqliteReasons.noRoom(file, who, bytes);
  return new Failure({ kind: 'unreadable', database: file, reason });
}

function staleSideFile(file: string, fault: SideFileFault): Failure {
  const reason = sqliteReasons.staleSideFile(file, fault.side);
  return new Failure({ kind: 'unreadable', database: file, reason, sideFile: fault });
}
