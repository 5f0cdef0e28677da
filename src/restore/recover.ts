import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { findClosed } from '../database/postgres/connect.ts';
import { displayNameOf, namesOf } from '../database/target-name.ts';
import { Failure, reasonOf } from '../errors/failure.ts';
import { stateFolderOf } from '../state-folder/state-paths.ts';
import { databaseSwapTarget } from './targets/database-swap.ts';
import { fileSwapTarget } from './targets/file-swap.ts';
import { measureFormer, measureUploads } from './former.ts';
import { putAsideFormer, bringBackFormer } from './uploads/former-uploads.ts';
import { type HeldJournal, holdJournal } from './journal-lock.ts';
import { foldersOf, readHistory, remember } from '../state-folder/restore-history.ts';
import { type Journal, journalFileOf, readJournal, type Way } from '../state-folder/journal.ts';
import { applicationSchemaOf } from './targets/application-schema.ts';
import { enterMaintenanceDatabase, noMaintenanceDatabase } from './open-target.ts';
import type { Exchange } from '../report/run-record.ts';
import { describeUnmeasured, recoveryMessages } from '../report/restore-messages.ts';
import { isOfTarget, type RestoreContext, type RestoreTarget } from './target.ts';
import { isLost } from '../database/cause.ts';
import { withScratchDatabase } from './load-and-verify.ts';
import { schemaSwapTarget } from './targets/schema-swap.ts';
import { discardUploads, swapUploads } from './uploads/swap.ts';

/** Where a restore keeps what it needs meanwhile. */
export function stagingFolderOf(config: Pick<Config, 'backupFolder'>, id: string): string {
  return join(stateFolderOf(config), `restore-${id}`);
}

/**
 * Brings a journalled restore or undo to its end: forwards where the exchange has happened, back where it has not. It
 * may be cut off and called again. Nobody else may be at work on it: the target's lock and that of the journal say so.
 */
async function recoverJournal(
  target: RestoreTarget,
  journal: Journal,
  held: HeldJournal,
  context: Pick<RestoreContext, 'config' | 'log' | 'recorder'>,
): Promise<'finished' | 'taken back'> {
  const { config, recorder } = context;
  held.mayGoOn();
  const exchanged = journal.phase === 'preparing' ? 'not-exchanged' : await target.recover(journal, held.mayGoOn);
  if (exchanged === 'not-exchanged') {
    recorder.exchange(swapOf(journal, 'preparing'));
    await rollBack(target, journal, held, config);
    recorder.exchange(null);
    return 'taken back';
  }
  recorder.exchange(swapOf(journal, 'finishing'));
  await finish(target, journal, held, context);
  recorder.exchanged({ kind: 'exchange', action: journal.action, kept: journal.places.outgoing });
  return 'finished';
}

/** How far an exchange has come, for the record of the run. */
export function swapOf({ action, places }: Journal, phase: Exchange['phase']): Exchange {
  return { action, phase, incoming: places.incoming, outgoing: places.outgoing };
}

/** What is left to do once the new database is live. */
async function finish(
  target: RestoreTarget,
  journal: Journal,
  held: HeldJournal,
  { config, log }: Pick<RestoreContext, 'config' | 'log'>,
): Promise<void> {
  const { id, action, way, database, archive, places } = journal;
  const { mayGoOn } = held;
  // it must not be taken back any more, whatever the way
  held.write({ ...journal, phase: 'finishing' });
  for (const { folder, former } of journal.uploads) {
    if (former !== null) await bringBackFormer(folder, former, id, config, mayGoOn);
    await swapUploads(
      { folder, incoming: id, outgoing: id },
      await pathsThatStay(folder, config, archive?.path ?? null),
      mayGoOn,
    );
    await putAsideFormer(folder, id, config, mayGoOn);
  }
  mayGoOn();
  const finishedAt = new Date().toISOString();
  const kept = (await target.isKept(places.outgoing)) ? places.outgoing : null;
  const uploads = foldersOf(journal.uploads);
  // what it brought back is not kept any more
  for (const done of readHistory(config).filter((earlier) => earlier.kept === places.incoming)) {
    remember(config, { ...done, kept: null, uploads: [], measured: null, measuredUploads: {} });
  }
  const measured = kept === null ? null : await measureFormer(target, kept, log);
  const measuredUploads = await measureUploads(uploads, id, config, log);
  mayGoOn();
  const done = { id, action, way, database, archive, finishedAt, kept, uploads, measuredUploads };
  try {
    remember(config, { ...done, measured });
  } catch (error) {
    if (measured === null) throw error;
    // on a full disk there may still be room for the rest, which the restore needs
    log.warn(describeUnmeasured(places.outgoing, reasonOf(error)));
    remember(config, { ...done, measured: null });
  }
  await forget(journal, held, config);
}

async function rollBack(target: RestoreTarget, journal: Journal, held: HeldJournal, config: Config): Promise<void> {
  if (journal.action === 'restore') {
    await target.discard(journal.places);
    for (const { folder } of journal.uploads) {
      held.mayGoOn();
      await discardUploads(folder, journal.id);
    }
  }
  await forget(journal, held, config);
}

async function forget({ id }: Journal, held: HeldJournal, config: Config): Promise<void> {
  held.mayGoOn();
  await rm(stagingFolderOf(config, id), { recursive: true, force: true });
  held.remove();
}

