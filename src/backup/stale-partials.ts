import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isSpool } from '../archive/spool.ts';

/**
 * Removes what a killed run left half written. The run lock says that nobody is writing it any more.
 * @param tag the database's own: another one may be backed up to the same folder this moment
 */
export async function removeLeftovers(folder: string, tag: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const ours = name.startsWith('timetracker_backup_') && new RegExp(`\\.${tag}(\\.sqlite)?\\.partial`).test(name);
    if (ours) await rm(join(folder, name), { force: true });
  }
  await removeOldSpools(folder);
}

/** Milliseconds: longer than a run may wait for the lock while what it has received waits to be restored. */
const spoolsLast = 48 * 60 * 60 * 1000;

/** What is received is written without the run lock: only its age tells that nobody needs it any more. */
async function removeOldSpools(folder: string): Promise<void> {
  for (const name of (await readdir(folder)).filter(isSpool)) {
    const path = join(folder, name);
    const stats = await stat(path).catch(() => null);
    if (stats !== null && Date.now() - stats.mtimeMs > spoolsLast) await rm(path, { force: true });
  }
}
