import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bytePathOf, sync } from './byte-path-fs.ts';
import { hasCode } from '../../errors/error-code.ts';
import { ownPrefix } from '../../platform/own-files.ts';

/**
 * Where a set lies while it is not in use: inside the folder of uploads, which may be a mount and cannot be renamed
 * itself. Nothing whose name begins like this is ever counted among the uploads.
 */
type SetName = 'incoming' | 'arriving' | 'former' | 'discarded';

/** Nobody but db-init may list what is not in use. */
export const inPrivateFolder = { mode: 0o700 };

/** The folder of a set. */
export function setFolder(folder: string, name: SetName, id: string): string {
  // it comes from a journal, and what it names may be removed
  if (!/^[a-z0-9_]+$/.test(id)) throw new RangeError(`not the id of a set of uploads: ${id}`);
  return join(folder, `${ownPrefix}-${name}-${id}`);
}

/** Under a name first that nobody takes for a whole set: removing takes time, and may be cut off. */
export async function removeSet(folder: string, name: SetName, id: string): Promise<void> {
  const set = setFolder(folder, name, id);
  await removeDiscarded(folder);
  if (await isThere(set)) {
    await rename(set, setFolder(folder, 'discarded', `${name}_${id}`));
    await sync(bytePathOf(folder));
  }
  await removeDiscarded(folder);
}

/** Removes what was discarded, by a run that was killed, too. */
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
    // a path through something that is no folder leads nowhere
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