/** What lies among the uploads perhaps, and is none. */
async function pathsThatStay(folder: string, config: Config, archive: string | null): Promise<readonly string[]> {
  // a folder of uploads inside another one has a swap of its own
  const roots = config.uploadRoots.map((root) => root.folder).filter((other) => other !== folder);
  const stay = [config.backupFolder, ...roots, ...(archive === null ? [] : [archive])];
  const { database } = config;
  if (database.kind !== 'sqlite') return stay;
  const home = dirname(database.file);
  // with all that is named after the database file: side files, locks, former ones
  const names = await readdir(home).catch(() => []);
  const own = names.filter((name) => name.startsWith(basename(database.file)));
  return [...stay, ...own.map((name) => join(home, name))];
}

/**
 * Waits for a restore that is at work in this backup folder, and finishes or takes back one that died.
 * @param openLive opens the live database
 * @throws Failure `restore-refused` (`unfinished`) if the journal cannot be read, or is about anything else
 */
export async function recoverRestore(
  context: RestoreContext,
  openLive: <Result>(work: (live: Database) => Promise<Result>) => Promise<Result>,
): Promise<void> {
  const { config } = context;
  const journal = readJournal(config);
  if (journal === null) return;
  if (journal === 'unreadable') throw await unreadableJournal(context);
  if (!isAbout(journal, config)) throw unfinished(config, `its journal is about another database, ${journal.database}`);
  // before the session's lock: whoever has this one may still need that
  const held = await holdJournal(context);
  try {
    // who was waited for may have finished, or may have been another one
    const present = readJournal(config);
    if (present === null || present === 'unreadable' || present.way !== journal.way) return;
    await withTarget(journal.way, context, openLive, (target) => takeOver(target, held, context));
  } finally {
    held.release();
  }
}

/** Settles what a dead run left, in the name of this one. */
async function takeOver(target: RestoreTarget, held: HeldJournal, context: RestoreContext): Promise<void> {
  const { config, log, recorder } = context;
  // where the kernel has no lock for the folder, only now is everybody else kept away
  const present = readJournal(config);
  if (present === null || present === 'unreadable') return;
  if (!isOfTarget(present, target))
    throw unfinished(config, 'its journal names what no restore of this database would');
  held.claim(present);
  log.warn(recoveryMessages.unfinished(present.holder, present.startedAt));
  recorder.exchange(swapOf(present, present.phase));
  const outcome = await recoverJournal(target, present, held, context).catch((error: unknown) => {
    const takenOver = held.takenOver();
    if (takenOver !== null) {
      recorder.exchange(null);
      throw takenOver;
    }
    throw isNamed(error) ? error : unfinished(config, reasonOf(error), error);
  });
  log.warn(recoveryMessages.settled(present.action, outcome));
}

/** Nobody can tell what became of the restore; a database that it left closed is told before anything else. */
async function unreadableJournal({ config, version }: RestoreContext): Promise<Failure> {
  const { database: configured } = config;
  const closed = configured.kind === 'sqlite' ? null : await findClosed(configured, `db-init ${version} restore`);
  if (closed === null || configured.kind === 'sqlite') return unfinished(config, 'its journal cannot be read');
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

/** Opens the place of a live database, and takes the lock of restores, to settle what another run or connection left. */
async function withTarget<Result>(
  way: Way,
  context: RestoreContext,
  openLive: <Opened>(work: (live: Database) => Promise<Opened>) => Promise<Opened>,
  work: (target: RestoreTarget) => Promise<Result>,
): Promise<Result> {
  const { config } = context;
  const { database: configured } = config;
  if (configured.kind === 'postgresql' && way === 'databases') {
    const maintenance = await enterMaintenanceDatabase(configured, context);
    if (maintenance === null) throw unfinished(config, noMaintenanceDatabase);
    const target = databaseSwapTarget(configured, maintenance, null, context);
    try {
      return await work(target);
    } finally {
      await target.close();
    }
  }
  return openLive((live) =>
    live.withLock(async () =>
      work(
        configured.kind === 'sqlite'
          ? fileSwapTarget(configured, null, context)
          : schemaSwapTarget(configured, await applicationSchemaOf(live), live, context),
      ),
    ),
  );
}

/**
 * Settles a journal of this very run after something failed. If the connection is lost, the truth is asked for over
 * another one.
 * @throws Error if that failed as well: the journal stays for the next start
 */
export async function recoverOwn(
  target: RestoreTarget,
  journal: Journal,
  held: HeldJournal,
  context: RestoreContext,
): Promise<'finished' | 'taken back'> {
  const { config, log } = context;
  // a signal has ended the work; that it is cleaned up must not be ended by it as well
  const patient = { ...context, signal: new AbortController().signal };
  return recoverJournal(target, journal, held, patient).catch((error: unknown) => {
    if (!isLost(error)) throw error;
    const { action, way } = journal;
    log.warn(recoveryMessages.connectionLost(action, reasonOf(error)));
    const openLive = <Opened>(work: (live: Database) => Promise<Opened>): Promise<Opened> =>
      withScratchDatabase(config.database, patient, work);
    return withTarget(way, patient, openLive, (other) => recoverJournal(other, journal, held, patient));
  });
}

/** Whether a failure says itself what it is; one step that failed says that nothing was restored, which is not known here. */
function isNamed(error: unknown): boolean {
  if (!(error instanceof Failure)) return false;
  const { problem } = error;
  return problem.kind !== 'restore-refused' || problem.obstacle.kind !== 'failed';
}

/** Whether the journal is about the database that this run is configured for. */
function isAbout({ way, database }: Journal, config: Config): boolean {
  return (way === 'files') === (config.database.kind === 'sqlite') && namesOf(config.database).has(database);
}

/** A restore is not over, and this run may not go on. */
export function unfinished(config: Config, reason: string | null, cause?: unknown): Failure {
  const obstacle = { kind: 'unfinished', journal: journalFileOf(config), reason } as const;
  return new Failure({ kind: 'restore-refused', database: displayNameOf(config.database), obstacle }, { cause });
}
