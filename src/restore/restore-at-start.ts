import type { Archive } from '../archive/reader.ts';
import { searchArchive, requireArchive } from '../archive/find-archive.ts';
import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { Failure, type Problem } from '../errors/failure.ts';
import { findRestoreAtStart, identify } from './archive-identity.ts';
import { requireHarmless, requireRestoreRights } from './ready.ts';
import { openMatchingArchive, requireReady, restore } from './restore.ts';
import type { RestoreContext } from './target.ts';
import { restoreAtStartMessages } from '../report/restore-messages.ts';

/**
 * Restores the archive that TT_RESTORE_FROM names, once: what was restored is remembered beside the backups.
 * @param places where it may lie
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
  const archive = await openFirst(places, config).catch(atStart);
  const { file } = archive;
  const identity = await identify(file, true);
  await withLive(async (live) => {
    // another start may have done it while this one waited for the lock
    if (await isRestored(file, context)) return;
    log.warn(restoreAtStartMessages.begins(file, live.name));
    // to set the variable is the consent
    const request = { archive, identity, dryRun: false, databaseOnly: false, consent: null };
    await restore(request, live, context).catch(atStart);
    log.info(restoreAtStartMessages.ended);
  });
}

/**
 * The archive that a start would restore before anything else; null if it was restored already. Nothing is written.
 * @throws Failure as `restoreAtStart`, as far as the archive is the reason
 */
export async function findArchiveAtStart(
  places: readonly string[],
  context: Pick<RestoreContext, 'config' | 'log'>,
): Promise<Archive | null> {
  const present = searchArchive(places);
  for (const place of present === null ? places : [present]) if (await isRestored(place, context)) return null;
  return openFirst(places, context.config).catch(atStart);
}

/** What would keep a start from restoring an archive, as far as that can be known without loading it. */
export async function obstacleAtStart(
  archive: Archive,
  live: Database,
  { config, signal }: Pick<RestoreContext, 'config' | 'signal'>,
): Promise<Problem | null> {
  try {
    await requireReady(archive, live, config);
    await requireRestoreRights(live);
    await requireHarmless(archive, config, signal).catch(atStart);
    return null;
  } catch (error) {
    if (error instanceof Failure) return error.problem;
    throw error;
  }
}

/**
 * Does what a start would do, and throws the result away. To be called under the run lock.
 * @throws Failure as `restoreAtStart`
 */
export async function rehearseAtStart(archive: Archive, live: Database, context: RestoreContext): Promise<void> {
  await requireReady(archive, live, context.config);
  const identity = await identify(archive.file, false);
  const request = { archive, identity, dryRun: true, databaseOnly: false, consent: null };
  await restore(request, live, context).catch(atStart);
}

async function openFirst(places: readonly string[], config: Config): Promise<Archive> {
  return openMatchingArchive(requireArchive(places), config);
}

/** Nobody stands before it who has just named the archive. */
function atStart(error: unknown): never {
  if (!(error instanceof Failure) || error.problem.kind !== 'archive-rejected') throw error;
  throw new Failure({ ...error.problem, atStart: true }, { cause: error });
}

async function isRestored(file: string, { config, log }: Pick<RestoreContext, 'config' | 'log'>): Promise<boolean> {
  const done = await findRestoreAtStart(config, file);
  if (done === null) return false;
  log.info(restoreAtStartMessages.already(file, done.finishedAt));
  return true;
}
