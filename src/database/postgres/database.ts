import type { Depth, OpenOptions, Database, Transaction } from '../database.ts';
import pg from 'pg';
import type { PostgresTarget } from '../../config/config.ts';
import { chainOf } from '../../errors/error-code.ts';
import { Failure, reasonOf } from '../../errors/failure.ts';
import { causeOf, isConnectionLost, LockTimeout } from '../error-cause.ts';
import { describeRetry } from '../../report/causes.ts';
import { describePostgres } from '../target-name.ts';
import { pauseBeforeAttempt, sleep } from '../backoff.ts';
import { commit, type CommitOptions } from './commit.ts';
import { answered, type Connected, closeClient, connectWhenReady } from './connect.ts';
import { inspect, readCatalogAfter, type CatalogRows, readFacts } from './inspect.ts';
import {
  isTaken,
  migrationLock,
  refuseTransactionPooler,
  releaseRunLock,
  prepareSession,
  takeRunLock,
} from './lock.ts';
import { findRemainingWriters } from './other-sessions.ts';
import { findMissingRights } from './rights.ts';
import { lastRow, postgresSession } from './session.ts';
import { endOnAbort } from './end-on-abort.ts';

/** How often a transaction is repeated after a lock timeout. */
const lockRetries = 3;
/** The shortest time limit, in seconds, for an answer about the catalog, however short TT_WAIT_TIMEOUT is. */
const shortestAnswerTimeout = 30;

/** The one connection of a run. */
interface RunConnection extends Connected {
  /** How long a query of the catalog may take, in seconds. */
  readonly deadline: number;
  /** Turns a lost connection and a lock timeout into errors that name the database and the blockers. */
  readonly translated: <Result>(work: Promise<Result>) => Promise<Result>;
  /** Runs short queries: if the server does not answer before the deadline, the connection counts as lost. */
  readonly answeredInTime: <Result>(work: () => Promise<Result>) => Promise<Result>;
}

/**
 * Connects to PostgreSQL. A single connection does all the work and holds the run lock: if the lock is lost, the open
 * transaction is lost with it.
 */
export async function openPostgres(target: PostgresTarget, options: OpenOptions): Promise<Database> {
  const connected = await connectWhenReady(target, options);
  const connection = limitAnswers(connected, target, options);
  const { client, server, translated, answeredInTime } = connection;
  const { prepare, withLock, takeCatalogRows } = createRunLock(connection, target, options);

  try {
    await answeredInTime(() => refuseTransactionPooler(connected, target, options.applicationName));
    if (!options.writes) await answeredInTime(prepare);
  } catch (error) {
    await closeClient(client);
    throw error;
  }

  const begin = beginMigration(options);
  const rollBack = async (): Promise<void> => void (await client.query('ROLLBACK'));
  const { applicationName, signal, onCommit = () => undefined } = options;
  const reconnect = async (): Promise<pg.Client> => (await connectWhenReady(target, options)).client;
  const committing: CommitOptions = { reconnect, signal, onCommit };
  const { backendPid } = server;
  const release = endOnAbort(client, { target, applicationName, backendPid, cancels: true }, signal);

  return {
    engine: 'postgresql',
    name: describePostgres(target),
    serverVersion: `PostgreSQL ${server.version}`,
    withLock,

    async observe(depth, question) {
      await answeredInTime(prepare);
      const rows = takeCatalogRows();
      return answeredInTime(() => inspect(client, server.versionNumber, depth, question, rows));
    },

    async read(work) {
      await answeredInTime(prepare);
      return translated(inTransaction(connected, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', work, rollBack));
    },

    async tryRows(suspects) {
      await answeredInTime(prepare);
      const { tryRows } = await import('./trial-rows.ts');
      return translated(inTransaction(connected, 'BEGIN', (session) => tryRows(session, suspects), rollBack));
    },

    otherWriters: () => answeredInTime(() => findRemainingWriters(postgresSession(client))),

    // the connection of a run that reads is refused where that of a run that writes is
    findEntryObstacle: async () => null,

    missingRights: (planned) => answeredInTime(() => findMissingRights(client, planned)),

    async transaction(work) {
      await answeredInTime(prepare);
      return repeatAfterLockTimeout(options, () =>
        translated(inTransaction(connected, begin, work, () => commit(client, committing))),
      );
    },

    rehearse: (work) => translated(inTransaction(connected, begin, work, rollBack)),

    async close() {
      release();
      await closeClient(client);
    },
  };
}

function limitAnswers(connected: Connected, target: PostgresTarget, options: OpenOptions): RunConnection {
  const { client } = connected;
  // catalog queries are fast, but wait for the lock of a table that another session alters, up to the lock timeout
  const deadline = Math.max(options.waitTimeout, shortestAnswerTimeout) + options.migrationLockTimeout;
  const translated = <Result>(work: Promise<Result>): Promise<Result> => translateErrors(client, target, work);
  return {
    ...connected,
    deadline,
    translated,
    answeredInTime: (work) => translated(answered(client, deadline, work())),
  };
}

interface RunLock extends Pick<Database, 'withLock'> {
  /** Sets the settings of the session, if the statements of the lock have not set them. */
  readonly prepare: () => Promise<void>;
  /** The catalog rows that were read together with the lock. They are used only once: null from then on. */
  readonly takeCatalogRows: () => CatalogRows | null;
}

/** The run lock. One round trip prepares the session, takes the lock and reads the catalog. */
function createRunLock(connection: RunConnection, { schema }: PostgresTarget, options: OpenOptions): RunLock {
  const { client, translated } = connection;
  const session = { lockTimeout: options.migrationLockTimeout, schema };
  const waiting = { ...options, session, onWaiting: options.onLockWaiting };
  let prepared = false;
  let catalogRows: CatalogRows | null = null;
  return {
    async prepare() {
      if (!prepared) await prepareSession(client, session);
      prepared = true;
    },

    takeCatalogRows() {
      const rows = catalogRows;
      catalogRows = null;
      return rows;
    },

    async withLock(work, depth) {
      if (depth !== undefined) {
        const tryFirst = async (statements: string): Promise<boolean> => {
          const tried = await lockAndReadCatalog(connection, statements, depth);
          catalogRows = tried.rows;
          return tried.taken;
        };
        await translated(takeRunLock(client, { ...waiting, tryFirst }));
        prepared = true;
        // the lock is released when the connection is closed
        return work();
      }
      await translated(takeRunLock(client, waiting));
      prepared = true;
      try {
        return await work();
      } finally {
        // if this fails, the connection is lost, and the lock with it
        await releaseRunLock(client).catch(() => undefined);
      }
    },
  };
}

/**
 * Tries to take the run lock, and reads the catalog in the same round trip.
 * @param statements take the lock
 * @returns `rows`: null if the lock was not taken or the catalog cannot be read
 */
async function lockAndReadCatalog(
  { client, server, deadline }: RunConnection,
  statements: string,
  depth: Depth,
): Promise<{ readonly taken: boolean; readonly rows: CatalogRows | null }> {
  try {
    const { versionNumber } = server;
    const reading = readCatalogAfter(client, statements, { versionNumber, depth, suits: isTaken });
    const rows = await answered(client, deadline, reading);
    return { taken: rows !== null, rows };
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    // if the catalog cannot be read, `observe` reports that later; here only the lock is taken
    await client.query('ROLLBACK');
    return { taken: isTaken(await lastRow(client, statements)), rows: null };
  }
}

async function repeatAfterLockTimeout<Result>(
  { onRetry, signal }: OpenOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt > lockRetries || !(error instanceof LockTimeout)) throw error;
      onRetry(describeRetry(error.blockers, attempt, lockRetries + 1));
      await sleep(pauseBeforeAttempt(attempt), signal);
    }
  }
}

