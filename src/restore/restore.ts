import { makeFolder } from '../platform/make-folder.ts';
import { openArchiveOrFile } from '../archive/bare-file.ts';
import { type Archive, uploadsOf } from '../archive/reader.ts';
import { type Config, uploadRootNames, type UploadRoot } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { reasonOf } from '../errors/failure.ts';
import { releaseGraph } from '../migration/revisions.ts';
import {
  describeArchive,
  describeErasures,
  describeMissingObjects,
  describeMissingUnknown,
  describeUnarchived,
  restoreMessages,
} from '../report/restore-messages.ts';
import { requireExclusiveAccess } from './other-sessions.ts';
import type { OwnerCheck, RestoreContext, RestoreTarget, RestoreSource } from './target.ts';
import { newRestoreId } from '../state-folder/restore-history.ts';
import {
  type ArchiveIdentity,
  type Journal,
  type SwapKind,
  stagingFolderOf,
  nameOfThisProcess,
} from '../state-folder/journal.ts';
import { runJournalled, swapProgressOf } from './journal-runner.ts';
import { openTarget } from './open-target.ts';
import { findRestoredFault, requireKnownRevisions, withConnection } from './load-and-verify.ts';
import { requireWritable, stageUploads } from './uploads/stage.ts';
import { writeStamp } from '../state-folder/run-stamp.ts';
import { stepRefused, withStepFailure } from './failures.ts';
import { findMissing, findUnarchived } from './unarchived.ts';
import { findErasedSince } from './warnings.ts';
import { announceKeptDatabase } from './former-database.ts';
import { swapBack } from './undo.ts';
import type { UnarchivedObject } from '../database/postgres/unarchived-objects.ts';

export interface RestoreRequest {
  readonly archive: Archive;
  readonly identity: ArchiveIdentity;
  /** Whether to prepare and verify the new database only, without the swap. */
  readonly dryRun: boolean;
  readonly databaseOnly: boolean;
  /** Asks the operator for consent, under the lock and after the warnings; null to ask nobody. @throws Failure */
  readonly consent: (() => Promise<void>) | null;
}

/**
 * Opens an archive or a bare database file, and checks that it fits this image. What is of the other engine is loaded
 * row by row.
 * @throws Failure `archive-rejected`
 */
export async function openMatchingArchive(file: string, { archiveLimits, database }: Config): Promise<Archive> {
  const archive = await openArchiveOrFile(file, archiveLimits, database.kind);
  requireKnownRevisions(archive.revisions ?? [], { archive });
  return archive;
}

/**
 * Restores an archive: prepares a healthy database from it beside the live one, and only then swaps the two. Keeps the
 * former database and the former uploads. Call it under the run lock of the live database. The steps:
 *
 * 1. open the target (`open-target.ts`): it swaps databases, schemas or files (`targets/`);
 * 2. write the journal (`journal-runner.ts`), which makes every later step recoverable;
 * 3. load the archive beside the live database, migrate it and verify it (`load-and-verify.ts`); an archive of the
 *    other engine is loaded row by row (`row-by-row/`);
 * 4. unpack the uploads beside the present ones (`uploads/stage.ts`);
 * 5. swap the databases (`targets/`), then the uploads (`uploads/swap.ts`), and remove the journal;
 * 6. verify the live database; if it is not healthy, undo the swap.
 * @throws Failure `archive-rejected`, `restore-refused`
 */
export async function restore(request: RestoreRequest, live: Database, context: RestoreContext): Promise<void> {
  await withStepFailure('restore', context, () => restoreUnderLock(request, live, context));
}

