import { connectionReasons } from '../../report/connection-reasons.ts';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { hostsOf, type PostgresTarget } from '../../config/config.ts';
import { hasCode } from '../../errors/error-code.ts';
import { Failure } from '../../errors/failure.ts';
import { describeHost, describePostgres } from '../target-name.ts';
import { pauseBeforeAttempt, sleep } from '../backoff.ts';
import { type ConnectionFailure, classifyConnectionFailure } from './connection-failure.ts';
import { lastRow, textTypes } from './session.ts';

export interface ConnectOptions {
  /** Seconds to wait for the server, over all attempts. */
  readonly waitTimeout: number;
  /** The application_name in pg_stat_activity: `db-init 1.2.3 gate`. */
  readonly applicationName: string;
  readonly signal: AbortSignal;
  /** Called before each wait, with its reason and the seconds that are left. */
  readonly onWaiting: (reason: string, secondsLeft: number) => void;
}

/** The facts that the server reports right after the connection is established. */
export interface ServerFacts {
  readonly backendPid: number;
  /** The port of this client as the server sees it; null over a Unix socket. */
  readonly clientPort: number | null;
  /** e.g. 160004 */
  readonly versionNumber: number;
  readonly version: string;
  readonly startedAt: string;
  /** Seconds since the server started. */
  readonly uptime: number;
  readonly standby: boolean;
  /** Whether transactions are read-only by default (`default_transaction_read_only`). */
  readonly readOnly: boolean;
}

export interface Connected {
  readonly client: pg.Client;
  readonly server: ServerFacts;
  /** The target, reduced to the server of its list to which the connection was made. */
  readonly target: PostgresTarget;
}

// Seconds after its start during which a server is not used: the official image starts a temporary server while it
// initialises its volume, and stops it again.
const recentServer = 3;
export const oldestServer = 130000;
/** Seconds to wait for a database that allows no connections: a swap closes it for a moment while sessions end. */
const closedGrace = 15;
/** Seconds to wait for a missing database: the image creates it right after its server has started. */
const databaseGrace = 10;

/**
 * Connects, and waits for temporary conditions to end: the server is down or starting, or is a standby before its
 * promotion. Of several servers it uses the first that accepts writes, like libpq with `target_session_attrs`: it tries
 * the next one if a server does not answer or is read-only, and stops if a server refuses the user.
 * @throws Failure `unreachable`, `no-such-database`, `closed-database`, `access-denied`, `unsupported-server`
 */
export async function connectWhenReady(target: PostgresTarget, options: ConnectOptions): Promise<Connected> {
  const started = Date.now();
  const secondsWaited = (): number => (Date.now() - started) / 1000;
  const servers = candidatesOf(target);
  const timeLeft = (): number => Math.max(1, Math.min(attemptTimeout(target), options.waitTimeout - secondsWaited()));
  let closed: Closed | null = null;
  for (let attempt = 1; ; attempt++) {
    const { outcome, at } = await tryServers(target, servers, options, timeLeft);
    const database = describePostgres(at);
    switch (outcome.kind) {
      case 'ready':
        return outcome.connected;
      case 'denied':
        throw new Failure({ kind: 'access-denied', database, reason: outcome.reason });
      case 'no-such-database':
        if (secondsWaited() >= Math.min(databaseGrace, options.waitTimeout)) {
          throw new Failure({ kind: 'no-such-database', database, name: target.database });
        }
        break;
      case 'closed': {
        closed ??= await findClosed(at, options.applicationName);
        // a database whose DROP DATABASE was interrupted cannot be used again: waiting does not help
        if (closed?.dropped === true || secondsWaited() >= Math.min(closedGrace, options.waitTimeout)) {
          throw await closedDatabase(at, options.applicationName, outcome.reason);
        }
        break;
      }
      case 'passing':
        break;
    }
    const secondsLeft = options.waitTimeout - secondsWaited();
    if (secondsLeft <= 0) {
      const seconds = options.waitTimeout;
      const full = outcome.kind === 'passing' && outcome.full === true;
      throw new Failure({ kind: 'unreachable', database, seconds, reason: outcome.reason, ...(full && { full }) });
    }
    options.onWaiting(outcome.reason, Math.ceil(secondsLeft));
    await sleep(Math.min(pauseBeforeAttempt(attempt), secondsLeft * 1000), options.signal);
  }
}

