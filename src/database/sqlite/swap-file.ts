import { syncToDisk } from '../../platform/durable-file.ts';
import {
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { hasCode } from '../../errors/error-code.ts';
import { Failure } from '../../errors/failure.ts';
import type { RestoreObstacle } from '../../errors/obstacles.ts';
import { withExclusiveFile } from './exclusive.ts';
import { type OpenFileHolders, findOpenFileHolders } from './open-file-holders.ts';
import { dropEmptySideFiles, hasSideFiles, markOf, moveSideFiles } from './wal-files.ts';
import { sqliteReasons } from '../../report/sqlite-reasons.ts';

/** The paths of a swap of two database files: absolute, in the same folder. */
export interface FileSwap {
  /** The file that the application opens. It need not exist yet. */
  readonly live: string;
  /** The file that replaces it. No process has it open. */
  readonly incoming: string;
  /** The name under which the present file is kept. No file with this name, and no side file of it, may exist. */
  readonly outgoing: string;
}

/**
 * Replaces the live database file, and keeps the old one. The swap is atomic, by the rename of `incoming`: before it
 * `live` is the old file, after it the new one, with the owner and mode of the old one. After an interruption or an
 * error, `recoverSwap` completes or undoes it.
 *
 * An undamaged file has no side files at the moment of the rename. Side files of a damaged one are moved with it:
 * otherwise SQLite would write old pages into the new file.
 * @param unseen called if it is unknown whether other containers have the live file open; if absent, swaps are refused
 * @param checkOwner called before each step; throws if this run must not continue
 * @throws Failure `restore-refused` (`file-in-use`, `file-use-unknown`, `symbolic-link`): nothing was changed
 */
export async function swapFiles(
  names: FileSwap,
  unseen?: () => void,
  checkOwner: () => void = () => undefined,
): Promise<'swapped'> {
  const { live, incoming, outgoing } = names;
  if (existsSync(outgoing) || hasSideFiles(outgoing)) throw new Error(sqliteReasons.fileExists(outgoing));
  requireNoLink(live);
  if (requireUnused(live, unseen !== undefined) === 'unknown') unseen?.();
  if (!withExclusiveFile(incoming, () => undefined)) throw inUse(names, incoming);
  if (existsSync(live)) {
    if (!withExclusiveFile(live, () => undefined)) throw inUse(names);
    giveOwnerAndMode(live, incoming);
  }
  syncToDisk(incoming);
  if (!renameIncoming(names, checkOwner)) {
    checkOwner();
    undoSwap(names);
    throw inUse(names);
  }
  checkOwner();
  finishSwap(names);
  return 'swapped';
}

/**
 * Checks that no process has a database file open, as far as the kernel shows. This process must not have it open.
 * @param consented whether the operator has confirmed that no program uses it; needed if the kernel does not show that
 * @throws Failure `restore-refused` (`file-in-use`, `file-use-unknown`)
 */
export function requireUnused(file: string, consented: boolean): Exclude<OpenFileHolders, 'some'> {
  const holders = findOpenFileHolders(file);
  if (holders === 'none' || (holders === 'unknown' && consented)) return holders;
  const kind = holders === 'some' ? 'file-in-use' : 'file-use-unknown';
  throw new Failure({ kind: 'restore-refused', database: file, obstacle: { kind, file } });
}

/**
 * Recovers from a swap that may have been interrupted. The rename was done if `incoming` does not exist any more.
 * @returns 'swapped' if the rename was done; the remaining steps are then completed. 'not-swapped' if everything was
 *   undone: `live` has its side files again, `outgoing` is removed, `incoming` still exists
 */
export async function recoverSwap(
  names: FileSwap,
  checkOwner: () => void = () => undefined,
): Promise<'swapped' | 'not-swapped'> {
  checkOwner();
  if (existsSync(names.incoming) || !existsSync(names.live)) {
    undoSwap(names);
    return 'not-swapped';
  }
  finishSwap(names);
  return 'swapped';
}

/** Renames `incoming` to `live`. @returns false if another program has locked or changed the live file */
function renameIncoming(names: FileSwap, checkOwner: () => void): boolean {
  const { live, incoming } = names;
  const markBefore = markOf(live);
  const lockable = existsSync(live) && !hasSideFiles(live);
  checkOwner();
  const held = existsSync(live) ? keepFormerFile(names) : live;
  let done = false;
  const work = (): void => {
    if (markOf(live) !== markBefore) return;
    checkOwner();
    moveSideFiles(live, names.outgoing);
    syncToDisk(dirname(live));
    checkOwner();
    renameSync(incoming, live);
    done = true;
  };
  // no lock if side files remain: a SQLite connection would recover from them and remove them
  if (lockable) withExclusiveFile(held, work);
  else work();
  return done;
}

/**
 * Gives the live file `outgoing` as a second name by a hard link; on file systems without hard links, copies it.
 * @returns the name under which the file has to be locked: `outgoing` if possible, because a connection that closes
 *   removes side files by name, and those of `live` then belong to the new file
 */
function keepFormerFile({ live, outgoing }: FileSwap): string {
  try {
    linkSync(live, outgoing);
    return outgoing;
  } catch (error) {
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EMLINK')) throw error;
  }
  // the file has no side files here, and `replace` checks under the lock that it has not changed
  copyFileSync(live, outgoing, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  giveOwnerAndMode(live, outgoing);
  const { atime, mtime } = statSync(live);
  utimesSync(outgoing, atime, mtime);
  syncToDisk(outgoing);
  return live;
}

/** Does the remaining steps after `incoming` was renamed to `live`. */
function finishSwap({ live, incoming, outgoing }: FileSwap): void {
  // for an undo: a damaged file that becomes live again gets its side files back
  moveSideFiles(incoming, live);
  // left by a locking connection that was killed
  dropEmptySideFiles(outgoing);
  syncToDisk(dirname(live));
}

function undoSwap({ live, outgoing }: FileSwap): void {
  moveSideFiles(outgoing, live);
  if (existsSync(live)) rmSync(outgoing, { force: true });
  else if (existsSync(outgoing)) renameSync(outgoing, live);
  syncToDisk(dirname(live));
}

/**
 * The application runs as the owner of its file. Only root may change owners, so errors for missing rights are ignored.
 */
function giveOwnerAndMode(model: string, file: string): void {
  const { uid, gid, mode } = statSync(model);
  for (const give of [() => chownSync(file, uid, gid), () => chmodSync(file, mode & 0o7777)]) {
    try {
      give();
    } catch (error) {
      if (!hasCode(error, 'EPERM', 'EINVAL', 'ENOTSUP', 'ENOSYS')) throw error;
    }
  }
}

/** A rename would move the symbolic link, not the database. @throws Failure `restore-refused` (`symbolic-link`) */
export function requireNoLink(live: string): void {
  if (lstatSync(live, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  throw refusal({ live }, { kind: 'symbolic-link', file: live, target: resolve(dirname(live), readlinkSync(live)) });
}

function refusal({ live }: Pick<FileSwap, 'live'>, obstacle: RestoreObstacle): Failure {
  return new Failure({ kind: 'restore-refused', database: live, obstacle });
}

const inUse = (names: FileSwap, file = names.live): Failure => refusal(names, { kind: 'file-in-use', file });
