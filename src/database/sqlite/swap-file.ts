import { sync } from '../../platform/durable-file.ts';
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
import { Failure, type RestoreObstacle } from '../../errors/failure.ts';
import { withExclusiveFile } from './exclusive.ts';
import { type OpenFileHolders, findOpenFileHolders } from './open-file-holders.ts';
import { dropEmptySideFiles, hasSideFiles, markOf, moveSideFiles } from './wal-files.ts';

export { checkSqliteFile, countDanglingReferences } from './check.ts';

/** One database file takes the place of another: absolute paths in the same folder. */
export interface FileSwap {
  /** The name under which the application finds its database. There need not be one yet. */
  readonly live: string;
  /** What takes its place. Nobody has it open. */
  readonly incoming: string;
  /** The name under which the present one is kept; free, its side files' names included. */
  readonly outgoing: string;
}

/**
 * Puts a database file in the place of the live one, which is kept with everything in it. It happens in one instant,
 * by the rename of `incoming`: before it `live` is the old file, after it the new one, which has the old one's owner
 * and mode. What is cut off, by an error too, is for `recoverSwap`.
 *
 * A sound file has no side files by then. Those of a damaged one go along with it: left behind, they would bring the
 * old tables into the new file.
 * @param unseen told that nobody can tell whether other containers have the live file open; absent: that is a refusal
 * @param mayGoOn asked before each step; it throws where this run may not go on
 * @throws Failure `restore-refused` (`file-in-use`, `openers-unknown`, `symbolic-link`): nothing was changed
 */
export async function swapFiles(
  names: FileSwap,
  unseen?: () => void,
  mayGoOn: () => void = () => undefined,
): Promise<'exchanged'> {
  const { live, incoming, outgoing } = names;
  if (existsSync(outgoing) || hasSideFiles(outgoing)) throw new Error(`${outgoing} is there already`);
  requireNoLink(live);
  if (requireUnused(live, unseen !== undefined) === 'unknown') unseen?.();
  if (!withExclusiveFile(incoming, () => undefined)) throw inUse(names, incoming);
  if (existsSync(live)) {
    if (!withExclusiveFile(live, () => undefined)) throw inUse(names);
    giveOwnerAndMode(live, incoming);
  }
  sync(incoming);
  if (!replace(names, mayGoOn)) {
    mayGoOn();
    takeBack(names);
    throw inUse(names);
  }
  mayGoOn();
  complete(names);
  return 'exchanged';
}

/**
 * Makes sure that nobody has a database file open, as far as that can be told. This process must not have it open.
 * @param consented whether its owner answers for those that cannot be seen
 * @throws Failure `restore-refused` (`file-in-use`, `openers-unknown`)
 */
export function requireUnused(file: string, consented: boolean): Exclude<OpenFileHolders, 'some'> {
  const openers = findOpenFileHolders(file);
  if (openers === 'none' || (openers === 'unknown' && consented)) return openers;
  const kind = openers === 'some' ? 'file-in-use' : 'openers-unknown';
  throw new Failure({ kind: 'restore-refused', database: file, obstacle: { kind, file } });
}

/**
 * Finds out whether an exchange that may have been cut off has happened, which is whether `incoming` bears its name no
 * more.
 * @returns 'exchanged' if it did, and then what was left to do is done; 'not-exchanged' if all of it was taken back:
 * `live` has its side files again, `outgoing` is gone, `incoming` is still there
 */
export async function recoverSwap(
  names: FileSwap,
  mayGoOn: () => void = () => undefined,
): Promise<'exchanged' | 'not-exchanged'> {
  mayGoOn();
  if (existsSync(names.incoming) || !existsSync(names.live)) {
    takeBack(names);
    return 'not-exchanged';
  }
  complete(names);
  return 'exchanged';
}

/** @returns false if somebody came in between */
function replace(names: FileSwap, mayGoOn: () => void): boolean {
  const { live, incoming } = names;
  const settled = markOf(live);
  const lockable = existsSync(live) && !hasSideFiles(live);
  mayGoOn();
  const held = existsSync(live) ? keep(names) : live;
  let done = false;
  const work = (): void => {
    if (markOf(live) !== settled) return;
    mayGoOn();
    moveSideFiles(live, names.outgoing);
    sync(dirname(live));
    mayGoOn();
    renameSync(incoming, live);
    done = true;
  };
  // a connection would take side files that could not be settled for its own, and remove them in the end
  if (lockable) withExclusiveFile(held, work);
  else work();
  return done;
}

/**
 * Gives the live file its second name, `outgoing`; on file systems without hard links, makes a copy of that name.
 * @returns under which name it is to be locked. Preferably the second: a connection removes side files by name when it
 * closes, and those of the first name are then the new file's.
 */
function keep({ live, outgoing }: FileSwap): string {
  try {
    linkSync(live, outgoing);
    return outgoing;
  } catch (error) {
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EMLINK')) throw error;
  }
  // nothing but the file itself holds content, and whether it stayed the same is seen under the lock
  copyFileSync(live, outgoing, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  giveOwnerAndMode(live, outgoing);
  const { atime, mtime } = statSync(live);
  utimesSync(outgoing, atime, mtime);
  sync(outgoing);
  return live;
}

/** What is left to do once `incoming` has become `live`. */
function complete({ live, incoming, outgoing }: FileSwap): void {
  // a damaged file that comes back in an undo brings along what belongs to it
  moveSideFiles(incoming, live);
  // a lock that was cut off left them
  dropEmptySideFiles(outgoing);
  sync(dirname(live));
}

function takeBack({ live, outgoing }: FileSwap): void {
  moveSideFiles(outgoing, live);
  if (existsSync(live)) rmSync(outgoing, { force: true });
  else if (existsSync(outgoing)) renameSync(outgoing, live);
  sync(dirname(live));
}

/** For the application, which runs as whoever owns its file. Only root may give files away. */
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

/** What is renamed would be the link, and not the database. @throws Failure `restore-refused` (`symbolic-link`) */
export function requireNoLink(live: string): void {
  if (lstatSync(live, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  throw refusal({ live }, { kind: 'symbolic-link', file: live, target: resolve(dirname(live), readlinkSync(live)) });
}

function refusal({ live }: Pick<FileSwap, 'live'>, obstacle: RestoreObstacle): Failure {
  return new Failure({ kind: 'restore-refused', database: live, obstacle });
}

const inUse = (names: FileSwap, file = names.live): Failure => refusal(names, { kind: 'file-in-use', file });