/**
 * Chooses the server of a list that the run uses from now on; waits as `connectWhenReady` does.
 * @throws Failure as `connectWhenReady`
 */
export async function chooseHost(target: PostgresTarget, options: ConnectOptions): Promise<PostgresTarget> {
  const { client, target: chosen } = await connectWhenReady(target, options);
  await closeClient(client);
  return { ...chosen, list: hostsOf(target) };
}

/** A server of a target, and the conditions under which it is used. */
interface Candidate {
  readonly target: PostgresTarget;
  readonly wantsReadWrite: boolean;
  /** Its start time, if it had just started at the last attempt. If the time is unchanged, the server is used. */
  trusted: string | null;
}

function candidatesOf({ furtherHosts = [], wantsReadWrite = false, ...first }: PostgresTarget): readonly Candidate[] {
  const targets = [first, ...furtherHosts.map((address) => ({ ...first, ...address }))];
  return targets.map((target) => ({ target, wantsReadWrite, trusted: null }));
}

type Attempt = { readonly kind: 'ready'; readonly connected: Connected } | ConnectionFailure;

/**
 * Tries the servers in order, until the outcome of one is not `passing`.
 * @returns `at`: the server with that outcome, or the whole list if every outcome was `passing`
 */
async function tryServers(
  list: PostgresTarget,
  servers: readonly Candidate[],
  options: ConnectOptions,
  timeLeft: () => number,
): Promise<{ readonly outcome: Attempt; readonly at: PostgresTarget }> {
  const reasons: string[] = [];
  let full = false;
  for (const server of servers) {
    const { target: at } = server;
    const outcome = await tryToConnect(server, options, timeLeft());
    if (options.signal.aborted && outcome.kind === 'ready') await closeClient(outcome.connected.client);
    options.signal.throwIfAborted();
    if (outcome.kind !== 'passing') return { outcome, at };
    reasons.push(servers.length === 1 ? outcome.reason : `${describeHost(at)}: ${outcome.reason}`);
    full ||= outcome.full === true;
  }
  return { outcome: { kind: 'passing', reason: reasons.join('; '), full }, at: list };
}

async function tryToConnect(candidate: Candidate, options: ConnectOptions, timeout: number): Promise<Attempt> {
  const { target } = candidate;
  let client: pg.Client;
  try {
    client = await connectOnce(target, options.applicationName, timeout, options.signal);
  } catch (error) {
    return classifyConnectionFailure(error);
  }
  try {
    const server = await answered(client, timeout, askServer(client), options.signal);
    requireSupported(server);
    if (server.standby) {
      await closeClient(client);
      return { kind: 'passing', reason: connectionReasons.standby };
    }
    if (server.readOnly && candidate.wantsReadWrite) {
      await closeClient(client);
      return { kind: 'passing', reason: connectionReasons.readOnlySessions };
    }
    if (server.uptime < recentServer && server.startedAt !== candidate.trusted) {
      await closeClient(client);
      candidate.trusted = server.startedAt;
      return { kind: 'passing', reason: connectionReasons.recentStart };
    }
    return { kind: 'ready', connected: { client, server, target } };
  } catch (error) {
    await closeClient(client);
    if (error instanceof Failure) throw error;
    return classifyConnectionFailure(error);
  }
}

/** Seconds to wait for a server to close the connection. */
const closeTimeout = 2;

/** Closes a connection; if the server does not answer in time, closes the socket. */
export async function closeClient(client: pg.Client): Promise<void> {
  const silent = setTimeout(() => client.connection.stream.destroy(), closeTimeout * 1000);
  await client.end().catch(() => undefined);
  clearTimeout(silent);
}

