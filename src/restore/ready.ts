import { dirname } from 'node:path';
import { archiveRejected } from '../archive/archive-error.ts';
import { type Archive, uploadsOf } from '../archive/reader.ts';
import { verifyArchive } from '../backup/verify.ts';
import type { Config, UploadRoot } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { requireConnections } from '../database/postgres/connection-limit.ts';
import { exchangesDatabases } from '../database/postgres/database-swap.ts';
import { Failure } from '../errors/failure.ts';
import { nearestPlace } from '../platform/volumes.ts';
import { requireCopySpace } from './from-sqlite/sqlite-copy.ts';
import { isShared } from './targets/application-schema.ts';
import { requireSchemaRights } from './targets/schema-swap.ts';
import { requireUploadSpace } from './uploads/stage.ts';
import { freeSpace } from '../platform/free-space.ts';

/**
 * What a restore would run out of, as far as it is known before anything is unpacked: room for the database of the
 * archive, and for the uploads of each folder.
 * @throws Failure `restore-refused` (`no-space`)
 */
export function requireRestoreSpace(archive: Archive, roots: readonly UploadRoot[], config: Config): void {
  const { database: target, backupFolder } = config;
  const folder = nearestPlace(target.kind === 'sqlite' ? dirname(target.file) : backupFolder);
  if (archive.engine === 'sqlite') requireCopySpace(archive, folder, archive.file);
  else requireDumpSpace(archive, folder);
  for (const root of roots) {
    requireUploadSpace(nearestPlace(root.folder), uploadsOf(archive, root.name));
  }
}

/** The dump is unpacked before it is loaded. */
function requireDumpSpace({ file, database }: Archive, folder: string): void {
  const [needed, free] = [database.size, freeSpace(folder)];
  if (free >= needed) return;
  const obstacle = { kind: 'no-space', folder, needed, free, uploads: false } as const;
  throw new Failure({ kind: 'restore-refused', database: file, obstacle });
}

/** What a restore has to be allowed, for the way that it would go. PostgreSQL only. @throws Failure `missing-rights` */
export async function requireRestoreRights(live: Database): Promise<void> {
  if (live.engine !== 'postgresql') return;
  const wholly = !(await isShared(live)) && (await live.read((session) => exchangesDatabases(session)));
  await requireConnections(live, wholly ? 2 : 1, 'restore');
  if (!wholly) await requireSchemaRights(live);
}

/**
 * Reads the whole archive: that it is not damaged, and that its database holds nothing that a restore refuses unless
 * somebody answers for it. Nothing is run, and nothing is written but temporary files.
 * @throws Failure `archive-rejected`
 */
export async function requireHarmless(archive: Archive, config: Config, signal: AbortSignal): Promise<void> {
  const { objects } = await verifyArchive(archive, { config, signal });
  if (objects.length > 0) throw archiveRejected(archive.file, { kind: 'unknown-objects', objects });
}
