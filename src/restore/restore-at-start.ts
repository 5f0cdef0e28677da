import { type Archive, uploadsOf } from '../archive/reader.ts';
import { searchArchive, requireArchive } from '../archive/find-archive.ts';
import type { Config, UploadRoot } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { Failure, type Problem } from '../errors/failure.ts';
import { openMatchingArchive, restore, replacedRootsOf } from './restore.ts';
import type { RestoreContext } from './target.ts';
import { restoreAtStartMessages } from '../report/restore-messages.ts';
import { identify, findRestoreAtStart } from './archive-identity.ts';
import { dirname } from 'node:path';
import { archiveRejected } from '../archive/archive-error.ts';
import { verifyArchive } from '../backup/verify.ts';
import { requireConnections } from '../database/postgres/connection-limit.ts';
import { nearestExisting } from '../platform/volumes.ts';
import { requireCopySpace } from './free-space.ts';
import { isDatabaseShared } from './targets/application-schema.ts';
import { requireSchemaRights } from './targets/schema-swap.ts';
import { requireUploadSpace, requireWritable } from './uploads/stage.ts';
import { freeBytes } from '../platform/free-space.ts';
import { requireExclusiveAccess } from './other-sessions.ts';
import { maySwapDatabases } from '../database/postgres/maintenance-connection.ts';

/**
 * Restores the archive in TT_RESTORE_FROM once: `restores.json` beside the backups lists the restored archives.
 * @param places the possible paths of the archive
 * @param withLive opens the live database under its run lock
 * @throws Failure `archive-rejected`, `restore-refused`
 */
export async function restoreAtStart(
  places: readonly string[],
  context: RestoreContext,
  withLive: (work: (live: Database) => Promise<void>) => Promise<void>,
): Promise<void> {
  const { config, log } = context;
  const present = searchArchive(places);
  for (const place of present === null ? places : [present]) if (await isRestored(place, context)) return;
  const archive = await openFirst(places, config).catch(throwAsAtStart);
  const { file } = archive;
  const identity = await identify(file, true);
  await withLive(async (live) => {
    // another start may have restored it while this one waited for the lock
    if (await isRestored(file, context)) return;
    log.warn(restoreAtStartMessages.begins(file, live.name));
    // setting the variable is the consent
    const request = { archive, identity, dryRun: false, databaseOnly: false, consent: null };
    await restore(request, live, context).catch(throwAsAtStart);
    log.info(restoreAtStartMessages.ended);
  });
}

/**
 * The archive that a start would restore first; null if it was restored already. Writes nothing.
 * @throws the failures of `restoreAtStart` whose reason is the archive
 */
export async function findArchiveAtStart(
  places: readonly string[],
  context: Pick<RestoreContext, 'config' | 'log'>,
): Promise<Archive | null> {
  const present = searchArchive(places);
  for (const place of present === null ? places : [present]) if (await isRestored(place, context)) return null;
  return openFirst(places, context.config).catch(throwAsAtStart);
}

/** Checks whether a start could restore the archive, as far as that can be known without loading it. */
export async function obstacleAtStart(
  archive: Archive,
  live: Database,
  { config, signal }: Pick<RestoreContext, 'config' | 'signal'>,
): Promise<Problem | null> {
  try {
    await requireReady(archive, live, config);
    await requireRestoreRights(live);
    await requireTrustworthy(archive, config, signal).catch(throwAsAtStart);
    return null;
  } catch (error) {
    if (error instanceof Failure) return error.problem;
    throw error;
  }
}

/**
 * Does what a start would do, and deletes the result. Call it under the run lock.
 * @throws the failures of `restoreAtStart`
 */
export async function rehearseAtStart(archive: Archive, live: Database, context: RestoreContext): Promise<void> {
  await requireReady(archive, live, context.config);
  const identity = await identify(archive.file, false);
  const request = { archive, identity, dryRun: true, databaseOnly: false, consent: null };
  await restore(request, live, context).catch(throwAsAtStart);
}

async function openFirst(places: readonly string[], config: Config): Promise<Archive> {
  return openMatchingArchive(requireArchive(places), config);
}

/** Marks a rejection as one at a start, where nobody has just typed the name of the archive. */
function throwAsAtStart(error: unknown): never {
  if (!(error instanceof Failure) || error.problem.kind !== 'archive-rejected') throw error;
  throw new Failure({ ...error.problem, atStart: true }, { cause: error });
}

async function isRestored(file: string, { config, log }: Pick<RestoreContext, 'config' | 'log'>): Promise<boolean> {
  const done = await findRestoreAtStart(config, file);
  if (done === null) return false;
  log.info(restoreAtStartMessages.already(file, done.finishedAt));
  return true;
}

/**
 * Checks everything that a restore requires before it begins. Reads only.
 * @throws Failure `restore-refused` if there are other sessions, a folder of uploads cannot be written, or there is
 *   too little room
 */
export async function requireReady(archive: Archive, live: Database, config: Config): Promise<void> {
  // db-init cannot always see who has a SQLite file open: setting TT_RESTORE_FROM is the consent to that
  await requireExclusiveAccess(live, { config, disconnect: config.database.kind === 'sqlite' });
  const roots = replacedRootsOf(archive, config);
  await requireWritable(roots);
  requireRestoreSpace(archive, roots, config);
}

/**
 * Checks the free space, as far as it can be known before unpacking: for the database of the archive, and for the
 * uploads of each folder.
 * @throws Failure `restore-refused` (`no-space`)
 */
export function requireRestoreSpace(archive: Archive, roots: readonly UploadRoot[], config: Config): void {
  const { database: target, backupFolder } = config;
  const folder = nearestExisting(target.kind === 'sqlite' ? dirname(target.file) : backupFolder);
  if (archive.engine === 'sqlite') requireCopySpace(archive.database.size, folder, archive.file);
  else {
    requireDumpSpace(archive, nearestExisting(backupFolder));
    // how large the rows are is only known once the dump was read: then it is asked again
    if (target.kind === 'sqlite') requireCopySpace(archive.database.size, folder, archive.file);
  }
  for (const root of roots) {
    requireUploadSpace(nearestExisting(root.folder), uploadsOf(archive, root.name));
  }
}

/** The space for the dump, which is unpacked before it is loaded. */
function requireDumpSpace({ file, database }: Archive, folder: string): void {
  const [needed, free] = [database.size, freeBytes(folder)];
  if (free >= needed) return;
  const obstacle = { kind: 'no-space', folder, needed, free, uploads: false } as const;
  throw new Failure({ kind: 'restore-refused', database: file, obstacle });
}

/** Checks the rights that the planned kind of swap needs. PostgreSQL only. @throws Failure `missing-rights` */
export async function requireRestoreRights(live: Database): Promise<void> {
  if (live.engine !== 'postgresql') return;
  const swapsDatabases = !(await isDatabaseShared(live)) && (await live.read((session) => maySwapDatabases(session)));
  await requireConnections(live, swapsDatabases ? 2 : 1, 'restore');
  if (!swapsDatabases) await requireSchemaRights(live);
}

/**
 * Reads the whole archive: checks that it is not damaged, and that its database holds no object that needs
 * `--trust-archive`. Runs nothing from it, and writes only temporary files.
 * @throws Failure `archive-rejected`
 */
export async function requireTrustworthy(archive: Archive, config: Config, signal: AbortSignal): Promise<void> {
  const { objects } = await verifyArchive(archive, { config, signal });
  if (objects.length > 0) throw archiveRejected(archive.file, { kind: 'unknown-objects', objects });
}
