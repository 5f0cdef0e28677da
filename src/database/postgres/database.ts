import type { OpenOptions, Database, Transaction } from '../database.ts';
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
import { isTaken, migrationLock, refuseTransactionPooler, releaseRunLock, settleSession, takeRunLock } from './lock.ts';
import { findStaying } from './other-sessions.ts';
import { findMissingRights } from './rights.ts';
import { lastRow, postgresSession } from './session.ts';
import { endOnAbort } from './end-on-abort.ts';

/** How often a transaction is repeated after a lock timeout. */
const lockRetries = 3;
/** The shortest time limit, in seconds, for an answer about the catalog, however short TT_WAIT_TIMEOUT is. */
const leastPatience = 30;

/**
 * Connects to PostgreSQL. A single connection does all the work and holds the run lock: if the lock is lost, the open
 * transaction is lost with it.
 */
export async function openPostgres(target: PostgresTarget, options: OpenOptions): Promise<Database> {
  const connected = await connectWhenReady(target, options);
  const { client, server } = connected;
  const sessionOptions = { lockTimeout: options.migrationLockTimeout, schema: target.schema };
  // the session is settled only when needed: taking the run lock does that in the same round trip
  let settled = false;
  // the catalog rows that were read together with the lock, until `observe` uses them
  let look: CatalogRows | null = null;
  const settle = async (): Promise<void> => {
    if (!settled) await settleSession(client, sessionOptions);
    settled = true;
  };
  /** Turns a lost connection into a Failure and a lock timeout into a LockTimeout that names the blockers. */
  const naming = <Result>(work: Promise<Result>): Promise<Result> =>
    work.catch(async (error: unknown) => {
      if (error instanceof Failure) throw error;
      const { kind } = causeOf(error);
      if (kind === 'lock-timeout') throw await explainLockTimeout(client, error);
      if (kind !== 'connection-lost') throw error;
      throw new Failure(
        { kind: 'connection-lost', database: describePostgres(target), reason: reasonOf(error) },
        { cause: error },
      );
    });

  // catalog queries are quick, but on a table that others alter they wait for its lock, up to the lock timeout
  const deadline = Math.max(options.waitTimeout, leastPatience) + options.migrationLockTimeout;
  /** Runs short queries: if the server does not answer before the deadline, the connection counts as lost. */
  const asking = <Result>(work: () => Promise<Result>): Promise<Result> => naming(answered(client, deadline, work()));

  try {
    await asking(() => refuseTransactionPooler(connected, target, options.applicationName));
    if (!options.writes) await asking(settle);
  } catch (error) {
    await closeClient(client);
    throw error;
  }

  const { migrationLockTimeout, statementTimeout } = options;
  const begin = `
    BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
    SET LOCAL lock_timeout TO '${migrationLockTimeout}s'; SET LOCAL statement_timeout TO '${statementTimeout}s';
    SELECT pg_advisory_xact_lock(${migrationLock.application}, ${migrationLock.key})`;

  const rollBack = async (): Promise<void> => void (await client.query('ROLLBACK'));
  const committing: CommitOptions = {
    reconnect: async () => (await connectWhenReady(target, options)).client,
    signal: options.signal,
    onCommit: options.onCommit ?? (() => undefined),
  };

  const { applicationName, signal } = options;
  const { backendPid } = server;
  const release = endOnAbort(client, { target, applicationName, backendPid, cancels: true }, signal);

  return {
    engine: 'postgresql',
    name: describePostgres(target),
    serverVersion: `PostgreSQL ${server.version}`,

    async observe(depth, question) {
      await asking(settle);
      const open = look;
      look = null;
      return asking(() => inspect(client, server.versionNumber, depth, question, open));
    },

    async read(work) {
      await asking(settle);
      return naming(inTransaction(connected, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', work, rollBack));
    },

    othersAtWork: () => asking(() => findStaying(postgresSession(client))),

    missingRights: (intention) => asking(() => findMissingRights(client, intention)),

    async withLock(work, use) {
      const tryFirst = async (statements: string): Promise<boolean> => {
        try {
          look = await answered(client, deadline, readCatalogAfter(client, statements, server.versionNumber, isTaken));
          return look !== null;
        } catch (error) {
          if (isConnectionLost(error)) throw error;
          // the catalog cannot be read: `observe` will report that; here only the lock is taken
          await client.query('ROLLBACK');
          return isTaken(await lastRow(client, statements));
        }
      };
      const waiting = { ...options, session: sessionOptions, onWaiting: options.onLockWaiting };
      await naming(takeRunLock(client, use === 'everything' ? { ...waiting, tryFirst } : waiting));
      settled = true;
      // the lock is released when the connection is closed
      if (use === 'everything') return work();
      try {
        return await work();
      } finally {
        // if this fails, the connection is lost, and the lock with it
        await releaseRunLock(client).catch(() => undefined);
      }
    },

    async transaction(work) {
      await asking(settle);
      for (let attempt = 1; ; attempt++) {
        try {
          return await naming(inTransaction(connected, begin, work, () => commit(client, committing)));
        } catch (error) {
          if (attempt > lockRetries || !(error instanceof LockTimeout)) throw error;
          options.onRetry(describeRetry(error.blockers, attempt, lockRetries + 1));
          await sleep(pauseBeforeAttempt(attempt), options.signal);
        }
      }
    },

    rehearse: (work) => naming(inTransaction(connected, begin, work, rollBack)),

    async close() {
      release();
      await closeClient(client);
    },
  };
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
      observe: (question) => readFacts(client, { versionNumber, question }),
    });
    await end();
    return result;
  } catch (error) {
    // if this fails, the connection is lost, and the server rolls back by itself
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Finds the sessions that hold the lock. Our transaction is over by then, but the other sessions still hold it. */
async function explainLockTimeout(client: pg.Client, error: unknown): Promise<LockTimeout> {
  const { findBlockers } = await import('./lock-holders.ts');
  const statement = chainOf(error)
    .map((link) => ('statement' in link ? String(link.statement) : link.message))
    .join('\n');
  // if the holders cannot be read, the timeout is reported without them
  const blockers = await findBlockers(postgresSession(client), statement).catch(() => []);
  return new LockTimeout(blockers, error);
}
