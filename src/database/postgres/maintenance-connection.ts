import type { Row } from '../../model/engine.ts';
import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { PostgresTarget } from '../../config/config.ts';
import { hasCode } from '../../errors/error-code.ts';
import { Failure } from '../../errors/failure.ts';
import type { OtherWriters } from '../database.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import { flag, number } from '../row-values.ts';
import { pauseBeforeAttempt, sleep } from '../backoff.ts';
import { copySettings, type UncopiedProperty } from './copy-settings.ts';
import {
  closeClient,
  type ConnectOptions,
  type Connected,
  connectOnce,
  connectWhenReady,
  dropWasInterrupted,
  maintenanceDatabases,
} from './connect.ts';
import { createDatabaseStatement, isInDefaultTablespace, changeOwnerStatement } from './create-database.ts';
import { classifyConnectionFailure } from './connection-failure.ts';
import { createLoadRole, dropLoadRole, type LoadRole } from './load-role.ts';
import { runLock, prepareSession } from './lock.ts';
import { findOtherSessions, findRemainingWriters } from './other-sessions.ts';
import type { Session } from '../session.ts';
import { postgresSession } from './session.ts';
import { endOnAbort } from './end-on-abort.ts';

/** Seconds to wait for sessions to end after pg_terminate_backend. */
const sessionEndTimeout = 10;

const noSessions: OtherWriters = { sessions: [], prepared: [] };

const insufficientPrivilege = '42501';

/** How to connect, and how to wait for another restore. */
export interface MaintenanceOptions extends ConnectOptions {
  /** Seconds to wait for another restore. */
  readonly lockTimeout: number;
  /** Called while another restore holds the lock. @returns a description of that restore */
  readonly onLockWaiting: (secondsLeft: number) => string;
}