/** Waits at most `seconds` for an answer. Closes the socket on a timeout or when `signal` is aborted. */
export async function answered<Result>(
  client: pg.Client,
  seconds: number,
  work: Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  const close = (): void => void client.connection.stream.destroy(noAnswer(seconds));
  const silent = setTimeout(close, seconds * 1000);
  signal?.addEventListener('abort', close);
  try {
    return await work;
  } finally {
    clearTimeout(silent);
    signal?.removeEventListener('abort', close);
  }
}

/** The error of a socket that was closed because the server did not answer. */
export function noAnswer(seconds: number): Error {
  return Object.assign(new Error(connectionReasons.noAnswer(seconds)), { code: 'ETIMEDOUT' });
}

async function closedDatabase(target: PostgresTarget, applicationName: string, reason: string): Promise<Failure> {
  const { beside, dropped } = (await findClosed(target, applicationName)) ?? { beside: [], dropped: false };
  return new Failure({
    kind: 'closed-database',
    database: describePostgres(target),
    name: target.database,
    reason,
    beside,
    journal: null,
    dropped,
  });
}

/** Databases that a server has by default. They are never the database of the application. */
export const maintenanceDatabases: readonly string[] = ['postgres', 'template1'];

/** Facts about a database that allows no connections. */
interface Closed {
  /** Names of the databases beside it that a restore has created or kept. */
  readonly beside: readonly string[];
  /** Whether a DROP DATABASE was interrupted. */
  readonly dropped: boolean;
}

/**
 * SQL for whether a DROP DATABASE was interrupted: the server marks a database before it removes its files
 * (DATCONNLIMIT_INVALID_DB in pg_database.h, since 15.4, 14.9 and 13.12).
 */
export const dropWasInterrupted = 'datconnlimit = -2';

/**
 * Checks, from another database of the server, whether the live one allows no connections, and which databases of
 * restores exist beside it.
 * @returns null if it allows connections, or if this user can connect to no other database
 */
export async function findClosed(target: PostgresTarget, applicationName: string): Promise<Closed | null> {
  for (const database of maintenanceDatabases.filter((name) => name !== target.database)) {
    const client = await connectOnce({ ...target, database }, applicationName).catch(() => null);
    if (client === null) continue;
    try {
      const { rows } = await client.query<Record<string, unknown>>(
        `SELECT datname::text AS name, datallowconn AS open, ${dropWasInterrupted} AS dropped FROM pg_database ORDER BY 1`,
      );
      const live = rows.find((row) => row['name'] === target.database);
      const dropped = live?.['dropped'] === true;
      if (live === undefined || (live['open'] === true && !dropped)) return null;
      const names = rows.map((row) => String(row['name']));
      return { beside: names.filter((name) => isMadeByRestore(name, target.database)), dropped };
    } catch {
      return null;
    } finally {
      await closeClient(client);
    }
  }
  return null;
}

/** Whether a restore of `live` creates databases with such a name. It shortens long names to the limit of 63 bytes. */
function isMadeByRestore(name: string, live: string): boolean {
  const [, begin] = /^(.+)_(?:before|restore)_\d{8}_\d{6}(?:_\d+)?$/s.exec(name) ?? [];
  return begin !== undefined && (begin === live || (live.startsWith(begin) && Buffer.byteLength(name) > 59));
}

/** Seconds that one attempt may take: `connect_timeout` of the address; 0 means no limit. */
function attemptTimeout({ connectTimeout = 5 }: PostgresTarget): number {
  return connectTimeout === 0 ? Infinity : connectTimeout;
}

/**
 * Connects once. With `sslmode=prefer`, if the server has no TLS or accepts this user only without it, connects again
 * without TLS, as libpq does.
 * @param timeout seconds that the attempt may take
 * @param signal ends the attempt at once
 */
export async function connectOnce(
  target: PostgresTarget,
  applicationName: string,
  timeout = 5,
  signal?: AbortSignal,
): Promise<pg.Client> {
  const tls = tlsOptions(target);
  const open = (ssl: TlsOptions): Promise<pg.Client> => connect(target, applicationName, ssl, timeout, signal);
  try {
    return await open(tls);
  } catch (error) {
    if (tls === false || target.sslmode !== 'prefer' || !wantsNoTls(error)) throw error;
    return open(false);
  }
}

