import type { MissingRight } from '../../database/database.ts';
import { flag, number, only, optionalNumber, text } from '../../database/rows.ts';
import type { Row, Session } from '../../database/session.ts';
import { coreTables, versionTable } from '../../schema/catalog.ts';

/** What ALTER … SET SCHEMA and DROP call a kind of thing. */
export type ThingKind = (typeof kinds)[keyof typeof kinds];

/** Something of a schema that is moved or dropped by itself. Indexes, triggers and owned sequences go with their table. */
export interface Thing {
  readonly name: string;
  /** As SQL writes the name: quoted where it needs to be. */
  readonly quoted: string;
  readonly kind: ThingKind;
  /** The server's estimate; null where it has none, and for what holds no rows. */
  readonly estimatedRows: number | null;
  /** Whether counting its rows is allowed and quick. */
  readonly countable: boolean;
  readonly bytes: number;
}

/** Some of the things of a schema: as many as one transaction may lock. */
export interface Batch {
  readonly things: readonly Thing[];
  /** How many things of the schema are left for later batches. */
  readonly left: number;
}

/** The order in which things go: see `orders`. */
export type Order = 'out' | 'back' | 'drop';

const kinds = {
  r: 'TABLE',
  p: 'TABLE',
  v: 'VIEW',
  m: 'MATERIALIZED VIEW',
  f: 'FOREIGN TABLE',
  S: 'SEQUENCE',
  t: 'TYPE',
  d: 'DOMAIN',
} as const;

const core = coreTables.map((name) => `'${name}'`).join(', ');

// A run may be cut off between two batches. The core tables go first and come back last, alembic_version the other way
// round: half a database has version rows and no core tables, and is refused as a partial migration, never mended.
// What depends on others is dropped before them, so that a batch does not drop more than it counted.
const orders: Readonly<Record<Order, string>> = {
  out: `name IN (${core}) DESC, name = '${versionTable}', name, kind`,
  back: `name = '${versionTable}' DESC, name IN (${core}), name, kind`,
  drop: `kind IN ('v', 'm') DESC, partition DESC, kind = 'p', kind IN ('t', 'd'), name`,
};

/** Relations and types of schema $1 without those named in $2, a JSON list. What extensions own stays theirs. */
const things = `
  SELECT * FROM (
    SELECT 'pg_class'::regclass AS class, c.oid, c.relname::text AS name, c.relkind::text AS kind,
           c.relowner AS owner, c.relispartition AS partition
    FROM pg_class c
    WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                      AND c.relkind = 'S' AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0)
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, t.typname::text, CASE t.typtype WHEN 'd' THEN 'd' ELSE 't' END,
           t.typowner, false
    FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE t.typnamespace = to_regnamespace($1)
      AND (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c'
           OR t.typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid))
  ) AS thing
  WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = class AND d.objid = thing.oid AND d.deptype = 'e')
    AND NOT name IN (SELECT json_array_elements_text($2::json))`;

// The server's room for locks is shared, so one transaction takes a quarter of it (manual, "Lock Management").
const lockBudget = `(current_setting('max_locks_per_transaction')::int8
  * (current_setting('max_connections')::int8 + current_setting('max_prepared_transactions')::int8) / 4)`;

// Counting takes a lock on a table and on each of its indexes, moving on its sequences as well.
const selection = (order: Order, extent: 'batch' | 'all'): string => `
  WITH ordered AS (
    SELECT *, row_number() OVER (ORDER BY ${orders[order]}) AS position, count(*) OVER () AS total FROM (${things}) t
  ), weighed AS (
    SELECT *, sum(1 + (SELECT count(*) FROM pg_index i WHERE i.indrelid = oid)
                    + (SELECT count(*) FROM pg_depend d WHERE d.refclassid = class AND d.refobjid = oid
                       AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i'))) OVER (ORDER BY position) AS locks
    FROM ordered${extent === 'all' ? '' : ` WHERE position <= ${lockBudget}`}
  )
  SELECT w.name, quote_ident(w.name) AS quoted, w.kind, w.total::int AS total,
         CASE WHEN c.reltuples >= 0 AND c.relkind IN ('r', 'm') THEN c.reltuples::int8 END AS estimate,
         coalesce(c.relkind IN ('r', 'm') AND c.relispopulated AND NOT c.relforcerowsecurity
                  AND has_table_privilege(c.oid, 'SELECT') AND pg_relation_size(c.oid) < 8388608, false) AS countable,
         coalesce(pg_total_relation_size(c.oid), 0) AS bytes
  FROM weighed w LEFT JOIN pg_class c ON w.class = 'pg_class'::regclass AND c.oid = w.oid
  ${extent === 'all' ? '' : `WHERE w.locks <= ${lockBudget} OR w.position = 1`}
  ORDER BY w.position`;

/**
 * The next things of a schema that can be moved or dropped in one transaction.
 * @param keep names of relations and types that stay
 */
export async function nextBatch(
  session: Session,
  schema: string,
  order: Order,
  keep: readonly string[] = [],
): Promise<Batch> {
  const rows = await session.query(selection(order, 'batch'), [schema, JSON.stringify(keep)]);
  return { things: rows.map(readThing), left: rows[0] === undefined ? 0 : number(rows[0], 'total') - rows.length };
}

/** Everything of a schema. */
export async function allThings(session: Session, schema: string): Promise<readonly Thing[]> {
  return (await session.query(selection('out', 'all'), [schema, '[]'])).map(readThing);
}

function readThing(row: Row): Thing {
  const letter = text(row, 'kind');
  if (!isKind(letter)) throw new Error(`unknown kind of relation: ${letter}`);
  return {
    name: text(row, 'name'),
    quoted: text(row, 'quoted'),
    kind: kinds[letter],
    estimatedRows: optionalNumber(row, 'estimate'),
    countable: flag(row, 'countable'),
    bytes: number(row, 'bytes'),
  };
}

const isKind = (letter: string): letter is keyof typeof kinds => Object.hasOwn(kinds, letter);

/** Whether a kind of thing is a type and no relation. */
export function isType(kind: string): boolean {
  return /^(type|domain)$/i.test(kind);
}

/** Counts what is small, believes the estimate of what is large. */
export async function countRows(session: Session, schema: string, thing: Thing): Promise<number | null> {
  if (!thing.countable) return thing.estimatedRows;
  return number(only(await session.query(`SELECT count(*) AS rows FROM ${schema}.${thing.quoted}`)), 'rows');
}

/** How many missing rights are named at the most. */
const namedRights = 20;

/** What keeps the role from moving the things of a schema: each of them must be its own. */
export async function rightsMissingToMove(
  session: Session,
  schema: string,
  keep: readonly string[] = [],
): Promise<readonly MissingRight[]> {
  const rows = await session.query(
    `SELECT quote_ident(name) AS quoted, kind, quote_ident(current_user) AS role, quote_ident($1) AS schema
     FROM (${things}) t WHERE NOT pg_has_role(owner, 'USAGE') ORDER BY name LIMIT ${namedRights}`,
    [schema, JSON.stringify(keep)],
  );
  return rows.map((row) => {
    const letter = text(row, 'kind');
    const kind = isKind(letter) ? kinds[letter] : 'TABLE';
    return {
      action: `move ${kind.toLowerCase()} ${text(row, 'quoted')}, which another role owns`,
      remedy: `ALTER ${kind} ${text(row, 'schema')}.${text(row, 'quoted')} OWNER TO ${text(row, 'role')};`,
    };
  });
}
