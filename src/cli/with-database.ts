import type { OpenOptions, Database } from '../database/database.ts';
import { unfinishedRestore } from '../execution/execute-plan.ts';
import { tmpdir } from 'node:os';
import { relative } from 'node:path';
import type { Settings } from '../config/config.ts';
import { openDatabase, selectHost } from '../database/open.ts';
import { displayNameOf } from '../database/target-name.ts';
import { Failure } from '../errors/failure.ts';
import { findRestoreJournal, restoreHistoryVersion } from '../state-folder/state-paths.ts';
import { commandsFor } from '../report/commands.ts';
import type { Log } from '../report/log.ts';
import { isLostWithContainer } from '../platform/volumes.ts';
import type { CommandContext } from './context.ts';
import { describeSelectedServer, describeUnmountedFile, waitingMessages } from '../report/opening-messages.ts';

type OpenContext = Pick<CommandContext, 'config' | 'log' | 'recorder' | 'signal' | 'version'>;

/**
 * Opens the database for one command and closes it afterwards. A run that may write first waits for a running restore,
 * and recovers one whose process has died.
 * @param access `read` takes no lock and cannot write
 */
export async function withDatabase<Result>(
  context: OpenContext,
  command: string,
  access: 'read' | 'write',
  work: (database: Database) => Promise<Result>,
): Promise<Result> {
  warnOfUnmountedFile(context);
  if (access === 'read') return openAndClose(context, command, access, work);
  for (;;) {
    await recoverUnfinishedRestore(context, command);
    const progress = { locked: false, restores: restoreHistoryVersion(context.config) };
    try {
      return await openAndClose(context, command, access, (database) =>
        work(refusingDuringRestore(database, context, progress)),
      );
    } catch (error) {
      if (!hasOtherRestoreBegun(error, context, progress)) throw error;
    }
  }
}

/**
 * Warns of a SQLite file that is not on a volume: it is deleted together with the container. A file in the folder for
 * temporary files is there on purpose.
 */
function warnOfUnmountedFile({ config, log }: OpenContext): void {
  const { database } = config;
  if (database.kind !== 'sqlite' || !isLostWithContainer(database.file) || isTemporary(database.file)) return;
  for (const line of describeUnmountedFile(database.file, commandsFor(config))) log.warn(line);
}

function isTemporary(file: string): boolean {
  return !relative(tmpdir(), file).startsWith('..');
}

interface Progress {
  /** Whether the run has begun its work under the lock. */
  locked: boolean;
  /** The version of the restore history when the run began. */
  readonly restores: string;
}

/** Under the run lock, refuses to begin while the journal of a restore exists. */
function refusingDuringRestore(database: Database, { config }: OpenContext, progress: Progress): Database {
  return {
    ...database,
    withLock: (work, depth) =>
      database.withLock(async () => {
        const journal = findRestoreJournal(config);
        if (journal !== null) throw new Failure(unfinishedRestore(database.name, journal));
        progress.locked = true;
        return work();
      }, depth),
  };
}

/**
 * Whether an error means that a restore of another run has begun first. A restore ends all sessions, also those of runs
 * that wait for its lock. This run has changed nothing yet, so it starts again.
 */
function hasOtherRestoreBegun(
  error: unknown,
  { config, signal }: OpenContext,
  { locked, restores }: Progress,
): boolean {
  if (!(error instanceof Failure) || locked || signal.aborted) return false;
  const { problem } = error;
  if (problem.kind === 'connection-lost' || problem.kind === 'closed-database') {
    return findRestoreJournal(config) !== null || restoreHistoryVersion(config) !== restores;
  }
  return (
    problem.kind === 'restore-refused' && problem.obstacle.kind === 'unfinished' && problem.obstacle.reason === null
  );
}

async function recoverUnfinishedRestore(context: OpenContext, command: string): Promise<void> {
  if (findRestoreJournal(context.config) === null) return;
  const { recoverRestore } = await import('../restore/journal-runner.ts');
  const given = { ...context, disconnect: false, trusted: false, onBytes: () => undefined };
  await recoverRestore(given, (work) => openAndClose(context, command, 'write', work));
}

/**
 * Selects one server if the address lists several. It is called first, so that all messages, connections and tools of
 * the run use the same server.
 */
export async function selectServer<Known extends Settings>(
  { config, log, signal, version }: Omit<OpenContext, 'config' | 'recorder'> & { readonly config: Known },
  command: string,
): Promise<Known> {
  const { database, waitTimeout } = config;
  if (database?.kind !== 'postgresql' || database.furtherHosts === undefined) return config;
  const applicationName = `db-init ${version} ${command}`;
  const selected = await selectHost(database, { applicationName, waitTimeout, signal, onWaiting: logWaiting(log) });
  log.info(describeSelectedServer(displayNameOf(selected)));
  return { ...config, database: selected };
}

const logWaiting =
  (log: Log): OpenOptions['onWaiting'] =>
  (reason, secondsLeft) =>
    log.info(waitingMessages.server(reason, secondsLeft));

async function openAndClose<Result>(
  { config, log, recorder, signal, version }: OpenContext,
  command: string,
  access: 'read' | 'write',
  work: (database: Database) => Promise<Result>,
): Promise<Result> {
  const database = await openDatabase(config.database, {
    ...config,
    applicationName: `db-init ${version} ${command}`,
    writes: access === 'write',
    signal,
    onWaiting: logWaiting(log),
    onLockWaiting: ({ description }, secondsLeft) => log.info(waitingMessages.otherRun(description, secondsLeft)),
    onRetry: (reason) => log.info(waitingMessages.retry(reason)),
    onWarning: (message) => log.warn(`${message}.`),
    onCommit: (outcome) => recorder.committed(outcome),
  });
  recorder.opened(database);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
