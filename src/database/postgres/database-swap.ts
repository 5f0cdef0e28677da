import type { Row } from '../../model/engine.ts';
import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { PostgresTarget } from '../../config/config.ts';
import { hasCode } from '../../errors/error-code.ts';
import { Failure } from '../../errors/failure.ts';
import type { OthersAtWork } from '../database.ts';
import { quoteName } from '../quoting.ts';
import { flag, number } from '../rows.ts';
import { pauseBeforeAttempt, sleep } from '../backoff.ts';
import { copySettings } from './copy-settings.ts';
import {
  closeClient,
  type ConnectOptions,
  type Connected,
  connectOnce,
  connectWhenReady,
  dropWasCutOff,
  maintenanceDatabases,
} from './connect.ts';
import { creation, inOrdinaryTablespace, ownership } from './create-database.ts';
import { judgeConnectionFailure } from './connection-failure.ts';
import { createLoadRole, dropLoadRole, type LoadRole } from './load-role.ts';
import { runLock, settleSession } from './lock.ts';
import { findOtherSessions, findStaying } from './other-sessions.ts';
import type { Session } from '../session.ts';
import { postgresSession } from './session.ts';
import { endOnAbort } from './end-on-abort.ts';

/** Seconds that sessions are given to end after they were told to. */
const patience = 10;

const nobody: OthersAtWork = { sessions: [], prepared: [] };

const insufficientPrivilege = '42501';

export interface MaintenanceOptions extends ConnectOptions {
  /** Seconds to wait for another restore. */
  readonly lockTimeout: number;
  /** Told while another restore is at work. @returns what that is */
  readonly onLockWaiting: (secondsLeft: number) => string;
}

/** A connection beside the live database, from which that one can be replaced. It holds the lock of restores. */
export interface Maintenance {
  /** Whether this user may create a database and rename the live one. */
  mayExchange(): Promise<boolean>;
  exists(name: string): Promise<boolean>;
  /** Whether it is there, and a DROP DATABASE of it was cut off. */
  isDropped(name: string): Promise<boolean>;
  /** Creates an empty database like the live one: owner, encoding, locale, tablespace. */
  create(name: string): Promise<void>;
  /**
   * Creates a role of the same name that owns the database and has no other right. Both are dropped by `drop`.
   * @returns that role; or null if we are no superuser and so have no rights to misuse; or why the server does not let
   *   the role in
   */
  createOwner(name: string): Promise<LoadRole | string | null>;
  /** Gives the database, and all that the role of `createOwner` made in it, to `owner`, and drops the role. */
  dropOwner(name: string, owner: string | null): Promise<void>;
  drop(name: string): Promise<void>;
  /** Gives a database what was granted, set and noted for the live one. @returns what could not be carried over, in words */
  carryOver(name: string): Promise<readonly string[]>;
  /**
   * Renames both databases in one transaction: `live` becomes `outgoing`, `incoming` becomes `live`. Nobody may hold a
   * session or a prepared transaction in either.
   * @param disconnect whether sessions of others are ended
   * @returns those who stand in the way; nobody, if it was done
   */
  exchange(incoming: string, outgoing: string, disconnect: boolean): Promise<OthersAtWork>;
  /** Lets everybody into the live database again, should a swap that was cut off have closed it. */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Connects to a maintenance database of the live one's server and takes the lock of restores there.
 * @returns null if none lets this user in
 * @throws Failure `locked`
 */
export async function enterMaintenance(
  target: PostgresTarget,
  options: MaintenanceOptions,
): Promise<Maintenance | null> {
  const connected = await connectAnywhere(target, options);
  if (connected === null) return null;
  const { client, server } = connected;
  const { applicationName, signal } = options;
  // an exchange is not stopped in the middle
  const stopping = { target, applicationName, backendPid: server.backendPid, cancels: false };
  const release = endOnAbort(client, stopping, signal);
  try {
    await settleSession(client, { lockTimeout: 0, schema: target.schema });
    await client.query('SET default_transaction_read_only TO off');
    await takeRestoreLock(client, target.database, options);
  } catch (error) {
    release();
    await closeClient(client);
    throw error;
  }
  const maintenance = maintenanceOf(client, target, options);
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
      // not let in: perhaps into the next one
      if (!(error instanceof Failure) || !/^(access-denied|no-such-database|closed-database)$/.test(error.problem.kind))
        throw error;
    }
  }
  return null;
}

/** An advisory lock is a database's own: all restores of one live database meet in the same maintenance database. */
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
 * Whether our role may make a database beside the live one and exchange the two.
 * @param live its name; the present one if it is not given
 */
