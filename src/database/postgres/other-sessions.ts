import { setTimeout } from 'node:timers/promises';
import type { OtherSession } from '../../model/database-facts.ts';
import type { Row } from '../../model/engine.ts';
import type { OthersAtWork } from '../database.ts';
import { quoteText } from '../quoting.ts';
import { number, text } from '../rows.ts';
import type { Session } from '../session.ts';

/**
 * Client sessions in databases that are not db-init's. Without pg_read_all_stats the kind of another role's backend is not
 * shown; background workers have no user.
 */
const sessionsIn = (databases: string): string => `
  SELECT pid, coalesce(application_name, '') AS application, coalesce(usename, '') AS user,
         coalesce(client_addr::text, 'a local socket') AS client
  FROM pg_stat_activity
  WHERE datname IN (${databases}) AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
    AND coalesce(backend_type, 'client backend') = 'client backend'
    AND coalesce(application_name, '') NOT LIKE 'db-init %'`;

/** Transactions of PREPARE TRANSACTION: they belong to no session, hold locks, and may be committed at any time. */
const preparedIn = (databases: string): string => `SELECT gid FROM pg_prepared_xacts WHERE database IN (${databases})`;

/** Who else is connected to the database of the session. */
export const sessionsQuery = `${sessionsIn('current_database()')} ORDER BY pid`;

/** Finds who else may write to databases of this server. @param databases by default the one of the session */
export async function findOtherSessions(session: Session, databases: readonly string[] = []): Promise<OthersAtWork> {
  const names = databases.length === 0 ? 'current_database()' : databases.map(quoteText).join(', ');
  const sessions = (await session.query(`${sessionsIn(names)} ORDER BY pid`)).map(readSession);
  const prepared = (await session.query(`${preparedIn(names)} ORDER BY gid`)).map((row) => text(row, 'gid'));
  return { sessions, prepared };
}

/** How often, and after how many milliseconds each, others are looked for again before they are told of. */
const [looks, pause] = [10, 100];

/**
 * Looks for others until there are none, a second at most: the server shows a session for a moment after its program has
 * ended, that of the application which was just stopped, or of a dump of ours.
 */
export async function onceGone<Found>(
  session: Session,
  look: () => Promise<Found>,
  isNobody: (found: Found) => boolean,
): Promise<Found> {
  for (let left = looks; ; left--) {
    const found = await look();
    if (isNobody(found) || left === 0) return found;
    await setTimeout(pause);
    // a transaction sees again what it has seen of other sessions, unless it forgets it
    await session.query('SELECT pg_stat_clear_snapshot()');
  }
}

/** As `findOthers`, but who is about to go is waited for. */
export function findStaying(session: Session, databases: readonly string[] = []): Promise<OthersAtWork> {
  return onceGone(
    session,
    () => findOtherSessions(session, databases),
    ({ sessions }) => sessions.length === 0,
  );
}

export function readSession(row: Row): OtherSession {
  return {
    pid: number(row, 'pid'),
    application: text(row, 'application'),
    user: text(row, 'user'),
    client: text(row, 'client'),
  };
}

/** What the error of `exclusion` says. */
const mark = 'db-init: others are at work';

/** Whether an error is the one of `exclusion`. */
export function isExclusion(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause.message.includes(mark)) return true;
  return false;
}

/**
 * SQL for the beginning of a transaction that exchanges schemas, by whichever program it is run: it fails unless nobody
 * else holds a session, a lock or a prepared transaction in this database. It locks the tables that are there, so that who
 * connects later waits for the end of the transaction, and then finds the tables of the new names.
 */
export async function exclusion(session: Session, schemas: readonly string[]): Promise<string> {
  const tables = await session.query(
    `SELECT quote_ident(nspname) || '.' || quote_ident(relname) AS name
     FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
     WHERE nspname IN (${schemas.map(quoteText).join(', ')}) AND relkind IN ('r', 'p')
       AND has_table_privilege(pg_class.oid, 'TRUNCATE') ORDER BY 1`,
  );
  const here = 'current_database()';
  // what a transaction has seen of other sessions it sees again, unless it forgets it
  const check = `SELECT pg_stat_clear_snapshot();
    SELECT CAST(CASE WHEN EXISTS (${sessionsIn(here)}) OR EXISTS (${preparedIn(here)}) THEN ${quoteText(mark)} ELSE '0' END AS int);`;
  const locks = tables.map((row) => text(row, 'name')).join(', ');
  return [check, ...(locks === '' ? [] : [`LOCK TABLE ${locks} IN ACCESS EXCLUSIVE MODE;`]), check, ''].join('\n');
}

/** Tells sessions to end. Those that are not ours to end are an error of the server. */
export async function terminate(session: Session, pids: readonly number[]): Promise<void> {
  await session.query(`SELECT ${pids.map((pid) => `pg_terminate_backend(${pid})`).join(', ')}`);
}
