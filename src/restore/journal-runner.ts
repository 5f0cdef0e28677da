import type { Config } from '../config/config.ts';
import { type OwnerCheck, type RestoreContext, type RestoreTarget, type RestoreSource, isOfTarget } from './target.ts';
import { type HeldJournal, holdJournal } from './journal-lock.ts';
import { type Journal, readJournal, journalFileOf, stagingFolderOf } from '../state-folder/journal.ts';
import { recoveryMessages, describeUnmeasured } from '../report/restore-messages.ts';
import { stepFailed, reasonInWords, restoreUnfinished, stateFolderUnusable } from './failures.ts';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Database } from '../database/database.ts';
import { findClosed } from '../database/postgres/connect.ts';
import { displayNameOf, namesOf } from '../database/target-name.ts';
import { Failure, reasonOf } from '../errors/failure.ts';
import { foldersOf, readHistory, recordRestore } from '../state-folder/restore-history.ts';
import { withTargetToRecover } from './open-target.ts';
import type { SwapProgress } from '../report/run-record.ts';
import { isConnectionLost } from '../database/error-cause.ts';
import { withConnection } from './load-and-verify.ts';
import { discardUploads, swapUploads } from './uploads/swap.ts';
import { putAsideFormerUploads, bringBackFormerUploads } from './uploads/upload-sets.ts';
import { measureFormer, measureUploads } from './former-database.ts';

/**
 * Writes the journal before anything else, and completes it or rolls it back whatever happens.
 * @param prepare receives the check to call before each step
 * @throws Failure only if the live database was not swapped, if that is not known yet (`unfinished`), or if another
 *   run has taken over (`taken-over`). A fault after the swap that recovery settles is a warning
 */
export async function runJournalled(
  journal: Journal,
  target: RestoreTarget,
  context: RestoreContext,
  prepare: (checkOwner: OwnerCheck) => Promise<RestoreSource | 'undo' | null>,
): Promise<void> {
  const held = await holdJournal(context);
  try {
    await runAndRecover(journal, held, target, context, prepare);
  } finally {
    held.release();
  }
}

async function runAndRecover(
  journal: Journal,
  held: HeldJournal,
  target: RestoreTarget,
  context: RestoreContext,
  prepare: (checkOwner: OwnerCheck) => Promise<RestoreSource | 'undo' | null>,
): Promise<void> {
  const { config, signal, log, recorder } = context;
  let present = journal;
  const enter = (phase: Journal['phase']): void => {
    held.write({ ...journal, phase });
    present = { ...journal, phase };
  };
  beginJournal(journal, held, config);
  recorder.swap(swapProgressOf(journal, 'preparing'));
  let failed: { readonly error: unknown } | null = null;
  try {
    const source = await prepare(held.checkOwner);
    signal.throwIfAborted();
    if (source !== null) {
      enter('swapping');
      recorder.swap(swapProgressOf(journal, 'swapping'));
      await target.swap(source === 'undo' ? null : source, journal.places, held.checkOwner);
      recorder.swap(swapProgressOf(journal, 'finishing'));
      enter('finishing');
    }
  } catch (error) {
    failed = { error };
  }
  const outcome = await recoverOwnJournal(target, present, held, context).catch((error: unknown) => {
    const takenOver = held.takenOver();
    if (takenOver !== null) {
      recorder.swap(null);
      throw takenOver;
    }
    log.warn(recoveryMessages.notSettled(reasonInWords(error)));
    throw restoreUnfinished(config, reasonInWords(failed === null ? error : failed.error), error);
  });
  if (failed === null) return;
  if (outcome === 'finished') {
    return log.warn(recoveryMessages.finishedAllTheSame(journal.action, reasonInWords(failed.error)));
  }
  signal.throwIfAborted();
  throw stepFailed('restoring', failed.error, config);
}

/** @throws Failure `restore-refused` if there is no place for a journal, or another journal exists */
function beginJournal(journal: Journal, held: HeldJournal, config: Config): void {
  if (readJournal(config) !== null) throw restoreUnfinished(config, null);
  try {
    held.claim(journal);
  } catch (error) {
    throw stateFolderUnusable(config, journal.database, error);
  }
}

/**
 * Completes a journalled restore or undo if the swap has happened; rolls it back if not. It may be interrupted and
 * called again. The caller holds the lock of the target and the lock of the journal, so no other run works on it.
 */
