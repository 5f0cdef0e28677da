import { lstat, readdir, rename, rm, chmod, realpath } from 'node:fs/promises';
import { join, dirname, sep } from 'node:path';
import { bytePathOf, sync, removeEmptyFolder, namesIn, type BytePath, statOf } from './byte-path-fs.ts';
import { hasCode } from '../../errors/error-code.ts';
import { ownPrefix } from '../../platform/own-files.ts';
import { createHash, hash } from 'node:crypto';
import { makeFolder } from '../../platform/make-folder.ts';
import { createYielder } from '../../platform/event-loop.ts';
import type { Config } from '../../config/config.ts';
import type { MeasuredUploads } from '../../model/measurement.ts';
import { noOwnerCheck } from '../target.ts';
import { stateFolderOf } from '../../state-folder/state-paths.ts';

/**
 * The sets of uploads that the application does not use: `incoming` was unpacked from an archive, `arriving` is being
 * moved into the folder by a swap, `former` was in the folder before the swap, `discarded` is to be removed. Each set is
 * a folder inside the folder of uploads, because that folder may be a mount, which cannot be renamed. Files in such a
 * folder are never counted as uploads.
 */
type SetName = 'incoming' | 'arriving' | 'former' | 'discarded';

/** The mode of the folder of a set: only the user of db-init may list it. */
export const privateFolder = { mode: 0o700 };

/**
 * The folder of a set.
 * @param folder the folder of uploads
 * @throws RangeError if the id could lead to another folder
 */
export function setFolder(folder: string, name: SetName, id: string): string {
  // the id comes from a journal, and the folder with this name may be removed
  if (!/^[a-z0-9_]+$/.test(id)) throw new RangeError(`not the id of a set of uploads: ${id}`);
  return join(folder, `${ownPrefix}-${name}-${id}`);
}

/**
 * Removes a set. First renames it to a discarded set, so that an interrupted removal does not leave a part that looks
 * like a whole set.
 */
export async function removeSet(folder: string, name: SetName, id: string): Promise<void> {
  const set = setFolder(folder, name, id);
  await removeDiscarded(folder);
  if (await entryExists(set)) {
    await rename(set, setFolder(folder, 'discarded', `${name}_${id}`));
    await sync(bytePathOf(folder));
  }
  await removeDiscarded(folder);
}

