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
import { restoreReasons } from '../report/restore-reasons.ts';

/**
 * Runs a restore or an undo under its journal: writes the journal, calls `prepare`, swaps the databases, and completes
 * the remaining steps. After any error, and after a signal, it recovers the journal at once: it completes the run if
 * the swap has happened, and rolls it back if not. After `kill -9`, `recoverRestore` of the next run does the same.
 * @param prepare makes the new database and the sets of uploads. It must call the given check before each step that
 *   writes. It returns the source of the new database, `undo` for the swap of an undo, or null to end without a swap
 * @throws Failure if the live database was not swapped, if nobody knows yet whether it was (`unfinished`), or if
 *   another run has taken over the journal (`taken-over`). If recovery could complete a swap after an error, it logs
 *   a warning and does not throw
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
  let current = journal;
  const enterPhase = (phase: Journal['phase']): void => {
    held.write({ ...journal, phase });
    current = { ...journal, phase };
  };
  beginJournal(journal, held, config);
  recorder.swap(swapProgressOf(journal, 'preparing'));
  let failed: { readonly error: unknown } | null = null;
  try {
    const source = await prepare(held.checkOwner);
    signal.throwIfAborted();
    if (source !== null) {
      enterPhase('swapping');
      recorder.swap(swapProgressOf(journal, 'swapping'));
      await target.swap(source === 'undo' ? null : source, journal.names, held.checkOwner);
      recorder.swap(swapProgressOf(journal, 'finishing'));
      enterPhase('finishing');
    }
  } catch (error) {
    failed = { error };
  }
  const outcome = await recoverOwnJournal(target, current, held, context).catch((error: unknown) => {
    const takenOver = held.takenOver();
    if (takenOver !== null) {
      recorder.swap(null);
      throw takenOver;
    }
    log.warn(recoveryMessages.notRecovered(reasonInWords(error)));
    const message = reasonInWords(failed === null ? error : failed.error);
    throw restoreUnfinished(config, { kind: 'failed', message }, error);
  });
  if (failed === null) return;
  if (outcome === 'finished') {
    return log.warn(recoveryMessages.completedDespiteFailure(journal.action, reasonInWords(failed.error)));
  }
  signal.throwIfAborted();
  throw stepFailed('swap', failed.error, config);
}

/** Writes the first phase. @throws Failure `restore-refused` if it cannot be written, or if another journal exists */
function beginJournal(journal: Journal, held: HeldJournal, config: Config): void {
  if (readJournal(config) !== null) throw restoreUnfinished(config, null);
  try {
    held.claim(journal);
  } catch (error) {
    throw stateFolderUnusable(config, journal.database, error);
  }
}

/**
 * Recovers a journal: completes the restore or the undo if the databases were swapped, and rolls it back if not. After
 * a kill at any point, it may be called again. The caller holds the lock of the target and the lock of the journal, so
 * no other run works on either.
 * @returns whether the restore was completed or rolled back
 * @throws Failure `restore-refused` (`taken-over`); any other error leaves the journal for the next call
 */
async function recoverJournal(
  target: RestoreTarget,
  journal: Journal,
  held: HeldJournal,
  context: Pick<RestoreContext, 'config' | 'log' | 'recorder'>,
): Promise<'finished' | 'rolled-back'> {
  const { config, recorder } = context;
  held.checkOwner();
  const swapped = journal.phase === 'preparing' ? 'not-swapped' : await target.recover(journal, held.checkOwner);
  if (swapped === 'not-swapped') {
    recorder.swap(swapProgressOf(journal, 'preparing'));
    await rollBack(target, journal, held, config);
    recorder.swap(null);
    return 'rolled-back';
  }
  recorder.swap(swapProgressOf(journal, 'finishing'));
  await finish(target, journal, held, context);
  recorder.swapped({ kind: 'exchange', action: journal.action, kept: journal.names.outgoing });
  return 'finished';
}

/** The progress of a swap, for the record of the run. */
export function swapProgressOf({ action, names }: Journal, phase: SwapProgress['phase']): SwapProgress {
  return { action, phase, incoming: names.incoming, outgoing: names.outgoing };
}

