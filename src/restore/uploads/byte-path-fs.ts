import {
  chmod,
  chown,
  copyFile,
  lstat,
  mkdir,
  open,
  opendir,
  readdir,
  readlink,
  rename,
  rmdir,
  symlink,
  unlink,
  utimes,
} from 'node:fs/promises';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { hasCode } from '../../errors/error-code.ts';

/** A path with one character for each byte. Names in old folders may not be valid UTF-8, and must still be moved. */
export type BytePath = string;

export const bytePathOf = (path: string): BytePath => Buffer.from(path).toString('latin1');
const bytesOf = (path: BytePath): Buffer => Buffer.from(path, 'latin1');

export type EntryKind = 'none' | 'folder' | 'file' | 'link' | 'other';

/** The kind of entry at a path; symbolic links are not followed. */
export async function kindOf(path: BytePath): Promise<EntryKind> {
  try {
    return statOf(path).kind;
  } catch (error) {
    // a parent of the path is not a folder
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return 'none';
    throw error;
  }
}

/**
 * The kind of an existing entry, its size in bytes, and its time of change in seconds since 1970: not every copy keeps
 * fractions.
 */
export function statOf(path: BytePath): {
  readonly kind: EntryKind;
  readonly size: number;
  readonly changedAt: number;
} {
  // of many thousands of files: a promise for each takes several times as long
  const stats = lstatSync(bytesOf(path));
  const { size, mtimeMs } = stats;
  const kind = stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : stats.isSymbolicLink() ? 'link' : 'other';
  return { kind, size, changedAt: Math.floor(mtimeMs / 1000) };
}

export async function namesIn(folder: BytePath): Promise<readonly BytePath[]> {
  return (await readdir(bytesOf(folder), { encoding: 'buffer' })).map((name) => name.toString('latin1'));
}

/** @returns false if a rename is impossible: another file system, a mount, or a target folder that is not empty */
export async function tryRename(from: BytePath, to: BytePath): Promise<boolean> {
  try {
    await rename(bytesOf(from), bytesOf(to));
    return true;
  } catch (error) {
    if (hasCode(error, 'EXDEV', 'EBUSY', 'ENOTEMPTY', 'EEXIST')) return false;
    // the application may have removed it in the meantime
    if (hasCode(error, 'ENOENT') && (await kindOf(from)) === 'none') return true;
    throw error;
  }
}

/** Makes a folder with the mode and owner of another one. */
export async function makeFolderLike(model: BytePath, folder: BytePath): Promise<void> {
  const { mode, uid, gid } = await lstat(bytesOf(model));
  await mkdir(bytesOf(folder));
  await giveOwner(folder, uid, gid);
  await chmod(bytesOf(folder), mode & 0o7777);
}

export async function removeEmptyFolder(folder: BytePath): Promise<void> {
  try {
    await rmdir(bytesOf(folder));
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'EBUSY', 'ENOENT')) throw error;
  }
}

/** Moves a file or a link to another file system: the original stays until the copy is on the disk. */
export async function copyAcross(from: BytePath, to: BytePath, kind: 'file' | 'link'): Promise<void> {
  if (kind === 'link') await symlink(await targetOf(from), bytesOf(to));
  else await copyWhole(from, to);
  await unlink(bytesOf(from));
}

async function copyWhole(from: BytePath, to: BytePath): Promise<void> {
  const copy = `${to}.db-init-copy`;
  const { uid, gid, mode, atime, mtime } = await lstat(bytesOf(from));
  await copyFile(bytesOf(from), bytesOf(copy));
  await giveOwner(copy, uid, gid);
  await chmod(bytesOf(copy), mode & 0o7777);
  await utimes(bytesOf(copy), atime, mtime);
  await sync(copy);
  await rename(bytesOf(copy), bytesOf(to));
}

/** Whether one file is a complete copy of the other on another file system, whose original was not removed yet. */
export async function isCopiedAcross(from: BytePath, to: BytePath): Promise<boolean> {
  const [one, other] = [await lstat(bytesOf(from)), await lstat(bytesOf(to))];
  if (one.dev === other.dev) return false;
  if (one.isSymbolicLink() && other.isSymbolicLink()) return (await targetOf(from)).equals(await targetOf(to));
  const alike = one.size === other.size && one.mtime.getTime() === other.mtime.getTime();
  return one.isFile() && other.isFile() && alike;
}

const targetOf = (link: BytePath): Promise<Buffer> => readlink(bytesOf(link), { encoding: 'buffer' });

export async function removeFile(path: BytePath): Promise<void> {
  await unlink(bytesOf(path));
}

/** Syncs a file, or the names in a folder, to the disk. */
export async function sync(path: BytePath): Promise<void> {
  const handle = await open(bytesOf(path));
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Files that are synced at the same time: a file system syncs several in the time of one. */
const syncedAtOnce = 16;

/**
 * Syncs a folder and everything in it to the disk. On Linux it syncs the whole file system, which is much faster than
 * thousands of single files.
 */
export async function syncTree(folder: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (process.platform === 'linux' && (await syncFileSystem(folder, signal))) return;
  let waiting: Promise<void>[] = [];
  for await (const entry of await opendir(folder)) {
    const path = join(folder, entry.name);
    waiting.push(entry.isDirectory() ? syncTree(path, signal) : sync(bytePathOf(path)));
    if (waiting.length < syncedAtOnce) continue;
    await Promise.all(waiting);
    waiting = [];
  }
  await Promise.all([...waiting, sync(bytePathOf(folder))]);
}

/** GNU and BusyBox have the option. @returns false if there is no such program or option */
async function syncFileSystem(folder: string, signal: AbortSignal): Promise<boolean> {
  const { failed } = await execa('sync', ['-f', folder], { reject: false, stdio: 'ignore' });
  signal.throwIfAborted();
  return !failed;
}

/** Only root may change the owner; otherwise files belong to the user who moves them. */
async function giveOwner(path: BytePath, uid: number, gid: number): Promise<void> {
  try {
    await chown(bytesOf(path), uid, gid);
  } catch (error) {
    if (!hasCode(error, 'EPERM', 'EINVAL', 'ENOTSUP')) throw error;
  }
}
