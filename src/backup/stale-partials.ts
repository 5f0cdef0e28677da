import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isSpool } from '../archive/spool.ts';

/**
 * Removes the partial files of killed runs. The caller holds the run lock, so no run is writing them.
 * @param tag the tag of the database: another database may be backed up to the same folder at this moment
 */
export async function removeLeftovers(folder: string, tag: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const ours = name.startsWith('timetracker_backup_') && new RegExp(`\\.${tag}(\\.sqlite)?\\.partial`).test(name);
    if (ours) await rm(join(folder, name), { force: true });
  }
  await removeOldSpools(folder);
}

/** Milliseconds: longer than a run may wait for the lock with a received archive that it has not restored yet. */
const spoolsLast = 48 * 60 * 60 * 1000;

/** Archives are received without the run lock: only their age shows that no run needs them any more. */
async function removeOldSpools(folder: string): Promise<void> {
  for (const name of (await readdir(folder)).filter(isSpool)) {
    const path = join(folder, name);
    const stats = await stat(path).catch(() => null);
    if (stats !== null && Date.now() - stats.mtimeMs > spoolsLast) await rm(path, { force: true });
  }
}
