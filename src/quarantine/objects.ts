import type { MissingRight } from '../model/database-facts.ts';
import type { Row } from '../model/engine.ts';
import { flag, number, only, optionalNumber, text } from '../database/row-values.ts';
import type { Session } from '../database/session.ts';
import { coreTables, versionTable } from '../schema/catalog.ts';

/** The words for a kind of object in ALTER … SET SCHEMA and DROP. */
export type ObjectKind = (typeof kinds)[keyof typeof kinds];

/**
 * An object of a schema that is moved or dropped separately. Indexes, triggers and owned sequences follow their table.
 */
export interface QuarantineObject {
  readonly name: string;
  /** The name for SQL, quoted if necessary. */
  readonly quoted: string;
  readonly kind: ObjectKind;
  /** The server's estimate; null if it has none, and for objects without rows. */
  readonly estimatedRows: number | null;
  /** Whether its rows may be counted and are few. */
  readonly countable: boolean;
  readonly bytes: number;
  /** The number of locks that moving or dropping takes. */
  readonly locks: number;
}

/** A part of the objects of a schema: as many as one transaction may lock. */
export interface Batch {
  readonly objects: readonly QuarantineObject[];
  /** The number of objects that are left for later batches. */
  readonly left: number;
}

/** The order of the objects: see `orders`. */
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

// A run may be interrupted between two batches. The core tables are moved first and come back last, and alembic_version
// the other way round. So half a database has version rows and no core tables, and is refused as a partial migration.
// Dependent objects are dropped first; a view that uses another one is usually younger.
const orders: Readonly<Record<Order, string>> = {
  out: `t.name IN (${core}) DESC, t.name = '${versionTable}', t.name, t.kind`,
  back: `t.name = '${versionTable}' DESC, t.name IN (${core}), t.name, t.kind`,
  drop: `t.kind IN ('v', 'm') DESC, CASE WHEN t.kind IN ('v', 'm') THEN t.oid::int8 END DESC, t.partition DESC,
         t.kind = 'p', t.kind = 'S', t.kind = 'd', t.kind = 't', t.name`,
};

/** Relations and types of schema $1 without those named in $2, a JSON list, and without those of extensions. */
const objectsQuery = `
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

// Counting locks a table and each of its indexes; moving locks its sequences as well.
const selection = (order: Order): string => `
  SELECT t.name, quote_ident(t.name) AS quoted, t.kind,
         CASE WHEN c.reltuples >= 0 AND c.relkind IN ('r', 'm') THEN c.reltuples::int8 END AS estimate,
         coalesce(c.relkind IN ('r', 'm') AND c.relispopulated AND NOT c.relforcerowsecurity
                  AND has_table_privilege(c.oid, 'SELECT') AND pg_relation_size(c.oid) < 8388608, false) AS countable,
         coalesce(pg_total_relation_size(c.oid), 0) AS bytes,
         1 + (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid)
           + (SELECT count(*) FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
              WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
                AND d.refobjsubid > 0) AS locks
  FROM (${objectsQuery}) t LEFT JOIN pg_class c ON t.class = 'pg_class'::regclass AND c.oid = t.oid
  ORDER BY ${orders[order]}`;

/** All objects of a schema that can be moved or dropped separately. */
export async function listObjects(
  session: Session,
  schema: string,
  order: Order,
  keep: readonly string[] = [],
): Promise<readonly QuarantineObject[]> {
  return (await session.query(selection(order), [schema, JSON.stringify(keep)])).map(readObject);
}

/**
 * The objects of a schema in batches; at least one, which may be empty.
 * @param keep names of relations and types that stay
 */
export async function listBatches(
  session: Session,
  schema: string,
  order: Order,
  keep: readonly string[] = [],
): Promise<readonly Batch[]> {
  // all sessions share the server's lock table: we use a quarter of it (manual, "Lock Management")
  const [row = {}] = await session.query(
    `SELECT current_setting('max_locks_per_transaction')::int8 * (current_setting('max_connections')::int8
       + current_setting('max_prepared_transactions')::int8) / 4 AS budget`,
  );
  return splitByLocks(await listObjects(session, schema, order, keep), number(row, 'budget'));
}

/** Cuts a list into batches within the budget of locks. An object that needs more is alone in its batch. */
export function splitByLocks(all: readonly QuarantineObject[], budget: number): readonly Batch[] {
  const batches: Batch[] = [];
  for (let start = 0; start < all.length || batches.length === 0;) {
    let end = start;
    for (let locks = 0; end < all.length; end++) {
      locks += all[end]?.locks ?? 0;
      if (locks > budget && end > start) break;
    }
    batches.push({ objects: all.slice(start, end), left: all.length - end });
    start = end;
  }
  return batches;
}

function readObject(row: Row): QuarantineObject {
  const letter = text(row, 'kind');
  if (!isKind(letter)) throw new Error(`unknown kind of relation: ${letter}`);
  return {
    name: text(row, 'name'),
    quoted: text(row, 'quoted'),
    kind: kinds[letter],
    estimatedRows: optionalNumber(row, 'estimate'),
    countable: flag(row, 'countable'),
    bytes: number(row, 'bytes'),
    locks: number(row, 'locks'),
  };
}

const isKind = (letter: string): letter is keyof typeof kinds => Object.hasOwn(kinds, letter);

/** Whether a kind of object is a type and not a relation. */
export function isType(kind: string): boolean {
  return /^(type|domain)$/i.test(kind);
}

/** Counts the rows of small tables, and uses the estimate for large ones. */
export async function countRows(session: Session, schema: string, object: QuarantineObject): Promise<number | null> {
  if (!object.countable) return object.estimatedRows;
  return number(only(await session.query(`SELECT count(*) AS rows FROM ${schema}.${object.quoted}`)), 'rows');
}

const namedRights = 20;

/** The rights that the role lacks for moving the objects of a schema: it must own each of them. */
export async function rightsMissingToMove(
  session: Session,
  schema: string,
  keep: readonly string[] = [],
): Promise<readonly MissingRight[]> {
  const rows = await session.query(
    `SELECT quote_ident(name) AS quoted, kind, quote_ident(current_user) AS role, $1::text AS schema
     FROM (${objectsQuery}) t WHERE NOT pg_has_role(owner, 'USAGE') ORDER BY name LIMIT ${namedRights}`,
    [schema, JSON.stringify(keep)],
  );
  return rows.map((row) => {
    const letter = text(row, 'kind');
    const kind = isKind(letter) ? kinds[letter] : 'TABLE';
    return {
      action: { kind: 'move', what: kind.toLowerCase(), name: text(row, 'quoted') },
      remedy: `ALTER ${kind} ${text(row, 'schema')}.${text(row, 'quoted')} OWNER TO ${text(row, 'role')};`,
    };
  });
}
