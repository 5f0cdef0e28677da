import { mkdir, rename } from 'node:fs/promises';
import { noOwnerCheck, type OwnerCheck } from '../target.ts';
import { protectedPathsIn, type ProtectedPaths } from './protected-paths.ts';
import {
  bytePathOf,
  removeEmptyFolder,
  sync,
  copyAcross,
  isCopiedAcross,
  kindOf,
  makeFolderLike,
  namesIn,
  type BytePath,
  removeFile,
  tryRename,
} from './byte-path-fs.ts';
import { entryExists, privateFolder, removeSet, setFolder } from './upload-sets.ts';
import { basename, dirname, join, relative } from 'node:path';
import { restoreReasons } from '../../report/restore-reasons.ts';

/** The sets that a swap of uploads exchanges. */
export interface UploadSwap {
  readonly folder: string;
  readonly incoming: string;
  /** The id under which the present set is kept. */
  readonly outgoing: string;
}

/**
 * Swaps the uploads of a folder: the incoming set becomes the uploads, and the present uploads become the former set
 * `outgoing`. The steps:
 *
 * 1. move the present uploads out, into the former set;
 * 2. rename the incoming set to the arriving set;
 * 3. move the files of the arriving set into the folder, and remove the empty set.
 *
 * The names of the sets show which step comes next: while the incoming set exists, step 1; while the arriving set
 * exists, step 3. So after a kill at any point, calling it again completes the swap, and at every instant each file is
 * in exactly one place. If neither set exists, it does nothing.
 * @param keep paths that are never moved, anywhere in the folder: the backup folder, a database file. A file of the
 *   incoming set with such a name goes into the former set.
 * @param checkOwner called before each step. @throws Failure `restore-refused` (`taken-over`)
 * @throws Error of the file system; the swap is then incomplete
 */
export async function swapUploads(
  { folder, incoming, outgoing }: UploadSwap,
  keep: readonly string[],
  checkOwner = noOwnerCheck,
): Promise<void> {
  const coming = setFolder(folder, 'incoming', incoming);
  const arriving = setFolder(folder, 'arriving', incoming);
  const former = setFolder(folder, 'former', outgoing);
  const isBeforeRename = await entryExists(coming);
  if (!isBeforeRename && !(await entryExists(arriving))) return;
  const protectedPaths = await protectedPathsIn(folder, keep);
  checkOwner();
  // an undo requires a former set, even an empty one
  if (!(await entryExists(former))) await mkdir(former, privateFolder);
  if (isBeforeRename) {
    await moveOut(bytePathOf(folder), bytePathOf(former), protectedPaths, checkOwner);
    checkOwner();
    await rename(coming, arriving);
    await sync(bytePathOf(folder));
  }
  await moveIn(bytePathOf(arriving), bytePathOf(folder), bytePathOf(former), protectedPaths, checkOwner);
  await sync(bytePathOf(former));
  await removeEmptyFolder(bytePathOf(arriving));
  await sync(bytePathOf(folder));
}

/**
 * Removes the incoming set of a restore that was rolled back. Call it only before the swap of this folder has begun: a
 * swap that has begun can only be completed, and then be undone by another swap.
 */
export async function discardUploads(folder: string, id: string): Promise<void> {
  await removeSet(folder, 'incoming', id);
}

/** Moves an entry whose new name is taken already. */
type OnNameTaken = (from: BytePath, to: BytePath) => Promise<void>;

interface MoveRules {
  readonly protectedPaths: ProtectedPaths;
  readonly onNameTaken: OnNameTaken;
  readonly checkOwner: OwnerCheck;
}

/**
 * Moves everything in `folder` into `former`, except protected paths. A folder that contains a protected path stays, and
 * its other content is moved. If the name in `former` is taken, because the application has made the file again, the
 * moved file gets the next free name.
 */
async function moveOut(
  folder: BytePath,
  former: BytePath,
  protectedPaths: ProtectedPaths,
  checkOwner = noOwnerCheck,
): Promise<void> {
  await moveContents(folder, former, moveOutRules(protectedPaths, checkOwner));
}

/**
 * Moves everything in `arriving` into `folder`. If the application has made a file of the same name in the meantime,
 * its file is moved into `former` first. If that file is protected, the arriving file goes into `former` instead.
 */
async function moveIn(
  arriving: BytePath,
  folder: BytePath,
  former: BytePath,
  protectedPaths: ProtectedPaths,
  checkOwner = noOwnerCheck,
): Promise<void> {
  const out = moveOutRules(protectedPaths, checkOwner);
  const onNameTaken: OnNameTaken = async (from, to) => {
    const aside = join(await counterpartOf(dirname(to), folder, former), basename(to));
    if (!protectedPaths.is(to) && !protectedPaths.isBelow(to)) await moveEntry(to, aside, out);
    // a mount cannot be moved
    if ((await kindOf(to)) === 'none') await moveEntry(from, to, { protectedPaths, onNameTaken, checkOwner });
    else await moveEntry(from, await freeName(aside), out);
  };
  await moveContents(arriving, folder, { protectedPaths, onNameTaken, checkOwner });
}

function moveOutRules(protectedPaths: ProtectedPaths, checkOwner: OwnerCheck): MoveRules {
  const rules: MoveRules = {
    protectedPaths,
    onNameTaken: async (from, to) => moveEntry(from, await freeName(to), rules),
    checkOwner,
  };
  return rules;
}

async function moveContents(source: BytePath, target: BytePath, rules: MoveRules): Promise<void> {
  for (const name of await namesIn(source)) await moveEntry(join(source, name), join(target, name), rules);
  await sync(target);
  await sync(source);
}

async function moveEntry(from: BytePath, to: BytePath, rules: MoveRules): Promise<void> {
  const { protectedPaths, onNameTaken } = rules;
  const [kind, there] = [await kindOf(from), await kindOf(to)];
  if (kind === 'none' || protectedPaths.is(from)) return;
  if (protectedPaths.is(to)) return onNameTaken(from, to);
  rules.checkOwner();
  if (there === 'none' && !protectedPaths.isBelow(from) && (await tryRename(from, to))) return;
  if (kind === 'folder' && (there === 'none' || there === 'folder')) return mergeFolder(from, to, rules);
  if (there !== 'none') return (await isCopiedAcross(from, to)) ? removeFile(from) : onNameTaken(from, to);
  if (kind === 'other' || kind === 'folder') throw new Error(restoreReasons.notMovable(from));
  await copyAcross(from, to, kind);
}

async function mergeFolder(from: BytePath, to: BytePath, rules: MoveRules): Promise<void> {
  if ((await kindOf(to)) === 'none') await makeFolderLike(from, to);
  await moveContents(from, to, rules);
  if (!rules.protectedPaths.isBelow(from)) await removeEmptyFolder(from);
}

/** The folder in `former` that corresponds to one in `folder`. */
async function counterpartOf(path: BytePath, folder: BytePath, former: BytePath): Promise<BytePath> {
  if (relative(folder, path) === '') return former;
  const wanted = join(await counterpartOf(dirname(path), folder, former), basename(path));
  if ((await kindOf(wanted)) === 'folder') return wanted;
  const made = await freeName(wanted);
  await makeFolderLike(path, made);
  return made;
}

/** The name, if it is free, or the name with the first free number. */
async function freeName(path: BytePath): Promise<BytePath> {
  for (let number = 1; ; number++) {
    const name = number === 1 ? path : `${path}.${number}`;
    if ((await kindOf(name)) === 'none') return name;
  }
}