/** A connection to a maintenance database, from which the live one can be replaced. It holds the restore lock. */
export interface MaintenanceConnection {
  /** Whether this user may create a database and rename the live one. */
  maySwap(): Promise<boolean>;
  exists(name: string): Promise<boolean>;
  /** Whether the database exists and a DROP DATABASE of it was interrupted. */
  isDropped(name: string): Promise<boolean>;
  /** Creates an empty database with the owner, encoding, locale and tablespace of the live one. */
  create(name: string): Promise<void>;
  /**
   * Creates a role with the name of the database. The role owns the database and has no other right. `drop` drops both.
   * @returns the role; null if our role is no superuser, so that a dump cannot misuse its rights; or, as a text, the
   *   reason why the new role cannot connect
   */
  createOwner(name: string): Promise<LoadRole | string | null>;
  /**
   * Gives the objects of the role of `createOwner` to `owner` (null: the current user) and the database to the owner of
   * the live one, and drops the role.
   */
  dropOwner(name: string, owner: string | null): Promise<void>;
  drop(name: string): Promise<void>;
  /** Copies settings, grants and comment of the live database. @returns those that could not be copied */
  copySettings(name: string): Promise<readonly UncopiedProperty[]>;
  /**
   * Renames both databases in one transaction: `live` becomes `outgoing`, `incoming` becomes `live`. Neither may have
   * sessions or prepared transactions.
   * @param disconnect whether to end other sessions
   * @returns the sessions and prepared transactions that prevent the swap; empty if it was done
   */
  swap(incoming: string, outgoing: string, disconnect: boolean): Promise<OtherWriters>;
  /** Allows connections to the live database again, if an interrupted swap has disallowed them. */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Connects to a maintenance database on the server of the live one, and takes the restore lock there.
 * @returns null if this user can connect to no maintenance database
 * @throws Failure `locked`
 */
export async function openMaintenanceConnection(
  target: PostgresTarget,
  options: MaintenanceOptions,
): Promise<MaintenanceConnection | null> {
  const connected = await connectAnywhere(target, options);
  if (connected === null) return null;
  const { client, server } = connected;
  const { applicationName, signal } = options;
  // a running swap must not be cancelled
  const stopping = { target, applicationName, backendPid: server.backendPid, cancels: false };
  const release = endOnAbort(client, stopping, signal);
  try {
    await prepareSession(client, { lockTimeout: 0, schema: target.schema });
    await client.query('SET default_transaction_read_only TO off');
    await takeRestoreLock(client, target.database, options);
  } catch (error) {
    release();
    await closeClient(client);
    throw error;
  }
  const maintenance = createMaintenanceConnection(client, target, options);
  return {
    ...maintenance,
    async close() {
      release();
      await maintenance.close();
    },
  };
}

async function connectAnywhere(target: PostgresTarget, options: MaintenanceOptions): Promise<Connected | null> {
  for (const database of maintenanceDatabases.filter((name) => name !== target.database)) {
    try {
      return await connectWhenReady({ ...target, database }, options);
    } catch (error) {
      // this user may have the right to connect to the next database
      if (!(error instanceof Failure) || !/^(access-denied|no-such-database|closed-database)$/.test(error.problem.kind))
        throw error;
    }
  }
  return null;
}

/**
 * Advisory locks are per database, so all restores of one live database take the lock in the same maintenance database.
 */
async function takeRestoreLock(client: pg.Client, live: string, options: MaintenanceOptions): Promise<void> {
  const key = createHash('sha256').update(live).digest().readInt32BE();
  const started = Date.now();
  for (let attempt = 1; ; attempt++) {
    const { rows } = await client.query<Row>('SELECT pg_try_advisory_lock($1, $2) AS taken', [
      runLock.application,
      key,
    ]);
    if (rows[0] !== undefined && flag(rows[0], 'taken')) return;
    const secondsLeft = options.lockTimeout - (Date.now() - started) / 1000;
    const description = options.onLockWaiting(Math.max(0, Math.ceil(secondsLeft)));
    if (secondsLeft <= 0) throw new Failure({ kind: 'locked', holder: { description }, seconds: options.lockTimeout });
    await sleep(Math.min(pauseBeforeAttempt(attempt), secondsLeft * 1000), options.signal);
  }
}

/**
 * Whether our role may create a database beside the live one and swap the two.
 * @param live its name; the current database if null
 */
export async function maySwapDatabases(session: Session, live: string | null = null): Promise<boolean> {
  const [row = {}] = await session.query(
    `SELECT rolsuper OR (rolcreatedb AND pg_has_role(datdba, 'USAGE')
            AND (${isInDefaultTablespace} OR has_tablespace_privilege(dattablespace, 'CREATE'))) AS may
     FROM pg_roles, pg_database WHERE rolname = current_user AND datname = coalesce($1, current_database())`,
    [live],
  );
  return row['may'] === true;
}

function createMaintenanceConnection(
  client: pg.Client,
  target: PostgresTarget,
  { signal, applicationName }: MaintenanceOptions,
): MaintenanceConnection {
  const live = target.database;
  const session = postgresSession(client);
  const reopen = (): Promise<void> => session.run(`ALTER DATABASE ${quoteName(live)} ALLOW_CONNECTIONS true`);
  /** Connects to another database of the server. */
  const enter = (database: string, role: Partial<LoadRole> = {}): Promise<pg.Client> =>
    connectOnce({ ...target, ...role, database }, applicationName);
  return {
    maySwap: () => maySwapDatabases(session, live),
    exists: async (name) => (await session.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])).length > 0,
    isDropped: async (name) =>
      (await session.query(`SELECT 1 FROM pg_database WHERE datname = $1 AND ${dropWasInterrupted}`, [name])).length >
      0,
    create: async (name) => session.run(await createDatabaseStatement(name, live, session)),
    createOwner: (name) => createOwner({ session, live, enter }, name),
    dropOwner: (name, owner) => dropOwner({ session, live, enter }, name, owner),
    drop: (name) => dropDatabase(client, name),
    copySettings: (name) => copySettings(client, live, name),
    swap: (incoming, outgoing, disconnect) =>
      swapDatabases(client, { live, incoming, outgoing, disconnect, reopen, signal }),
    reopen,
    close: () => closeClient(client),
  };
}

interface OwnerContext {
  readonly session: Session;
  readonly live: string;
  /** Connects to another database of the server. */
  readonly enter: (database: string, role?: LoadRole) => Promise<pg.Client>;
}

