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

/** The sets of a swap of uploads. */
export interface UploadSwap {
  /** The folder of uploads. */
  readonly folder: string;
  /** The id of the incoming set. */
  readonly incoming: string;
  /** The id under which the present set is kept. */
  readonly outgoing: string;
}

/**
 * Replaces the present set by the incoming one, and keeps the present one as the former set `outgoing`. After a kill
 * at any point it may be called again, any number of times, and completes the swap. A completed swap does nothing
 * more. At every instant each file is in exactly one place.
 *
 * While there is an incoming set, the present files are moved out. Then the incoming set is renamed to the arriving
 * set. While there is an arriving set, its files are moved in.
 * @param keep paths that never move, wherever in the folder: the backup folder, a database file. Arriving files with
 *   such a name go to the former set as well.
 * @param checkOwner called before each step
 */
export async function swapUploads(
  { folder, incoming, outgoing }: UploadSwap,
  keep: readonly string[],
  checkOwner = noOwnerCheck,
): Promise<void> {
  const coming = setFolder(folder, 'incoming', incoming);
  const arriving = setFolder(folder, 'arriving', incoming);
  const former = setFolder(folder, 'former', outgoing);
  const leaves = await entryExists(coming);
  if (!leaves && !(await entryExists(arriving))) return;
  const protectedPaths = await protectedPathsIn(folder, keep);
  checkOwner();
  // an undo needs a former set, even an empty one
  if (!(await entryExists(former))) await mkdir(former, privateFolder);
  if (leaves) {
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
 * Removes a staged set. Do not call it once the swap has begun: a begun swap can only be completed, and then undone.
 */
export async function discardUploads(folder: string, id: string): Promise<void> {
  await removeSet(folder, 'incoming', id);
}

/** What to do with an entry whose new name is taken. */
type OnNameTaken = (from: BytePath, to: BytePath) => Promise<void>;

interface MoveRules {
  readonly protectedPaths: ProtectedPaths;
  readonly onNameTaken: OnNameTaken;
  readonly checkOwner: OwnerCheck;
}

/**
 * Moves everything in `folder` to `former`, except protected paths. A folder with a protected path stays, and its
 * other content moves. If a name is taken, because the application has made the file again, the moved file gets
 * another name.
 */
export async function moveOut(
  folder: BytePath,
  former: BytePath,
  protectedPaths: ProtectedPaths,
  checkOwner = noOwnerCheck,
): Promise<void> {
  await moveContents(folder, former, moveOutRules(protectedPaths, checkOwner));
}

/**
 * Moves everything in `arriving` into `folder`. A file that the application has made there in the meantime under the
 * same name goes to `former`. If that file is protected, the arriving file goes to `former` instead.
 */
export async function moveIn(
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
  if (kind === 'other' || kind === 'folder') throw new Error(`${from} cannot be moved to another file system`);
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
