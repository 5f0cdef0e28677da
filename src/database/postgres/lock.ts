import { lockHolders } from '../../report/lock-holders.ts';
import type { LockHolder } from '../../model/cause.ts';
import type { Row } from '../../model/engine.ts';
import { Socket } from 'node:net';
import type pg from 'pg';
import type { PostgresTarget } from '../../config/config.ts';
import { hasCode } from '../../errors/error-code.ts';
import { Failure } from '../../errors/failure.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import { pauseBeforeAttempt, sleep } from '../backoff.ts';
import { isConnectionLoss } from './connection-failure.ts';
import { answered, closeClient, connectOnce, type Connected } from './connect.ts';
import { lastRow } from './session.ts';

/** The first key of both advisory locks: "ttdb" in ASCII. The second key distinguishes them. */
const application = 0x74746462;
const tooManyConnections = '53300';
const protocolViolation = '08P01';
/** Seconds that the answer to pg_try_advisory_lock may take; it does not wait for the lock. */
const answerTimeout = 30;
/** A run holds this lock from before it observes the database until it ends. */
export const runLock = { application, key: 1 };
/** Every writing transaction holds this lock, so that two runs cannot write at once even if a run lock is lost. */
export const migrationLock = { application, key: 2 };

/**
 * Makes COMMIT wait for the disk: db-init changes files and uploads after a commit, so the commit must survive a crash
 * of the server.
 */
export const withSynchronousCommit = `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`;

// Settings of a role or a database must not disturb a run, which may take longer than a web request. statement_timeout
// comes first, because it could cancel the other statements. lock_timeout is needed even for reading: a table that
// another session alters is locked. Settings that change how values and definitions are printed are fixed. With
// row_security off, hidden rows are an error instead of being left out silently. The search path is reduced to the
// application's schema, so that unqualified names are found only there.
const sessionSettings = ({ lockTimeout, schema }: SessionOptions): string => `
  SET statement_timeout TO 0; SET lock_timeout TO '${lockTimeout}s';
  ${schema === undefined ? ownSchema : `SET search_path TO ${quoteName(schema)}`};
  SET client_min_messages TO warning; SET quote_all_identifiers TO off; SET transform_null_equals TO off;
  SET idle_in_transaction_session_timeout TO 0; SET standard_conforming_strings TO on; SET DateStyle TO ISO;
  SET row_security TO off;
  SELECT set_config(name, '0', false) FROM unnest(ARRAY['idle_session_timeout', 'transaction_timeout']) AS name
  WHERE current_setting(name, true) IS NOT NULL;
  ${withSynchronousCommit}`;

const ownSchema = `SELECT set_config('search_path', quote_ident(current_schema()), false) WHERE current_schema() IS NOT NULL`;

export interface SessionOptions {
  /** Seconds that a statement may wait for a lock; 0 for no limit. */
  readonly lockTimeout: number;
  /** The schema to work in; undefined: the current schema of the session. */
  readonly schema: string | undefined;
}

export interface LockOptions {
  /** Seconds to wait for the lock, over all attempts. */
  readonly lockTimeout: number;
  readonly session: SessionOptions;
  readonly signal: AbortSignal;
  readonly onWaiting: (holder: LockHolder, secondsLeft: number) => void;
  /**
   * Makes the first attempt in place of `takeRunLock`, with the given statements.
   * @returns whether the lock was taken
   */
  readonly tryFirst?: (statements: string) => Promise<boolean>;
}

/** Sets the settings of the session that db-init depends on. */
export async function prepareSession(client: pg.Client, options: SessionOptions): Promise<void> {
  await client.query(sessionSettings(options));
}

/**
 * Takes the run lock, a session-level advisory lock, by polling: a session that waits in pg_advisory_lock holds a
 * snapshot, which would block CREATE INDEX CONCURRENTLY.
 * @throws Failure `locked`, with the holder
 */