/**
 * The steps after the swap: swaps the uploads, records the restore in the history, and removes the temporary files and
 * the journal. Each step may be repeated.
 */
async function finish(
  target: RestoreTarget,
  journal: Journal,
  held: HeldJournal,
  context: Pick<RestoreContext, 'config' | 'log'>,
): Promise<void> {
  const { config } = context;
  const { checkOwner } = held;
  // from here on, recovery must not roll back any kind of swap
  held.write({ ...journal, phase: 'finishing' });
  const { id, archive } = journal;
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
  await recordFinished(target, journal, checkOwner, context);
  await removeTemporary(journal, held, config);
}

/** Measures what is kept, and records the restore in the history. */
async function recordFinished(
  target: RestoreTarget,
  { id, action, swapKind, database, archive, names, uploads: swapped }: Journal,
  checkOwner: OwnerCheck,
  { config, log }: Pick<RestoreContext, 'config' | 'log'>,
): Promise<void> {
  const finishedAt = new Date().toISOString();
  const kept = (await target.exists(names.outgoing)) ? names.outgoing : null;
  const uploads = foldersOf(swapped);
  // after an undo, the former database is the live one: its earlier entry no longer keeps anything
  for (const done of readHistory(config).filter((earlier) => earlier.kept === names.incoming)) {
    recordRestore(config, { ...done, kept: null, uploads: [], measured: null, measuredUploads: {} });
  }
  const measured = kept === null ? null : await measureFormer(target, kept, log);
  const measuredUploads = await measureUploads(uploads, id, config, log);
  checkOwner();
  const done = { id, action, swapKind, database, archive, finishedAt, kept, uploads, measuredUploads };
  try {
    recordRestore(config, { ...done, measured });
  } catch (error) {
    if (measured === null) throw error;
    // on a full disk, there may be room for an entry without the measurement
    log.warn(describeUnmeasured(names.outgoing, reasonOf(error)));
    recordRestore(config, { ...done, measured: null });
  }
}

/** Removes everything that the restore has prepared. */
async function rollBack(target: RestoreTarget, journal: Journal, held: HeldJournal, config: Config): Promise<void> {
  if (journal.action === 'restore') {
    await target.discard(journal.names);
    for (const { folder } of journal.uploads) {
      held.checkOwner();
      await discardUploads(folder, journal.id);
    }
  }
  await removeTemporary(journal, held, config);
}

/** Removes the temporary files, and then the journal: the last step of each outcome. */
async function removeTemporary({ id }: Journal, held: HeldJournal, config: Config): Promise<void> {
  held.checkOwner();
  await rm(stagingFolderOf(config, id), { recursive: true, force: true });
  held.remove();
}

/** The paths that may be inside a folder of uploads, but that a swap of uploads must not move. */
async function pathsToProtect(folder: string, config: Config, archive: string | null): Promise<readonly string[]> {
  // a folder of uploads inside another one is swapped separately
  const roots = config.uploadRoots.map((root) => root.folder).filter((other) => other !== folder);
  const stay = [config.backupFolder, ...roots, ...(archive === null ? [] : [archive])];
  const { database } = config;
  if (database.kind !== 'sqlite') return stay;
  const databaseFolder = dirname(database.file);
  // all files whose names begin with that of the database file: WAL files, locks, former databases
  const names = await readdir(databaseFolder).catch(() => []);
  const own = names.filter((name) => name.startsWith(basename(database.file)));
  return [...stay, ...own.map((name) => join(databaseFolder, name))];
}