async function recoverJournal(
  target: RestoreTarget,
  journal: Journal,
  held: HeldJournal,
  context: Pick<RestoreContext, 'config' | 'log' | 'recorder'>,
): Promise<'finished' | 'taken back'> {
  const { config, recorder } = context;
  held.checkOwner();
  const swapped = journal.phase === 'preparing' ? 'not-swapped' : await target.recover(journal, held.checkOwner);
  if (swapped === 'not-swapped') {
    recorder.swap(swapProgressOf(journal, 'preparing'));
    await rollBack(target, journal, held, config);
    recorder.swap(null);
    return 'taken back';
  }
  recorder.swap(swapProgressOf(journal, 'finishing'));
  await finish(target, journal, held, context);
  recorder.swapped({ kind: 'exchange', action: journal.action, kept: journal.places.outgoing });
  return 'finished';
}

/** How far a swap has come, for the record of the run. */
export function swapProgressOf({ action, places }: Journal, phase: SwapProgress['phase']): SwapProgress {
  return { action, phase, incoming: places.incoming, outgoing: places.outgoing };
}

/** The steps that remain once the new database is live. */
async function finish(
  target: RestoreTarget,
  journal: Journal,
  held: HeldJournal,
  { config, log }: Pick<RestoreContext, 'config' | 'log'>,
): Promise<void> {
  const { id, action, way, database, archive, places } = journal;
  const { checkOwner } = held;
  // from here on it must not be rolled back, whatever the kind of swap
  held.write({ ...journal, phase: 'finishing' });
  for (const { folder, former } of journal.uploads) {
    if (former !== null) await bringBackFormerUploads(folder, former, id, config, checkOwner);
    await swapUploads(
      { folder, incoming: id, outgoing: id },
      await pathsToProtect(folder, config, archive?.path ?? null),
      checkOwner,
    );
    await putAsideFormerUploads(folder, id, config, checkOwner);
  }
  checkOwner();
  const finishedAt = new Date().toISOString();
  const kept = (await target.exists(places.outgoing)) ? places.outgoing : null;
  const uploads = foldersOf(journal.uploads);
  // the database that it brought back is live, and no longer a former one
  for (const done of readHistory(config).filter((earlier) => earlier.kept === places.incoming)) {
    recordRestore(config, { ...done, kept: null, uploads: [], measured: null, measuredUploads: {} });
  }
  const measured = kept === null ? null : await measureFormer(target, kept, log);
  const measuredUploads = await measureUploads(uploads, id, config, log);
  checkOwner();
  const done = { id, action, way, database, archive, finishedAt, kept, uploads, measuredUploads };
  try {
    recordRestore(config, { ...done, measured });
  } catch (error) {
    if (measured === null) throw error;
    // on a full disk there may still be room for the remaining steps, which the restore needs
    log.warn(describeUnmeasured(places.outgoing, reasonOf(error)));
    recordRestore(config, { ...done, measured: null });
  }
  await removeTemporary(journal, held, config);
}

async function rollBack(target: RestoreTarget, journal: Journal, held: HeldJournal, config: Config): Promise<void> {
  if (journal.action === 'restore') {
    await target.discard(journal.places);
    for (const { folder } of journal.uploads) {
      held.checkOwner();
      await discardUploads(folder, journal.id);
    }
  }
  await removeTemporary(journal, held, config);
}

async function removeTemporary({ id }: Journal, held: HeldJournal, config: Config): Promise<void> {
  held.checkOwner();
  await rm(stagingFolderOf(config, id), { recursive: true, force: true });
  held.remove();
}

/** Paths that may be inside a folder of uploads and are not uploads. */
async function pathsToProtect(folder: string, config: Config, archive: string | null): Promise<readonly string[]> {
  // a folder of uploads inside another one is swapped separately
  const roots = config.uploadRoots.map((root) => root.folder).filter((other) => other !== folder);
  const stay = [config.backupFolder, ...roots, ...(archive === null ? [] : [archive])];
  const { database } = config;
  if (database.kind !== 'sqlite') return stay;
  const databaseFolder = dirname(database.file);
  // together with all files that are named after the database file: side files, locks, former files
  const names = await readdir(databaseFolder).catch(() => []);
  const own = names.filter((name) => name.startsWith(basename(database.file)));
  return [...stay, ...own.map((name) => join(databaseFolder, name))];
}

