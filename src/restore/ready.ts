import { dirname } from 'node:path';
import { archiveRejected } from '../archive/archive-error.ts';
import { type Archive, uploadsOf } from '../archive/reader.ts';
import { verifyArchive } from '../backup/verify.ts';
import type { Config, UploadRoot } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { requireConnections } from '../database/postgres/connection-limit.ts';
import { swapsDatabases } from '../database/postgres/maintenance-connection.ts';
import { Failure } from '../errors/failure.ts';
import { nearestPlace } from '../platform/volumes.ts';
import { requireCopySpace } from './row-by-row/sqlite-copy.ts';
import { isShared } from './targets/application-schema.ts';
import { requireSchemaRights } from './targets/schema-swap.ts';
import { requireUploadSpace } from './uploads/stage.ts';
import { freeSpace } from '../platform/free-space.ts';
import { requireExclusiveAccess } from './other-sessions.ts';
import { requireWritable } from './uploads/swap.ts';

/**
 * Checks everything that a restore requires before it begins. Reads only.
 * @throws Failure `restore-refused` if there are other sessions, a folder of uploads cannot be written, or there is
 *   too little room
 */
export async function requireReady(archive: Archive, live: Database, config: Config): Promise<void> {
  // db-init cannot always see who has a SQLite file open: setting TT_RESTORE_FROM is the consent to that
  await requireExclusiveAccess(live, { config, disconnect: config.database.kind === 'sqlite' });
  const roots = rootsOf(archive, config);
  await requireWritable(roots);
  requireRestoreSpace(archive, roots, config);
}

/** The folders that the archive replaces. An archive without uploads replaces none. */
export function rootsOf({ manifest, uploadRoots: held }: Archive, { uploadRoots }: Config): readonly UploadRoot[] {
  return uploadRoots.filter(({ name }) => manifest?.uploads.includes(name) === true || held.includes(name));
}

/**
 * Checks the free space, as far as it can be known before unpacking: for the database of the archive, and for the
 * uploads of each folder.
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

/** The space for the dump, which is unpacked before it is loaded. */
function requireDumpSpace({ file, database }: Archive, folder: string): void {
  const [needed, free] = [database.size, freeSpace(folder)];
  if (free >= needed) return;
  const obstacle = { kind: 'no-space', folder, needed, free, uploads: false } as const;
  throw new Failure({ kind: 'restore-refused', database: file, obstacle });
}

/** Checks the rights that the planned kind of swap needs. PostgreSQL only. @throws Failure `missing-rights` */
export async function requireRestoreRights(live: Database): Promise<void> {
  if (live.engine !== 'postgresql') return;
  const wholly = !(await isShared(live)) && (await live.read((session) => swapsDatabases(session)));
  await requireConnections(live, wholly ? 2 : 1, 'restore');
  if (!wholly) await requireSchemaRights(live);
}

/**
 * Reads the whole archive: checks that it is not damaged, and that its database holds no object that needs
 * `--trust-archive`. Runs nothing from it, and writes only temporary files.
 * @throws Failure `archive-rejected`
 */
export async function requireHarmless(archive: Archive, config: Config, signal: AbortSignal): Promise<void> {
  const { objects } = await verifyArchive(archive, { config, signal });
  if (objects.length > 0) throw archiveRejected(archive.file, { kind: 'unknown-objects', objects });
}