/**
 * Recovers the journal of a restore whose process has died. While the process is still running, it waits for its lock
 * first. Without a journal it does nothing.
 * @param openLive opens the live database, for kinds of swap that keep it open
 * @throws Failure `locked` after TT_LOCK_TIMEOUT; `closed-database`; `restore-refused` (`unfinished`) if the journal
 *   cannot be read, names another database, or cannot be recovered now
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
    throw restoreUnfinished(config, { kind: 'journal-of-other', database: journal.database });
  // before the run lock of the database: the run that holds the journal may still need that lock
  const held = await holdJournal(context);
  try {
    // while this run waited, the other run may have finished, and a third one may have begun
    const present = readJournal(config);
    if (present === null || present === 'unreadable' || present.swapKind !== journal.swapKind) return;
    await withTargetToRecover(journal.swapKind, context, openLive, (target) => takeOver(target, held, context));
  } finally {
    held.release();
  }
}

/** Makes this run the owner of a dead run's journal, and recovers it. */
async function takeOver(target: RestoreTarget, held: HeldJournal, context: RestoreContext): Promise<void> {
  const { config, log, recorder } = context;
  // if the file system has no locks, only the lock of the target keeps other runs away: read the journal again
  const present = readJournal(config);
  if (present === null || present === 'unreadable') return;
  if (!isOfTarget(present, target)) throw restoreUnfinished(config, { kind: 'journal-of-other-names' });
  held.claim(present);
  log.warn(recoveryMessages.unfinished(present.holder, present.startedAt));
  recorder.swap(swapProgressOf(present, present.phase));
  const outcome = await recoverJournal(target, present, held, context).catch((error: unknown) => {
    const takenOver = held.takenOver();
    if (takenOver !== null) {
      recorder.swap(null);
      throw takenOver;
    }
    throw holdsDuringRecovery(error)
      ? error
      : restoreUnfinished(config, { kind: 'failed', message: reasonOf(error) }, error);
  });
  log.warn(recoveryMessages.recovered(present.action, outcome));
}

/**
 * The failure for a journal that cannot be read. If the restore has left the live database closed to connections, the
 * failure says that: the operator has to open it by hand.
 */
async function journalUnreadable({ config, version }: RestoreContext): Promise<Failure> {
  const { database: configured } = config;
  const closed = configured.kind === 'sqlite' ? null : await findClosed(configured, `db-init ${version} restore`);
  if (closed === null || configured.kind === 'sqlite') return restoreUnfinished(config, { kind: 'journal-unreadable' });
  return new Failure({
    kind: 'closed-database',
    database: displayNameOf(configured),
    name: configured.database,
    reason: restoreReasons.closed,
    beside: closed.beside,
    journal: journalFileOf(config),
    dropped: closed.dropped,
  });
}

/**
 * Recovers the journal of this run. If the connection is lost, it opens another one, because only the server knows
 * whether the swap was committed.
 * @throws Error if that fails as well; the journal stays for the next start
 */
async function recoverOwnJournal(
  target: RestoreTarget,
  journal: Journal,
  held: HeldJournal,
  context: RestoreContext,
): Promise<'finished' | 'rolled-back'> {
  const { config, log } = context;
  // a signal has ended the work: it must not end the recovery as well
  const uninterrupted = { ...context, signal: new AbortController().signal };
  return recoverJournal(target, journal, held, uninterrupted).catch((error: unknown) => {
    if (!isConnectionLost(error)) throw error;
    const { action, swapKind } = journal;
    log.warn(recoveryMessages.connectionLost(action, reasonOf(error)));
    const openLive = <Opened>(work: (live: Database) => Promise<Opened>): Promise<Opened> =>
      withConnection(config.database, uninterrupted, work);
    return withTargetToRecover(swapKind, uninterrupted, openLive, (other) =>
      recoverJournal(other, journal, held, uninterrupted),
    );
  });
}

/**
 * Whether a failure of the recovery may be reported as it is. The message of a failed step says that the live database
 * is unchanged, which is not known during a recovery.
 */
function holdsDuringRecovery(error: unknown): boolean {
  if (!(error instanceof Failure)) return false;
  const { problem } = error;
  return problem.kind !== 'restore-refused' || problem.obstacle.kind !== 'failed';
}

/** Whether the journal belongs to the configured database. */
function concernsDatabase({ swapKind, database }: Journal, config: Config): boolean {
  return (swapKind === 'files') === (config.database.kind === 'sqlite') && namesOf(config.database).has(database);
}
