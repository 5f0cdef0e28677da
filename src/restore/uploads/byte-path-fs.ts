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
import { join } from 'node:path';
import { execa } from 'execa';
import { hasCode } from '../../errors/error-code.ts';

/**
 * A path with a character for each byte. Names in old folders need not be UTF-8, and what cannot be named cannot be
 * moved.
 */
export type BytePath = string;

export const bytePathOf = (path: string): BytePath => Buffer.from(path).toString('latin1');
const bytesOf = (path: BytePath): Buffer => Buffer.from(path, 'latin1');

export type EntryKind = 'none' | 'folder' | 'file' | 'link' | 'other';

/** What lies at a path; a symbolic link is itself, never what it points to. */
export async function kindOf(path: BytePath): Promise<EntryKind> {
  try {
    return (await statOf(path)).kind;
  } catch (error) {
    // a path through something that is no folder leads nowhere
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return 'none';
    throw error;
  }
}

/** What lies at a path that is there, its size in bytes, and when it was changed, in seconds since 1970: not every copy keeps more. */
export async function statOf(
  path: BytePath,
): Promise<{ readonly kind: EntryKind; readonly size: number; readonly changedAt: number }> {
  const stats = await lstat(bytesOf(path));
  const { size, mtimeMs } = stats;
  const kind = stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : stats.isSymbolicLink() ? 'link' : 'other';
  return { kind, size, changedAt: Math.floor(mtimeMs / 1000) };
}

export async function namesIn(folder: BytePath): Promise<readonly BytePath[]> {
  return (await readdir(bytesOf(folder), { encoding: 'buffer' })).map((name) => name.toString('latin1'));
}

/** @returns false if it cannot be had by a rename: another file system, a mount, or a folder that is filled */
export async function renamed(from: BytePath, to: BytePath): Promise<boolean> {
  try {
    await rename(bytesOf(from), bytesOf(to));
    return true;
  } catch (error) {
    if (hasCode(error, 'EXDEV', 'EBUSY', 'ENOTEMPTY', 'EEXIST')) return false;
    // the application may have removed it this moment
    if (hasCode(error, 'ENOENT') && (await kindOf(from)) === 'none') return true;
    throw error;
  }
}

/** Makes a folder like another one. */
export async function makeFolderLike(model: BytePath, folder: BytePath): Promise<void> {
  const { mode, uid, gid } = await lstat(bytesOf(model));
  await mkdir(bytesOf(folder));
  await giveOwner(folder, uid, gid);
  await chmod(bytesOf(folder), mode & 0o7777);
}

/** Removes a folder that is empty; others stay. */
export async function removeEmptyFolder(folder: BytePath): Promise<void> {
  try {
    await rmdir(bytesOf(folder));
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'EBUSY', 'ENOENT')) throw error;
  }
}

/** Brings a file or a link to another file system: until the copy is on the disk, the original stays. */
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

/** Whether one is a finished copy of the other on another file system, whose original was not removed any more. */
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

/** Puts a file, or the names in a folder, on the disk. */
export async function sync(path: BytePath): Promise<void> {
  const handle = await open(bytesOf(path));
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Files that are put on the disk at once: file systems write down several in the time of one. */
const together = 16;

/**
 * Puts a folder and everything in it on the disk. Linux does that for the file system as a whole, which takes a moment
 * where thousands of files, one by one, take minutes.
 */
export async function syncTree(folder: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (process.platform === 'linux' && (await syncFileSystem(folder, signal))) return;
  let waiting: Promise<void>[] = [];
  for await (const entry of await opendir(folder)) {
    const path = join(folder, entry.name);
    waiting.push(entry.isDirectory() ? syncTree(path, signal) : sync(bytePathOf(path)));
    if (waiting.length < together) continue;
    await Promise.all(waiting);
    waiting = [];
  }
  await Promise.all([...waiting, sync(bytePathOf(folder))]);
}

/** The programs of GNU and of BusyBox know the option. @returns false where there is none, or none that does */
async function syncFileSystem(folder: string, signal: AbortSignal): Promise<boolean> {
  const { failed } = await execa('sync', ['-f', folder], { reject: false, stdio: 'ignore' });
  signal.throwIfAborted();
  return !failed;
}

/** Only root may give files away; for others they belong to who moves them. */
async function giveOwner(path: BytePath, uid: number, gid: number): Promise<void> {
  try {
    await chown(bytesOf(path), uid, gid);
  } catch (error) {
    if (!hasCode(error, 'EPERM', 'EINVAL', 'ENOTSUP')) throw error;
  }
}