async function createOwner(context: OwnerContext, name: string): Promise<LoadRole | string | null> {
  const { session, enter } = context;
  const superuser = await session.query('SELECT 1 FROM pg_roles WHERE rolname = current_user AND rolsuper');
  if (superuser.length === 0) return null;
  const role = await createLoadRole(session, name);
  await session.run(`ALTER DATABASE ${quoteName(name)} OWNER TO ${quoteName(name)}`);
  try {
    await closeClient(await enter(name, role));
    return role;
  } catch (error) {
    const failure = classifyConnectionFailure(error);
    if (failure.kind !== 'denied') throw error;
    await dropOwner(context, name, null);
    return failure.reason;
  }
}

async function dropOwner({ session, live, enter }: OwnerContext, name: string, owner: string | null): Promise<void> {
  const client = await enter(name);
  try {
    const role = quoteName(name);
    const newOwner = owner === null ? 'CURRENT_USER' : quoteName(owner);
    await client.query(`REASSIGN OWNED BY ${role} TO ${newOwner}; DROP OWNED BY ${role}`);
  } finally {
    await closeClient(client);
  }
  await session.run(await changeOwnerStatement(name, live, session));
  await dropLoadRole(session, name);
}

async function dropDatabase(client: pg.Client, name: string): Promise<void> {
  const session = postgresSession(client);
  const order = `DROP DATABASE IF EXISTS ${quoteName(name)}`;
  try {
    await session.run(`${order} WITH (FORCE)`);
  } catch (error) {
    if (!hasCode(error, insufficientPrivilege)) throw error;
    // FORCE would also end an autovacuum worker, which requires a right; for a plain DROP the server cancels the worker
    await endSessions(client, [name, name], true, new AbortController().signal);
    await session.run(order);
  }
  await dropLoadRole(session, name);
}

async function swapDatabases(
  client: pg.Client,
  given: {
    live: string;
    incoming: string;
    outgoing: string;
    disconnect: boolean;
    reopen: () => Promise<void>;
    signal: AbortSignal;
  },
): Promise<OtherWriters> {
  const { live, incoming, outgoing, disconnect, reopen, signal } = given;
  const session = postgresSession(client);
  const both = [live, incoming];
  await session.run(`ALTER DATABASE ${quoteName(live)} ALLOW_CONNECTIONS false`);
  try {
    const others = await (disconnect ? findOtherSessions : findRemainingWriters)(session, both);
    const left = disconnect ? { ...others, sessions: [] } : others;
    if (left.sessions.length > 0 || left.prepared.length > 0) {
      await reopen();
      return left;
    }
    await endSessions(client, both, disconnect, signal);
    // after this line the swap is not interrupted
    signal.throwIfAborted();
    // the server itself refuses to rename a database with a session or a prepared transaction in it
    await session.run(`
      BEGIN;
      ALTER DATABASE ${quoteName(live)} RENAME TO ${quoteName(outgoing)};
      ALTER DATABASE ${quoteName(incoming)} RENAME TO ${quoteName(live)};
      ALTER DATABASE ${quoteName(outgoing)} ALLOW_CONNECTIONS true;
      COMMIT`);
    return noSessions;
  } catch (error) {
    await session.run('ROLLBACK').catch(() => undefined);
    await reopen().catch(() => undefined);
    throw error;
  }
}

/**
 * Ends the sessions in these databases, because a rename fails while a database has sessions. Background workers have
 * no user and are not ended: for a rename, the server itself cancels an autovacuum.
 * @param everybody false: only sessions of db-init, which wait for a lock
 * @throws Error if a session does not end in time
 */
async function endSessions(
  client: pg.Client,
  databases: readonly string[],
  everybody: boolean,
  signal: AbortSignal,
): Promise<void> {
  const started = Date.now();
  for (let attempt = 1; ; attempt++) {
    const rows = await postgresSession(client).query(
      `SELECT pid, pg_terminate_backend(pid) AS told FROM pg_stat_activity
       WHERE datname IN ($1, $2) AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
         AND ($3 OR application_name LIKE 'db-init %')`,
      [...databases, everybody],
    );
    if (rows.length === 0) return;
    if (Date.now() - started > sessionEndTimeout * 1000) {
      throw new Error(`these sessions do not end: pid ${rows.map((row) => number(row, 'pid')).join(', ')}`);
    }
    await sleep(Math.min(100 * attempt, 1000), signal);
  }
}
