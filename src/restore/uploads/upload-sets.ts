import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bytePathOf, sync } from './byte-path-fs.ts';
import { hasCode } from '../../errors/error-code.ts';
import { ownPrefix } from '../../platform/own-files.ts';

/**
 * The prefix of a set that is not in use. Sets are inside the folder of uploads, because that folder may be a mount,
 * which cannot be renamed. Names with this prefix are never counted as uploads.
 */
type SetName = 'incoming' | 'arriving' | 'former' | 'discarded';

/** Only db-init may list a set that is not in use. */
export const inPrivateFolder = { mode: 0o700 };

/** The folder of a set. */
export function setFolder(folder: string, name: SetName, id: string): string {
  // the id comes from a journal, and the named folder may be removed
  if (!/^[a-z0-9_]+$/.test(id)) throw new RangeError(`not the id of a set of uploads: ${id}`);
  return join(folder, `${ownPrefix}-${name}-${id}`);
}

/**
 * Renames the set before it removes it, so that an interrupted removal does not leave something that looks like a whole
 * set.
 */
export async function removeSet(folder: string, name: SetName, id: string): Promise<void> {
  const set = setFolder(folder, name, id);
  await removeDiscarded(folder);
  if (await isThere(set)) {
    await rename(set, setFolder(folder, 'discarded', `${name}_${id}`));
    await sync(bytePathOf(folder));
  }
  await removeDiscarded(folder);
}

/** Removes discarded sets, also those of killed runs. */
export async function removeDiscarded(folder: string): Promise<void> {
  if (!(await isThere(folder))) return;
  for (const name of await readdir(folder)) {
    if (name.startsWith(`${ownPrefix}-discarded-`)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    // a parent of the path is not a folder
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
