import type { Archive } from '../archive/reader.ts';
import { searchArchive, requireArchive } from '../archive/find-archive.ts';
import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { Failure, type Problem } from '../errors/failure.ts';
import { requireHarmless, requireReady, requireRestoreRights } from './ready.ts';
import { openMatchingArchive, restore } from './restore.ts';
import type { RestoreContext } from './target.ts';
import { restoreAtStartMessages } from '../report/restore-messages.ts';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { sideFilesOf } from '../archive/bare-file.ts';
import { type DoneRestore, readHistory } from '../state-folder/restore-history.ts';
import type { ArchiveIdentity } from '../state-folder/journal.ts';

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
  const archive = await openFirst(places, config).catch(atStart);
  const { file } = archive;
  const identity = await identify(file, true);
  await withLive(async (live) => {
    // another start may have restored it while this one waited for the lock
    if (await isRestored(file, context)) return;
    log.warn(restoreAtStartMessages.begins(file, live.name));
    // setting the variable is the consent
    const request = { archive, identity, dryRun: false, databaseOnly: false, consent: null };
    await restore(request, live, context).catch(atStart);
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
  return openFirst(places, context.config).catch(atStart);
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
    await requireHarmless(archive, config, signal).catch(atStart);
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
  await restore(request, live, context).catch(atStart);
}

async function openFirst(places: readonly string[], config: Config): Promise<Archive> {
  return openMatchingArchive(requireArchive(places), config);
}

/** Marks a rejection as one at a start, where nobody has just typed the name of the archive. */
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

/**
 * Identifies an archive by path, size and time; by its content as well where it is asked again later. The logs beside
 * a bare SQLite file hold some of its rows, and belong to its identity.
 */
export async function identify(file: string, byContent: boolean): Promise<ArchiveIdentity> {
  const stats = await Promise.all(filesOf(file).map((path) => stat(path)));
  const size = stats.reduce((sum, each) => sum + each.size, 0);
  const modified = Math.trunc(Math.max(...stats.map(({ mtimeMs }) => mtimeMs)));
  return { path: file, size, modified, sha256: byContent ? await hashOf(file) : null };
}

const filesOf = (file: string): readonly string[] => [file, ...sideFilesOf(file).map((suffix) => file + suffix)];

/**
 * Finds the recorded restore of an archive at a start. The content decides, whatever the name of the file; it is only
 * read if path, size and time do not match. A missing archive is identified by its path.
 * @throws Failure `restore-refused` if it is unknown what was restored
 */
export async function findRestoreAtStart(
  config: Pick<Config, 'backupFolder' | 'database'>,
  file: string,
): Promise<DoneRestore | null> {
  const done = readHistory(config).filter(({ archive }) => archive !== null && archive.sha256 !== null);
  if (done.length === 0) return null;
  const present = await identify(file, false).catch(() => null);
  const likely = done.findLast(
    ({ archive }) =>
      archive?.path === file &&
      (present === null || (archive.size === present.size && archive.modified === present.modified)),
  );
  if (likely !== undefined || present === null) return likely ?? null;
  const sha256 = await hashOf(file);
  return done.findLast(({ archive }) => archive?.sha256 === sha256) ?? null;
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for (const path of filesOf(file)) {
    const bytes: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: 1024 * 1024 });
    for await (const chunk of bytes) hash.update(chunk);
  }
  return hash.digest('hex');
}