function wantsNoTls(error: unknown): boolean {
  // 28000: pg_hba.conf has only `hostnossl` lines that match
  return /does not support SSL/i.test(String(error)) || hasCode(error, '28000');
}

async function connect(
  target: PostgresTarget,
  applicationName: string,
  ssl: TlsOptions,
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<pg.Client> {
  const client = new pg.Client({
    host: target.host,
    port: target.port,
    user: target.user,
    password: target.password,
    database: target.database,
    application_name: applicationName,
    options: target.options ?? '',
    connectionTimeoutMillis: timeout * 1000,
    // if the host of the server disappears, TCP keepalive ends the connection
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
    types: textTypes,
    ssl,
  });
  // without a listener, a connection that breaks between two queries would end the process; the next query reports it
  client.on('error', () => undefined);
  const close = (): void => void client.connection.stream.destroy();
  signal?.addEventListener('abort', close);
  try {
    await client.connect();
  } catch (error) {
    // if no password was given, pg leaves the socket open, which would keep the process running
    close();
    throw error;
  } finally {
    signal?.removeEventListener('abort', close);
  }
  return client;
}

type TlsOptions =
  | false
  | {
      rejectUnauthorized: boolean;
      host?: string;
      ca?: Buffer;
      cert?: Buffer;
      key?: Buffer;
      checkServerIdentity?: () => undefined;
    };

/** The modes of libpq (PostgreSQL manual, "SSL Support") in the terms of node:tls. */
function tlsOptions(target: PostgresTarget): TlsOptions {
  if (target.sslmode === 'disable' || target.host.startsWith('/')) return false;
  const identity = {
    ...(target.sslcert === undefined ? {} : { cert: readFileSync(target.sslcert) }),
    ...(target.sslkey === undefined ? {} : { key: readFileSync(target.sslkey) }),
  };
  const root = target.sslrootcert;
  const authorities = root === undefined || root === 'system' ? {} : { ca: readFileSync(root) };
  switch (target.sslmode) {
    case 'prefer':
      return { rejectUnauthorized: false, ...identity };
    case 'require':
      // with a root certificate libpq verifies the certificate authority even for `require`
      return 'ca' in authorities
        ? { rejectUnauthorized: true, checkServerIdentity: () => undefined, ...authorities, ...identity }
        : { rejectUnauthorized: false, ...identity };
    case 'verify-ca':
      return { rejectUnauthorized: true, checkServerIdentity: () => undefined, ...authorities, ...identity };
    case 'verify-full':
      // pg sets the server name only for host names; `host` makes node:tls check an IP address as well
      return { rejectUnauthorized: true, host: target.host, ...authorities, ...identity };
  }
}

async function askServer(client: pg.Client): Promise<ServerFacts> {
  // the statement_timeout of a role must not apply here; LOCAL, because the session may belong to a pooler
  const row = await lastRow(
    client,
    `SET LOCAL statement_timeout TO 0;
    SELECT pg_backend_pid() AS pid, inet_client_port() AS port, pg_is_in_recovery() AS standby,
           current_setting('server_version_num')::int AS number, current_setting('server_version') AS version,
           pg_postmaster_start_time()::text AS started,
           current_setting('transaction_read_only') AS read_only,
           extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::int AS uptime`,
  );
  return {
    backendPid: Number(row['pid']),
    clientPort: row['port'] === null ? null : Number(row['port']),
    versionNumber: Number(row['number']),
    version: String(row['version']),
    startedAt: String(row['started']),
    uptime: Number(row['uptime']),
    standby: row['standby'] === true,
    readOnly: row['read_only'] === 'on',
  };
}

/** @throws Failure `unsupported-server` */
export function requireSupported({ versionNumber, version }: Pick<ServerFacts, 'versionNumber' | 'version'>): void {
  if (versionNumber < oldestServer) throw new Failure({ kind: 'unsupported-server', version });
}
