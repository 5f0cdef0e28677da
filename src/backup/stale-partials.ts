import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Removes what a killed run left half written. The run lock says that nobody is writing it any more.
 * @param tag the database's own: another one may be backed up to the same folder this moment
 */
export async function removeLeftovers(folder: string, tag: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const ours = name.startsWith('timetracker_backup_') && new RegExp(`\\.${tag}(\\.sqlite)?\\.partial`).test(name);
    if (ours) await rm(join(folder, name), { force: true });
  }
}
