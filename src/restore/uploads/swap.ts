import { mkdir, rename } from 'node:fs/promises';
import { alone } from '../target.ts';
import { protectedPathsIn } from './protected-paths.ts';
import { moveIn, moveOut } from './move-files.ts';
import { bytePathOf, removeEmptyFolder, sync } from './byte-path-fs.ts';
import { isThere, inPrivateFolder, removeSet, setFolder } from './upload-sets.ts';

export { requireWritable, stageUploads } from './stage.ts';

/** Which set of uploads takes the place of which. */
export interface UploadSwap {
  /** The folder of uploads. */
  readonly folder: string;
  /** The id of the set that comes. */
  readonly incoming: string;
  /** The id under which the present set is kept. */
  readonly outgoing: string;
}

/**
 * Puts the incoming set in place of the present one, which goes to the former set `outgoing`. It may be called again
 * after it was killed anywhere, any number of times, and then completes; completed, it does nothing more. At every
 * instant each file lies in exactly one place.
 *
 * While there is an incoming set, the present one is on its way out; then it is renamed to the arriving one, and while
 * there is that, it is on its way in.
 * @param keep paths that never move, wherever in the folder: the backup folder, a database file. What arrives under
 * such a name goes to the former set, too.
 * @param mayGoOn asked before each step
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
  // an undo needs one even if there was nothing to keep
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

/** Removes a staged set. Not to be called once its swap has begun: that can only be completed, and then undone. */
export async function discardUploads(folder: string, id: string): Promise<void> {
  await removeSet(folder, 'incoming', id);
}
