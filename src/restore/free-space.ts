import { Failure } from '../errors/failure.ts';
import { inspectDataVolume } from '../platform/data-volume.ts';
import { freeBytes } from '../platform/free-space.ts';
import { dataVolume } from '../report/connection-messages.ts';

/**
 * Checks the free space: the database is unpacked, and a migration may need as much again.
 * @param size its bytes; for rows of a dump, their bytes as text
 * @throws Failure `restore-refused` (`no-space`)
 */
export function requireCopySpace(size: number, folder: string, database: string): void {
  const needed = 2 * size;
  const free = freeBytes(folder);
  if (free >= needed) return;
  const obstacle = { kind: 'no-space', folder, needed, free, uploads: false } as const;
  throw new Failure({ kind: 'restore-refused', database, obstacle });
}

/**
 * Checks the free space of the server's volume, which can only be seen where it is mounted for db-init as well.
 * @param folder where it is mounted
 * @throws Failure `restore-refused` (`no-space`)
 */
export function requireServerSpace(dumpSize: number, database: string, folder = dataVolume): void {
  const { kind } = inspectDataVolume(folder);
  // the data of a server may be read by the server alone
  if (kind === 'data' || kind === 'unreadable') requireCopySpace(dumpSize, folder, database);
}
