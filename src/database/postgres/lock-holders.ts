import type { Blocker } from '../../model/cause.ts';
import type { Row } from '../../model/engine.ts';
import { optionalNumber, text, texts } from '../row-values.ts';
import type { Session } from '../session.ts';
import { migrationLock } from './lock.ts';

/** How many characters of a query are read, and how many are shown. */
const read = 2000;
const shown = 160;

/**
 * Sessions and prepared transactions that hold locks on tables of this database, or the migration lock. Without
 * pg_read_all_stats the server hides the queries of other roles. A prepared transaction has no session; it is found by
 * the lock that every transaction holds on its own id.
 */
const blockersQuery = `
  SELECT l.pid, coalesce(x.gid, '') AS prepared, coalesce(application_name, '') AS application,
         coalesce(usename, x.owner, '') AS user, coalesce(client_addr::text, 'a local socket') AS client,
         coalesce(state, '') AS state, coalesce(to_char(xact_start, 'YYYY-MM-DD HH24:MI:SS TZ'), '') AS since,
         left(coalesce(query, ''), ${read}) AS query, l.tables
  FROM (SELECT pid, virtualtransaction,
               coalesce(json_agg(DISTINCT relname) FILTER (WHERE relkind IN ('r', 'p', 'm', 'v', 'f', 'S')), '[]') AS tables
        FROM pg_locks LEFT JOIN pg_class c ON locktype = 'relation' AND c.oid = relation
        WHERE granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND pid IS DISTINCT FROM pg_backend_pid()
          AND (locktype = 'relation' AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace)
               OR locktype = 'advisory' AND classid = ${migrationLock.application} AND objid = ${migrationLock.key})
        GROUP BY pid, virtualtransaction) l
  LEFT JOIN pg_stat_activity a USING (pid)
  LEFT JOIN (SELECT virtualtransaction, gid, owner
             FROM pg_prepared_xacts JOIN pg_locks ON locktype = 'transactionid' AND transactionid = transaction AND granted
             WHERE pid IS NULL) x ON l.pid IS NULL AND x.virtualtransaction = l.virtualtransaction
  WHERE a.pid IS NOT NULL OR x.gid IS NOT NULL
  ORDER BY xact_start NULLS LAST, l.pid`;

/**
 * Finds the holders of the lock that a statement waited for: the sessions that hold a lock on a table named in its
 * text; if there are none, all holders of any lock.
 */
export async function findBlockers(session: Session, statement: string): Promise<readonly Blocker[]> {
  const all = (await session.query(blockersQuery)).map(readBlocker);
  const words = new Set(statement.match(/\w+/g));
  const named = all.filter(({ tables }) => tables.some((table) => words.has(table)));
  return named.length > 0 ? named : all;
}

function readBlocker(row: Row): Blocker {
  const tables = texts({ tables: parse(row['tables']) }, 'tables');
  const pid = optionalNumber(row, 'pid');
  const user = text(row, 'user');
  if (pid === null) return { kind: 'prepared', name: text(row, 'prepared'), user, tables };
  return {
    kind: 'session',
    pid,
    application: text(row, 'application'),
    user,
    client: text(row, 'client'),
    state: text(row, 'state'),
    since: text(row, 'since'),
    query: withoutValues(text(row, 'query')),
    tables,
  };
}

/** The driver returns JSON as text. */
function parse(json: unknown): unknown {
  return typeof json === 'string' ? JSON.parse(json) : json;
}

/** Removes the string literals of a query: they may be passwords or values of users. */
export function withoutValues(query: string): string {
  const bare = query
    .replaceAll(/\$(\w*)\$[\s\S]*?(?:\$\1\$|$)/g, "'…'")
    .replaceAll(/'(?:[^']|'')*(?:'|$)/g, "'…'")
    .replaceAll(/\s+/g, ' ')
    .trim();
  return bare.length > shown ? `${bare.slice(0, shown)}…` : bare;
}
