import { mkdir, rename } from 'node:fs/promises';
import { alone } from '../target.ts';
import { protectedPathsIn } from './protected-paths.ts';
import { moveIn, moveOut } from './move-files.ts';
import { bytePathOf, removeEmptyFolder, sync } from './byte-path-fs.ts';
import { isThere, inPrivateFolder, removeSet, setFolder } from './upload-sets.ts';

export { requireWritable, stageUploads } from './stage.ts';

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
 * @param mayGoOn called before each step
 */
export async function swapUploads(
  { folder, incoming, outgoing }: UploadSwap,
  keep: readonly string[],
  mayGoOn = alone,
): Promise<void> {
  const coming = setFolder(folder, 'incoming', incoming);
  const arriving = setFolder(folder, 'arriving', incoming);
  const former = setFolder(folder, 'former', outgoing);
  const leaves = await isThere(coming);
  if (!leaves && !(await isThere(arriving))) return;
  const kept = await protectedPathsIn(folder, keep);
  mayGoOn();
  // an undo needs a former set, even an empty one
  if (!(await isThere(former))) await mkdir(former, inPrivateFolder);
  if (leaves) {
    await moveOut(bytePathOf(folder), bytePathOf(former), kept, mayGoOn);
    mayGoOn();
    await rename(coming, arriving);
    await sync(bytePathOf(folder));
  }
  await moveIn(bytePathOf(arriving), bytePathOf(folder), bytePathOf(former), kept, mayGoOn);
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