/** Begins a transaction that writes. The lock makes all such transactions of db-init wait for each other. */
function beginMigration({ migrationLockTimeout, statementTimeout }: OpenOptions): string {
  return `
    BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
    SET LOCAL lock_timeout TO '${migrationLockTimeout}s'; SET LOCAL statement_timeout TO '${statementTimeout}s';
    SELECT pg_advisory_xact_lock(${migrationLock.application}, ${migrationLock.key})`;
}

/** Turns a lost connection into a Failure and a lock timeout into a LockTimeout that names the blockers. */
async function translateErrors<Result>(
  client: pg.Client,
  target: PostgresTarget,
  work: Promise<Result>,
): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { kind } = causeOf(error);
    if (kind === 'lock-timeout') throw await explainLockTimeout(client, error);
    if (kind !== 'connection-lost') throw error;
    const problem = { kind, database: describePostgres(target), reason: reasonOf(error) } as const;
    throw new Failure(problem, { cause: error });
  }
}

async function inTransaction<Result>(
  { client, server: { versionNumber } }: Connected,
  begin: string,
  work: (transaction: Transaction) => Promise<Result>,
  end: () => Promise<void>,
): Promise<Result> {
  try {
    await client.query(begin);
    const result = await work({
      ...postgresSession(client),
      connection: { engine: 'postgresql', driver: pg, client },
      observe: (question, depth) => readFacts(client, { versionNumber, depth, question }),
    });
    await end();
    return result;
  } catch (error) {
    // if this fails, the connection is lost, and the server rolls back by itself
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Finds the sessions that hold the lock. Our transaction has ended, but the other sessions still hold the lock. */
async function explainLockTimeout(client: pg.Client, error: unknown): Promise<LockTimeout> {
  const { findBlockers } = await import('./lock-holders.ts');
  const statement = chainOf(error)
    .map((link) => ('statement' in link ? String(link.statement) : link.message))
    .join('\n');
  // if the holders cannot be read, the timeout is reported without them
  const blockers = await findBlockers(postgresSession(client), statement).catch(() => []);
  return new LockTimeout(blockers, error);
}