/**
 * Waits for a running restore in this backup folder, and completes or rolls back one whose process has died.
 * @param openLive opens the live database
 * @throws Failure `restore-refused` (`unfinished`) if the journal cannot be read, or is about another database
 */
export async function recoverRestore(
  context: RestoreContext,
  openLive: <Result>(work: (live: Database) => Promise<Result>) => Promise<Result>,
): Promise<void> {
  const { config } = context;
  const journal = readJournal(config);
  if (journal === null) return;
  if (journal === 'unreadable') throw await journalUnreadable(context);
  if (!concernsDatabase(journal, config))
    throw restoreUnfinished(config, `its journal is about another database, ${journal.database}`);
  // taken before the session's lock: the run that holds this lock may still need that one
  const held = await holdJournal(context);
  try {
    // the run that held the lock may have finished, or may have been another one
    const present = readJournal(config);
    if (present === null || present === 'unreadable' || present.way !== journal.way) return;
    await withTargetToRecover(journal.way, context, openLive, (target) => takeOver(target, held, context));
  } finally {
    held.release();
  }
}

/** Recovers what a dead run left; this run takes over its journal. */
async function takeOver(target: RestoreTarget, held: HeldJournal, context: RestoreContext): Promise<void> {
  const { config, log, recorder } = context;
  // if the folder has no kernel lock, other runs are kept away only from here on
  const present = readJournal(config);
  if (present === null || present === 'unreadable') return;
  if (!isOfTarget(present, target))
    throw restoreUnfinished(config, 'its journal names what no restore of this database would');
  held.claim(present);
  log.warn(recoveryMessages.unfinished(present.holder, present.startedAt));
  recorder.swap(swapProgressOf(present, present.phase));
  const outcome = await recoverJournal(target, present, held, context).catch((error: unknown) => {
    const takenOver = held.takenOver();
    if (takenOver !== null) {
      recorder.swap(null);
      throw takenOver;
    }
    throw saysWhatIsKnown(error) ? error : restoreUnfinished(config, reasonOf(error), error);
  });
  log.warn(recoveryMessages.settled(present.action, outcome));
}

/** The failure if the outcome of the restore is unknown. A database that the restore left closed is reported first. */
async function journalUnreadable({ config, version }: RestoreContext): Promise<Failure> {
  const { database: configured } = config;
  const closed = configured.kind === 'sqlite' ? null : await findClosed(configured, `db-init ${version} restore`);
  if (closed === null || configured.kind === 'sqlite') return restoreUnfinished(config, 'its journal cannot be read');
  return new Failure({
    kind: 'closed-database',
    database: displayNameOf(configured),
    name: configured.database,
    reason: 'it is closed to everybody',
    beside: closed.beside,
    journal: journalFileOf(config),
    dropped: closed.dropped,
  });
}

/**
 * Recovers the journal of this run after a failure. If the connection is lost, it asks the database over a new one.
 * @throws Error if that fails as well; the journal stays for the next start
 */
export async function recoverOwnJournal(
  target: RestoreTarget,
  journal: Journal,
  held: HeldJournal,
  context: RestoreContext,
): Promise<'finished' | 'taken back'> {
  const { config, log } = context;
  // a signal has ended the work; it must not end the clean-up as well
  const patient = { ...context, signal: new AbortController().signal };
  return recoverJournal(target, journal, held, patient).catch((error: unknown) => {
    if (!isConnectionLost(error)) throw error;
    const { action, way } = journal;
    log.warn(recoveryMessages.connectionLost(action, reasonOf(error)));
    const openLive = <Opened>(work: (live: Database) => Promise<Opened>): Promise<Opened> =>
      withConnection(config.database, patient, work);
    return withTargetToRecover(way, patient, openLive, (other) => recoverJournal(other, journal, held, patient));
  });
}

/**
 * Whether a failure may be passed on as it is. A failed step would claim that nothing was restored, which is unknown
 * here.
 */
function saysWhatIsKnown(error: unknown): boolean {
  if (!(error instanceof Failure)) return false;
  const { problem } = error;
  return problem.kind !== 'restore-refused' || problem.obstacle.kind !== 'failed';
}

/** Whether the journal is about the configured database. */
function concernsDatabase({ way, database }: Journal, config: Config): boolean {
  return (way === 'files') === (config.database.kind === 'sqlite') && namesOf(config.database).has(database);
}