/** Removes discarded sets, also those of killed runs. */
export async function removeDiscarded(folder: string): Promise<void> {
  if (!(await entryExists(folder))) return;
  for (const name of await readdir(folder)) {
    if (name.startsWith(`${ownPrefix}-discarded-`)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

export async function entryExists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    // a parent of the path is not a folder
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

type UploadPlacesConfig = Pick<Config, 'backupFolder' | 'uploadRoots'>;

/** The folder of uploads that the application's web server serves to everybody, and that its own backups contain. */
const servedRoot = 'uploads';

/** The mode of a closed folder. No user may enter it, not even the application, which runs as the same user. */
const closedMode = 0o000;

/**
 * The possible places of a folder's former uploads. The best place is the state folder (`outside`), because no web
 * server serves it; a rename reaches it only on the same volume. Otherwise the former uploads stay in their own folder,
 * in a closed folder (`closed`).
 */
function formerPlacesOf({ backupFolder }: Pick<Config, 'backupFolder'>, folder: string, id: string) {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 8);
  const own = setFolder(folder, 'former', id);
  return {
    /** The swap leaves them here; earlier versions of db-init kept them here. */
    swapped: own,
    outside: join(stateFolderOf({ backupFolder }), 'former-uploads', `${id}_${name}`),
    closed: join(folder, `${ownPrefix}-closed`, id),
  };
}

/**
 * Moves the former uploads of a swap from the folder of uploads to the best place. After a kill at any point, calling
 * it again completes the move.
 */
export async function putAsideFormerUploads(
  folder: string,
  id: string,
  config: UploadPlacesConfig,
  checkOwner = noOwnerCheck,
): Promise<void> {
  const { swapped, outside, closed: inside } = formerPlacesOf(config, folder, id);
  checkOwner();
  if (await entryExists(swapped)) {
    const moved = !(await isServed(config)) && (await renamedInto(swapped, outside));
    if (!moved) await renamedInto(swapped, inside);
    await sync(bytePathOf(folder));
  }
  if (await entryExists(inside)) await chmod(inside, closedMode);
}

/** Finds the folder of the former uploads. @returns null if there are none */
export async function findFormerUploads(
  folder: string,
  id: string,
  config: Pick<Config, 'backupFolder'>,
): Promise<string | null> {
  for (const place of Object.values(formerPlacesOf(config, folder, id))) if (await entryExists(place)) return place;
  return null;
}

/** Measures the former uploads of a folder, which may be closed. @returns null if there are none */
export async function measureFormerUploads(
  folder: string,
  id: string,
  config: Pick<Config, 'backupFolder'>,
): Promise<MeasuredUploads | null> {
  const place = await findFormerUploads(folder, id, config);
  if (place === null) return null;
  const isClosed = place === formerPlacesOf(config, folder, id).closed;
  if (isClosed) await chmod(place, privateFolder.mode);
  try {
    return await measureFolder(bytePathOf(place));
  } finally {
    if (isClosed) await chmod(place, closedMode);
  }
}

/**
 * Makes the former uploads the incoming ones of an undo. Does nothing if that is done already, or if there are none.
 */
export async function bringBackFormerUploads(
  folder: string,
  former: string,
  id: string,
  config: UploadPlacesConfig,
  checkOwner = noOwnerCheck,
): Promise<void> {
  const kept = await findFormerUploads(folder, former, config);
  if (kept === null) return;
  checkOwner();
  await chmod(kept, privateFolder.mode);
  await rename(kept, setFolder(folder, 'incoming', id));
  await sync(bytePathOf(folder));
  await removeEmptyFolder(bytePathOf(dirname(formerPlacesOf(config, folder, former).closed)));
}

/** Removes former uploads: they cannot be restored after that. */
export async function dropFormerUploads(folder: string, id: string, config: UploadPlacesConfig): Promise<void> {
  await removeSet(folder, 'former', id);
  const { outside, closed: inside } = formerPlacesOf(config, folder, id);
  for (const place of [outside, inside]) {
    if (!(await entryExists(place))) continue;
    await chmod(place, privateFolder.mode);
    // rename it first, so that a set whose removal is interrupted is not taken for a whole one
    const discarded = setFolder(folder, 'discarded', `former_${id}`);
    if (await entryExists(folder)) await rename(place, discarded);
    else await rm(place, { recursive: true, force: true });
  }
  await removeDiscarded(folder);
  await removeEmptyFolder(bytePathOf(dirname(inside)));
}

/** Whether the web server serves the backup folder itself. */
async function isServed({ backupFolder, uploadRoots }: UploadPlacesConfig): Promise<boolean> {
  const root = uploadRoots.find(({ name }) => name === servedRoot);
  if (root === undefined) return false;
  const [backups, folder] = [await realPathOf(backupFolder), await realPathOf(root.folder)];
  return backups === folder || backups.startsWith(folder + sep);
}

const realPathOf = (path: string): Promise<string> => realpath(path).catch(() => path);

/** @returns false if the place is on another volume, or cannot be written */
async function renamedInto(from: string, to: string): Promise<boolean> {
  try {
    makeFolder(dirname(to), privateFolder.mode);
    await rename(from, to);
    await sync(bytePathOf(dirname(to)));
    return true;
  } catch (error) {
    if (hasCode(error, 'EXDEV', 'EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT')) return false;
    throw error;
  }
}

/**
 * Counts the files in a folder, and makes a digest of path, size and time of change of each file. Does not read the
 * contents, which may be gigabytes.
 */
export async function measureFolder(folder: BytePath): Promise<MeasuredUploads> {
  let [files, bytes] = [0, 0];
  // the digest must not depend on the order of the names
  const sum = Buffer.alloc(32);
  const pause = createYielder();
  const visit = async (path: BytePath): Promise<void> => {
    for (const name of await namesIn(path)) {
      await pause();
      const entry = `${path}/${name}`;
      const { size, changedAt, kind } = statOf(entry);
      if (kind === 'folder') {
        await visit(entry);
        continue;
      }
      files += 1;
      bytes += size;
      const line = `${entry.slice(folder.length)}\0${kind}\0${size}\0${changedAt}`;
      const digest = hash('sha256', Buffer.from(line, 'latin1'), 'buffer');
      for (let place = 0; place < sum.length; place++) sum[place] = (sum[place] ?? 0) ^ (digest[place] ?? 0);
    }
  };
  await visit(folder);
  return { files, bytes, digest: sum.toString('hex') };
}