async function restoreUnderLock(request: RestoreRequest, live: Database, context: RestoreContext): Promise<void> {
  const { config, log } = context;
  if (!request.dryRun) await requireExclusiveAccess(live, context);
  const target = await openTarget(live, context);
  try {
    const journal = newJournal(request, target, live.name, context);
    const unarchived = await findUnarchived(live, target.swapKind);
    const source: RestoreSource = { archive: request.archive, folder: stagingFolderOf(config, journal.id), unarchived };
    await requireWritable(journal.uploads);
    log.info(describeArchive(request.archive));
    const erased = await findErasedSince(request.archive, live);
    if (erased.length > 0) log.warn(describeErasures(request.archive, erased));
    for (const line of describeUnarchived(unarchived)) log.warn(line);
    await request.consent?.();
    await runJournalled(journal, target, context, async (checkOwner) => {
      makeFolder(source.folder, 0o700);
      await target.prepare(source, journal.names, request.dryRun);
      await stageAllUploads(journal, request, checkOwner, context);
      return request.dryRun ? null : source;
    });
    if (request.dryRun) {
      log.info(restoreMessages.rehearsed);
      return;
    }
    await verifyLive(journal, source, target, live.name, context);
    log.info(restoreMessages.restored(live.name, request.archive.file));
    await warnOfMissing(unarchived, target.swapKind, context);
    await announceKeptDatabase(context);
  } finally {
    await target.close();
  }
}

/** Logs the objects that belong to the former database and that the restored one lacks. */
async function warnOfMissing(
  unarchived: readonly UnarchivedObject[],
  swapKind: SwapKind,
  context: RestoreContext,
): Promise<void> {
  if (unarchived.length === 0) return;
  const { config, log, signal } = context;
  try {
    const lacking = await withConnection(config.database, context, (restored) =>
      findMissing(unarchived, restored, swapKind),
    );
    for (const line of describeMissingObjects(lacking)) log.warn(line);
  } catch (error) {
    signal.throwIfAborted();
    log.warn(describeMissingUnknown(reasonOf(error)));
    for (const line of describeMissingObjects(unarchived)) log.warn(line);
  }
}

/**
 * Verifies the live database after the swap, over a new connection as the application will open it. It was healthy
 * before the swap; if it is not healthy now, the swap is undone.
 * @throws Failure `restore-refused` after the undo
 */
async function verifyLive(
  journal: Journal,
  source: RestoreSource,
  target: RestoreTarget,
  name: string,
  context: RestoreContext,
): Promise<void> {
  const { config, log, recorder } = context;
  recorder.swap(swapProgressOf(journal, 'unproven'));
  // the swap is done: a signal now waits until the database was verified
  const uninterrupted = { ...context, signal: new AbortController().signal };
  const fault = await withConnection(config.database, uninterrupted, async (database) => {
    const found = await findRestoredFault(database, source, config);
    if (found === null) writeStamp(config, database, releaseGraph.heads, log);
    return found;
  });
  if (fault === null) return recorder.swap(null);
  log.error(restoreMessages.unhealthy(fault.reason));
  await swapBack(target, name, uninterrupted);
  throw stepRefused('verify-live', fault.reason, fault.cause, config);
}

function newJournal(
  request: RestoreRequest,
  target: RestoreTarget,
  database: string,
  { config, log }: RestoreContext,
): Journal {
  const id = newRestoreId(config);
  const roots = request.databaseOnly ? [] : replacedRootsOf(request.archive, config);
  const missing = uploadRootNames.filter(
    (name) => request.archive.uploadRoots.includes(name) && !config.uploadRoots.some((root) => root.name === name),
  );
  if (missing.length > 0) log.warn(restoreMessages.noUploadFolder(missing));
  return {
    id,
    action: 'restore',
    swapKind: target.swapKind,
    database,
    archive: request.identity,
    startedAt: new Date().toISOString(),
    holder: nameOfThisProcess(),
    phase: 'preparing',
    names: target.names(id),
    uploads: roots.map(({ folder }) => ({ folder, former: null })),
  };
}

async function stageAllUploads(
  journal: Journal,
  { archive }: RestoreRequest,
  checkOwner: OwnerCheck,
  context: RestoreContext,
): Promise<void> {
  const { config, signal, onBytes } = context;
  for (const { folder } of journal.uploads) {
    const root = config.uploadRoots.find((candidate) => candidate.folder === folder);
    if (root === undefined) continue;
    await stageUploads(root, uploadsOf(archive, root.name), journal.id, { signal, onBytes, checkOwner });
  }
}

/** The folders that the archive replaces. An archive without uploads replaces none. */
export function replacedRootsOf(
  { manifest, uploadRoots: archived }: Archive,
  { uploadRoots }: Config,
): readonly UploadRoot[] {
  return uploadRoots.filter(({ name }) => manifest?.uploads.includes(name) === true || archived.includes(name));
}