export async function takeRunLock(client: pg.Client, options: LockOptions): Promise<void> {
  const started = Date.now();
  const asking = <Result>(work: Promise<Result>): Promise<Result> => answered(client, answerTimeout, work);
  const statements = runLockStatements(options.session);
  const tryOnce = async (): Promise<boolean> => isTaken(await asking(lastRow(client, statements)));
  const { tryFirst = tryOnce } = options;
  for (let attempt = 1; !(await (attempt === 1 ? tryFirst(statements) : tryOnce())); attempt++) {
    const holder = await asking(findHolder(client));
    const secondsLeft = options.lockTimeout - (Date.now() - started) / 1000;
    if (secondsLeft <= 0) throw new Failure({ kind: 'locked', holder, seconds: options.lockTimeout });
    options.onWaiting(holder, Math.ceil(secondsLeft));
    await sleep(Math.min(pauseBeforeAttempt(attempt), secondsLeft * 1000), options.signal);
  }
}

/** Statements that prepare the session and try to take the lock. The last one returns whether the lock was taken. */
const runLockStatements = (session: SessionOptions): string =>
  `${sessionSettings(session)}; SELECT pg_try_advisory_lock(${runLock.application}, ${runLock.key}) AS taken`;

/** Reads the last row of `runLockStatements`. */
export function isTaken(row: Row): boolean {
  return row['taken'] === true;
}

export async function releaseRunLock(client: pg.Client): Promise<void> {
  await client.query(`SELECT pg_advisory_unlock(${runLock.application}, ${runLock.key})`);
}

async function findHolder(client: pg.Client): Promise<LockHolder> {
  const { rows } = await client.query<Record<string, unknown>>(`
    SELECT a.pid, coalesce(a.application_name, '') AS application, coalesce(a.client_addr::text, 'a local socket') AS client,
           to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since, left(coalesce(a.query, ''), 100) AS query
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.classid = ${runLock.application} AND l.objid = ${runLock.key}
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`);
  const row = rows[0];
  if (row === undefined) return { description: lockHolders.finishing };
  const { pid, application: name, client: address, since, query } = row;
  const description = lockHolders.session(String(name), String(pid), String(address), String(since), String(query));
  return { description };
}

/**
 * Refuses a connection through a pooler that gives each transaction another server session, because session-level
 * locks do not work there.
 *
 * On a direct connection the server sees the port of our socket. NAT can also cause a different port, and a Unix socket
 * has no port. In these cases a second connection opens a transaction: if it gets our backend, or our next statement
 * runs in another backend, the sessions are shared.
 * @throws Failure `transaction-pooler`
 */
export async function refuseTransactionPooler(
  { client, server }: Connected,
  target: PostgresTarget,
  applicationName: string,
): Promise<void> {
  const ownPort = localPortOf(client);
  if (ownPort !== null && server.clientPort === ownPort) return;
  let other;
  try {
    other = await connectOnce(target, applicationName);
  } catch (error) {
    // the role has a connection limit of one: a pooler would have accepted the second client and made it wait
    if (hasCode(error, tooManyConnections)) return;
    throw error;
  }
  try {
    await other.query('BEGIN').catch((error: unknown) => {
      // a pooler in statement mode refuses BEGIN and closes the connection
      const refuses = hasCode(error, protocolViolation) || !isConnectionLoss(error);
      throw refuses ? new Failure({ kind: 'transaction-pooler' }, { cause: error }) : error;
    });
    // queries `other` first: if it holds the only backend of the pooler, a query of `client` would wait for it
    const shared = (await backendOf(other)) === server.backendPid || (await backendOf(client)) !== server.backendPid;
    if (shared) throw new Failure({ kind: 'transaction-pooler' });
  } finally {
    await other.query('ROLLBACK').catch(() => undefined);
    await closeClient(other);
  }
}

/** The port of our end of the connection; null for a Unix socket. */
function localPortOf(client: pg.Client): number | null {
  // the property is missing in the types of `pg`
  const connection: unknown = Reflect.get(client, 'connection');
  const stream: unknown =
    typeof connection === 'object' && connection !== null ? Reflect.get(connection, 'stream') : null;
  return stream instanceof Socket ? (stream.localPort ?? null) : null;
}

async function backendOf(client: pg.Client): Promise<number> {
  return Number((await lastRow(client, 'SET LOCAL statement_timeout TO 0; SELECT pg_backend_pid() AS pid'))['pid']);
}
