import { syncToDisk } from '../platform/durable-file.ts';
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { access, constants, link, rename, rm, stat, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../platform/make-folder.ts';
import { hasCode } from '../errors/error-code.ts';
import { reasonOf } from '../errors/failure.ts';
import { type BackupContext, backupFailure } from './context.ts';
import { freeBytes } from '../platform/free-space.ts';
import { isSpool } from '../archive/spool.ts';
import { backupReasons } from '../report/backup-messages.ts';

export interface Destination {
  readonly folder: string;
  /** The path that the operator asked for; null for the application's naming scheme in the folder. */
  readonly file: string | null;
}

/** Distinguishes the partial files of this database from those of another database with the same backup folder. */
export function tagOf(database: string): string {
  return createHash('sha256').update(database).digest('hex').slice(0, 8);
}

/** Makes the folder if it does not exist. @throws Failure `backup-failed` */
export async function prepareFolder(folder: string, context: BackupContext): Promise<void> {
  try {
    makeFolder(folder);
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw backupFailure(context, { kind: 'folder', folder, reason: reasonOf(error) });
  }
}

/** Checks that the folder, or its nearest existing parent, can be written. @throws Failure `backup-failed` */
export async function requireWritableFolder(folder: string, context: Pick<BackupContext, 'database'>): Promise<void> {
  let place = folder;
  while (!existsSync(place) && place !== dirname(place)) place = dirname(place);
  try {
    if (!statSync(place).isDirectory()) throw new Error(backupReasons.noFolder(place));
    await access(place, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw backupFailure(context, { kind: 'folder', folder, reason: reasonOf(error) });
  }
}

/**
 * Checks the free space. The folder may be on the same disk as the database: better no backup than a full disk.
 * @throws Failure `backup-failed`
 */
export function requireSpace(folder: string, needed: number, context: BackupContext): void {
  const free = freeBytes(folder);
  if (free < needed) throw backupFailure(context, { kind: 'no-space', folder, needed, free });
}

/**
 * Gives a verified archive its name: the path that the operator asked for, or the next free name. It never overwrites
 * a file.
 * @throws Error if the path that the operator asked for exists
 */
export async function giveName(partial: string, wanted: string, { file }: Destination): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const path = attempt === 1 ? wanted : wanted.replace(/\.zip$/, `_${attempt}.zip`);
    if (await claimName(partial, path)) {
      syncToDisk(dirname(path));
      return path;
    }
    if (file !== null) throw new Error(backupReasons.fileExists(file));
  }
}

/** @returns false if the name is taken */
async function claimName(partial: string, path: string): Promise<boolean> {
  try {
    // unlike a rename, a link never replaces an existing file
    await link(partial, path);
    await rm(partial);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    // on file systems without hard links, the run lock keeps other runs away
    if (await stat(path).catch(() => null)) return false;
    await rename(partial, path);
    return true;
  }
}

/**
 * Removes the partial files of killed runs. The caller holds the run lock, so no run is writing them.
 * @param tag the tag of the database: another database may be backed up to the same folder at this moment
 */
export async function removePartialFiles(folder: string, tag: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const ours = name.startsWith('timetracker_backup_') && new RegExp(`\\.${tag}(\\.sqlite)?\\.partial`).test(name);
    if (ours) await rm(join(folder, name), { force: true });
  }
  await removeOldSpools(folder);
}

/** Milliseconds: longer than a run may wait for the lock with a received archive that it has not restored yet. */
const spoolLifetime = 48 * 60 * 60 * 1000;

/** Archives are received without the run lock: only their age shows that no run needs them any more. */
async function removeOldSpools(folder: string): Promise<void> {
  for (const name of (await readdir(folder)).filter(isSpool)) {
    const path = join(folder, name);
    const stats = await stat(path).catch(() => null);
    if (stats !== null && Date.now() - stats.mtimeMs > spoolLifetime) await rm(path, { force: true });
  }
}
