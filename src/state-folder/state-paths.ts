import { chmodSync, type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { makeFolder } from '../platform/make-folder.ts';
import type { Config } from '../config/config.ts';
import { hasCode } from '../errors/error-code.ts';
import { Failure } from '../errors/failure.ts';
import { currentUser } from '../platform/current-user.ts';
import { ownPrefix } from '../platform/own-files.ts';
import type { Trace } from '../model/state.ts';

/** The folder for the files in which db-init keeps state outside of the database. */
export function stateFolderOf(config: Pick<Config, 'backupFolder'>): string {
  return join(config.backupFolder, ownPrefix);
}

/**
 * Makes the folder of `stateFolderOf`, readable only for its owner whatever the umask: it holds copies of databases
 * and uploads during a restore. Makes the backup folder above it with the usual mode.
 * @throws Error of the file system, if it cannot be made
 */
export function makeStateFolder(folder: string): void {
  makeFolder(dirname(folder));
  const isNew = makeFolder(folder, 0o700);
  const mode = statSync(folder).mode & 0o777;
  // never add rights to an existing folder
  const wanted = isNew ? 0o700 : mode & 0o700;
  if (mode === wanted) return;
  try {
    chmodSync(folder, wanted);
  } catch (error) {
    // it has another owner, or the file system has no modes: a later write will show whether it is writable
    if (!hasCode(error, 'EPERM', 'ENOTSUP')) throw error;
  }
}

/** The file that records that a database was healthy here. */
export function stampFileOf(config: Pick<Config, 'backupFolder'>): string {
  return join(stateFolderOf(config), 'stamp.json');
}

/**
 * The journal of an unfinished restore.
 * @throws Failure `state-folder-denied` if the folder may not be read, so that nobody knows whether there is one
 */
export function findRestoreJournal(config: Pick<Config, 'backupFolder'>): string | null {
  const folder = stateFolderOf(config);
  const journal = join(folder, 'restore.json');
  try {
    return statSync(journal, { throwIfNoEntry: false }) === undefined ? null : journal;
  } catch (error) {
    if (!existsSync(folder)) return null;
    if (!hasCode(error, 'EACCES', 'EPERM')) return journal;
    const { uid: owner } = statSync(folder);
    throw new Failure({ kind: 'state-folder-denied', folder, owner, user: currentUser() }, { cause: error });
  }
}

export function restoreHistoryFileOf(config: Pick<Config, 'backupFolder'>): string {
  return join(stateFolderOf(config), 'restores.json');
}

export function onceFileOf(config: Pick<Config, 'backupFolder'>): string {
  return join(stateFolderOf(config), 'run-once.json');
}

/** A value that changes whenever a restore finishes. */
export function restoreHistoryVersion(config: Pick<Config, 'backupFolder'>): string {
  try {
    const { ino, mtimeMs } = statSync(restoreHistoryFileOf(config));
    return `${ino} ${mtimeMs}`;
  } catch {
    return 'none';
  }
}

/**
 * Finds traces of a former database on the volumes. An empty database beside such traces usually means a
 * lost or wrongly mounted database volume.
 */
export function findTracesOfDatabase(config: Pick<Config, 'backupFolder' | 'uploadRoots'>): readonly Trace[] {
  const traces: Trace[] = [];
  if (existsSync(stampFileOf(config))) traces.push({ kind: 'stamp', file: stampFileOf(config) });
  const backups = entriesOf(config.backupFolder).filter((entry) => entry.isFile() && entry.name.endsWith('.zip'));
  if (backups.length > 0) traces.push({ kind: 'backups', folder: config.backupFolder, count: backups.length });
  for (const { folder } of config.uploadRoots) {
    if (holdsFiles(folder, config.backupFolder)) traces.push({ kind: 'uploads', folder });
  }
  return traces;
}

/** Whether a folder holds any file except placeholders; the backup folder may be inside the uploads. */
export function holdsFiles(folder: string, backupFolder: string): boolean {
  if (resolve(folder) === resolve(backupFolder)) return false;
  return entriesOf(folder).some((entry) =>
    entry.isDirectory()
      ? holdsFiles(join(folder, entry.name), backupFolder)
      : entry.isFile() && entry.name !== '.gitkeep',
  );
}

/** The entries of a folder; none if it cannot be read. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
