import { chmodSync, type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { makeFolder } from '../platform/make-folder.ts';
import type { Config } from '../config/config.ts';
import { hasCode } from '../errors/error-code.ts';
import { ownPrefix } from '../platform/own-files.ts';

/** Where db-init keeps what it must remember outside the database. */
export function stateFolderOf(config: Pick<Config, 'backupFolder'>): string {
  return join(config.backupFolder, ownPrefix);
}

/**
 * Makes the folder that `stateFolderOf` names, readable for its owner alone whatever the umask is: copies of databases
 * and uploads lie in it during a restore. The backup folder above it is made as usual.
 * @throws Error of the file system, if it cannot be made
 */
export function makeStateFolder(folder: string): void {
  makeFolder(dirname(folder));
  const isNew = makeFolder(folder, 0o700);
  const mode = statSync(folder).mode & 0o777;
  // an older folder never gets more rights than it has
  const wanted = isNew ? 0o700 : mode & 0o700;
  if (mode === wanted) return;
  try {
    chmodSync(folder, wanted);
  } catch (error) {
    // somebody else's, or a file system without modes: whether it can be written to is seen at the writing
    if (!hasCode(error, 'EPERM', 'ENOTSUP')) throw error;
  }
}

/** The note that a database was healthy here once. */
export function stampFileOf(config: Pick<Config, 'backupFolder'>): string {
  return join(stateFolderOf(config), 'stamp.json');
}

/** The journal of a restore, if one did not finish, or if nobody can tell: a folder that may not be searched is not empty. */
export function findRestoreJournal(config: Pick<Config, 'backupFolder'>): string | null {
  const folder = stateFolderOf(config);
  const journal = join(folder, 'restore.json');
  try {
    return statSync(journal, { throwIfNoEntry: false }) === undefined ? null : journal;
  } catch {
    return existsSync(folder) ? journal : null;
  }
}

/** The memory of restores that were finished. */
export function restoreHistoryOf(config: Pick<Config, 'backupFolder'>): string {
  return join(stateFolderOf(config), 'restores.json');
}

/** The memory of what TT_RUN_ONCE named. */
export function onceMemoryOf(config: Pick<Config, 'backupFolder'>): string {
  return join(stateFolderOf(config), 'run-once.json');
}

/** A value that changes whenever a restore finishes. */
export function restoreHistoryVersion(config: Pick<Config, 'backupFolder'>): string {
  try {
    const { ino, mtimeMs } = statSync(restoreHistoryOf(config));
    return `${ino} ${mtimeMs}`;
  } catch {
    return 'none';
  }
}

/**
 * Traces of a former database on the volumes, a sentence each. An empty database beside them is what a lost or
 * wrongly mounted database volume looks like.
 */
export function findTraces(config: Pick<Config, 'backupFolder' | 'uploadRoots'>): readonly string[] {
  const traces: string[] = [];
  if (existsSync(stampFileOf(config))) traces.push(`A database was healthy here before: ${stampFileOf(config)}.`);
  const backups = entriesOf(config.backupFolder).filter((entry) => entry.isFile() && entry.name.endsWith('.zip'));
  if (backups.length > 0) traces.push(`There are backups in ${config.backupFolder}: ${backups.length}.`);
  for (const { folder } of config.uploadRoots) {
    if (holdsFiles(folder, config.backupFolder)) traces.push(`There are uploads in ${folder}.`);
  }
  return traces;
}

/** Whether there is any file below a folder but placeholders; the backup folder may lie among the uploads. */
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
