import { setTimeout } from 'node:timers/promises';
import { hasCode } from '../../errors/error-code.ts';
import { Failure } from '../../errors/failure.ts';
import type { OtherSession } from '../../model/database-facts.ts';
import type { Row } from '../../model/engine.ts';
import type { OtherWriters } from '../database.ts';
import { quoteText } from '../../platform/sql-quoting.ts';
import { number, text } from '../row-values.ts';
import type { Session } from '../session.ts';

/**
 * Client sessions in databases, without those of db-init. Without pg_read_all_stats the server hides the backend type
 * of other roles; background workers are recognised by having no user.
 */
const sessionsIn = (databases: string): string => `
  SELECT pid, coalesce(application_name, '') AS application, coalesce(usename, '') AS user,
         coalesce(client_addr::text, 'a local socket') AS client
  FROM pg_stat_activity
  WHERE datname IN (${databases}) AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
    AND coalesce(backend_type, 'client backend') = 'client backend'
    AND coalesce(application_name, '') NOT LIKE 'db-init %'`;

/** Prepared transactions: they belong to no session, hold locks, and may be committed at any time. */
const preparedIn = (databases: string): string => `SELECT gid FROM pg_prepared_xacts WHERE database IN (${databases})`;

/** The query for the other sessions in the database of this session. */
export const sessionsQuery = `${sessionsIn('current_database()')} ORDER BY pid`;

/**
 * Finds the other sessions and the prepared transactions that may write to databases of this server.
 * @param databases empty for the database of the session
 */
export async function findOtherSessions(session: Session, databases: readonly string[] = []): Promise<OtherWriters> {
  const names = databases.length === 0 ? 'current_database()' : databases.map(quoteText).join(', ');
  const sessions = (await session.query(`${sessionsIn(names)} ORDER BY pid`)).map(readSession);
  const prepared = (await session.query(`${preparedIn(names)} ORDER BY gid`)).map((row) => text(row, 'gid'));
  return { sessions, prepared };
}

/** How often other sessions are queried before they are reported, and the milliseconds between two queries. */
const [looks, pause] = [10, 100];

/**
 * Repeats a search for other sessions until it finds none, for one second at most: the server lists a session for a
 * moment after its program has ended, such as the application that was just stopped, or our own pg_dump.
 */
export async function retryUntilGone<Found>(
  session: Session,
  look: () => Promise<Found>,
  isNobody: (found: Found) => boolean,
): Promise<Found> {
  for (let left = looks; ; left--) {
    const found = await look();
    if (isNobody(found) || left === 0) return found;
    await setTimeout(pause);
    // within a transaction the server would return the same list of sessions again
    await session.query('SELECT pg_stat_clear_snapshot()');
  }
}

/** Like `findOtherSessions`, but gives sessions one second to end. */
export function findRemainingWriters(session: Session, databases: readonly string[] = []): Promise<OtherWriters> {
  return retryUntilGone(
    session,
    () => findOtherSessions(session, databases),
    ({ sessions }) => sessions.length === 0,
  );
}

/** Reads a row of `sessionsQuery`. @throws TypeError if a column has another type */
export function readSession(row: Row): OtherSession {
  return {
    pid: number(row, 'pid'),
    application: text(row, 'application'),
    user: text(row, 'user'),
    client: text(row, 'client'),
  };
}

/** Part of the message of the error that the SQL of `exclusiveAccessSql` raises. */
const exclusiveAccessMark = 'db-init: others are at work';

/** Whether an error was raised by the SQL of `exclusiveAccessSql`. */
export function isExclusiveAccessError(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause.message.includes(exclusiveAccessMark)) return true;
  return false;
}

/**
 * SQL for the beginning of a transaction that swaps schemas, for psql or for the driver. It fails if others have a
 * session, a lock or a prepared transaction in this database. It locks the existing tables, so that sessions that
 * connect later wait for the end of the transaction and then find the new tables.
 */
export async function exclusiveAccessSql(session: Session, schemas: readonly string[]): Promise<string> {
  const tables = await session.query(
    `SELECT quote_ident(nspname) || '.' || quote_ident(relname) AS name
     FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
     WHERE nspname IN (${schemas.map(quoteText).join(', ')}) AND relkind IN ('r', 'p')
       AND has_table_privilege(pg_class.oid, 'TRUNCATE') ORDER BY 1`,
  );
  const here = 'current_database()';
  // without pg_stat_clear_snapshot the second check would see the same list of sessions as the first
  const check = `SELECT pg_stat_clear_snapshot();
    SELECT CAST(CASE WHEN EXISTS (${sessionsIn(here)}) OR EXISTS (${preparedIn(here)}) THEN ${quoteText(exclusiveAccessMark)} ELSE '0' END AS int);`;
  const locks = tables.map((row) => text(row, 'name')).join(', ');
  return [check, ...(locks === '' ? [] : [`LOCK TABLE ${locks} IN ACCESS EXCLUSIVE MODE;`]), check, ''].join('\n');
}

const insufficientPrivilege = '42501';

/**
 * Terminates sessions.
 * @param database the name of the live database, for the failure
 * @throws Failure `missing-rights`
 */
export async function terminate(session: Session, others: readonly OtherSession[], database: string): Promise<void> {
  const statement = `SELECT ${others.map(({ pid }) => `pg_terminate_backend(${pid})`).join(', ')}`;
  try {
    await session.query(statement);
  } catch (error) {
    if (!hasCode(error, insufficientPrivilege)) throw error;
    const right = { action: { kind: 'end-sessions', sessions: others }, remedy: `${statement};` } as const;
    throw new Failure({ kind: 'missing-rights', database, rights: [right] }, { cause: error });
  }
}