export async function exchangesDatabases(session: Session, live: string | null = null): Promise<boolean> {
  const [row = {}] = await session.query(
    `SELECT rolsuper OR (rolcreatedb AND pg_has_role(datdba, 'USAGE')
            AND (${inOrdinaryTablespace} OR has_tablespace_privilege(dattablespace, 'CREATE'))) AS may
     FROM pg_roles, pg_database WHERE rolname = current_user AND datname = coalesce($1, current_database())`,
    [live],
  );
  return row['may'] === true;
}

function maintenanceOf(
  client: pg.Client,
  target: PostgresTarget,
  { signal, applicationName }: MaintenanceOptions,
): Maintenance {
  const live = target.database;
  const session = postgresSession(client);
  const maintenance: Maintenance = {
    mayExchange: () => exchangesDatabases(session, live),

    exists: async (name) => (await session.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])).length > 0,
    isDropped: async (name) =>
      (await session.query(`SELECT 1 FROM pg_database WHERE datname = $1 AND ${dropWasCutOff}`, [name])).length > 0,
    create: async (name) => session.run(await creation(name, live, session)),

    async createOwner(name) {
      const superuser = await session.query('SELECT 1 FROM pg_roles WHERE rolname = current_user AND rolsuper');
      if (superuser.length === 0) return null;
      const role = await createLoadRole(session, name);
      await session.run(`ALTER DATABASE ${quoteName(name)} OWNER TO ${quoteName(name)}`);
      try {
        const entered = await connectOnce({ ...target, ...role, database: name }, applicationName);
        await closeClient(entered);
        return role;
      } catch (error) {
        const failure = judgeConnectionFailure(error);
        if (failure.kind !== 'denied') throw error;
        await maintenance.dropOwner(name, null);
        return failure.reason;
      }
    },

    async dropOwner(name, owner) {
      const inside = await connectOnce({ ...target, database: name }, applicationName);
      try {
        const role = quoteName(name);
        const heir = owner === null ? 'CURRENT_USER' : quoteName(owner);
        await inside.query(`REASSIGN OWNED BY ${role} TO ${heir}; DROP OWNED BY ${role}`);
      } finally {
        await closeClient(inside);
      }
      await session.run(await ownership(name, live, session));
      await dropLoadRole(session, name);
    },

    async drop(name) {
      const order = `DROP DATABASE IF EXISTS ${quoteName(name)}`;
      try {
        await session.run(`${order} WITH (FORCE)`);
      } catch (error) {
        if (!hasCode(error, insufficientPrivilege)) throw error;
        // to force means to end an autovacuum too, which takes a right; without, the server sends it away by itself
        await endSessions(client, [name, name], true, new AbortController().signal);
        await session.run(order);
      }
      await dropLoadRole(session, name);
    },

    carryOver: (name) => copySettings(client, live, name),

    async exchange(incoming, outgoing, disconnect) {
      const both = [live, incoming];
      await session.run(`ALTER DATABASE ${quoteName(live)} ALLOW_CONNECTIONS false`);
      try {
        const others = await (disconnect ? findOtherSessions : findStaying)(session, both);
        const left = disconnect ? { ...others, sessions: [] } : others;
        if (left.sessions.length > 0 || left.prepared.length > 0) {
          await maintenance.reopen();
          return left;
        }
        await endSessions(client, both, disconnect, signal);
        // from here on there is only forwards
        signal.throwIfAborted();
        // the server itself refuses to rename a database with a session or a prepared transaction in it
        await session.run(`
          BEGIN;
          ALTER DATABASE ${quoteName(live)} RENAME TO ${quoteName(outgoing)};
          ALTER DATABASE ${quoteName(incoming)} RENAME TO ${quoteName(live)};
          ALTER DATABASE ${quoteName(outgoing)} ALLOW_CONNECTIONS true;
          COMMIT`);
        return nobody;
      } catch (error) {
        await session.run('ROLLBACK').catch(() => undefined);
        await maintenance.reopen().catch(() => undefined);
        throw error;
      }
    },

    reopen: () => session.run(`ALTER DATABASE ${quoteName(live)} ALLOW_CONNECTIONS true`),
    close: () => closeClient(client),
  };
  return maintenance;
}

/**
 * Ends the sessions in these databases; a rename waits for none. Workers of the server, which have no user, are not
 * ours to end: the rename itself sends an autovacuum away.
 * @param everybody false: only sessions of db-init, that wait for a lock
 * @throws Error if one stays
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
    if (Date.now() - started > patience * 1000) {
      throw new Error(`these sessions do not end: pid ${rows.map((row) => number(row, 'pid')).join(', ')}`);
    }
    await sleep(Math.min(100 * attempt, 1000), signal);
  }
}
