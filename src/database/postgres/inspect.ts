import type pg from 'pg';
import type { Catalog, Column, Index } from '../../schema/catalog.ts';
import { type DatabaseFacts, type OtherSession, type Relation, type RelationKind, someDefault } from '../database.ts';
import { otherLedgers } from '../ledgers.ts';
import { flag, number, only, optionalNumber, optionalText, text } from '../rows.ts';
import type { Row, Session } from '../session.ts';

/**
 * Every query reads pg_catalog and not information_schema: that lists what extensions own as well, and hides what
 * the role has no right to. Names are compared as they are stored, so capitals and quotes make a difference.
 */
const relationsQuery = `
  SELECT c.relname AS name, c.relkind AS kind, CASE WHEN c.reltuples >= 0 THEN c.reltuples::int8 END AS rows
  FROM pg_class c
  WHERE c.relnamespace = to_regnamespace('public') AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                    AND (d.deptype = 'e' OR (c.relkind = 'S' AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0)))
  ORDER BY c.relname`;

/** What is asked of default expressions. Printing them takes the server as long as everything else here together. */
type Defaults = 'text' | 'presence';

const columnsQuery = (defaults: Defaults): string => `
  SELECT c.relname AS table, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type,
         a.attnotnull AS not_null,
         CASE WHEN a.attidentity <> '' THEN 'identity'
              WHEN d.oid IS NOT NULL THEN ${defaults === 'text' ? 'pg_get_expr(d.adbin, d.adrelid)' : `'${someDefault}'`}
         END AS default
  FROM pg_class c
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  WHERE c.relnamespace = to_regnamespace('public') AND c.relkind IN ('r', 'p')
  ORDER BY c.relname, a.attnum`;

// PostgreSQL 18 lists NOT NULL as constraints as well: columns tell that already
const constraintsQuery = `
  SELECT c.relname AS table, k.conname AS name, pg_get_constraintdef(k.oid) AS definition
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
  WHERE c.relnamespace = to_regnamespace('public') AND c.relkind IN ('r', 'p')
    AND k.contype IN ('p', 'u', 'f', 'c', 'x')
  ORDER BY c.relname, k.conname`;

// pg_get_indexdef() without a column number costs more than everything else here together
const indexesQuery = `
  SELECT c.relname AS table, i.relname AS name, x.indisunique AS unique, x.indisvalid AS valid, m.amname AS method,
         pg_get_expr(x.indpred, x.indrelid) AS predicate,
         CASE WHEN x.indexprs IS NULL AND x.indoption::text !~ '[1-9]'
           THEN (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.position)
                 FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (number, position)
                 JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.number)
           ELSE substring(pg_get_indexdef(i.oid) FROM ' USING \\w+ \\((.*?)\\)(?: WHERE |$)') END AS columns
  FROM pg_index x
  JOIN pg_class c ON c.oid = x.indrelid
  JOIN pg_class i ON i.oid = x.indexrelid
  JOIN pg_am m ON m.oid = i.relam
  WHERE c.relnamespace = to_regnamespace('public') AND c.relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x'))
  ORDER BY c.relname, i.relname`;

const enumsQuery = `
  SELECT t.typname AS name, e.enumlabel AS value
  FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid
  WHERE t.typnamespace = to_regnamespace('public')
  ORDER BY t.typname, e.enumsortorder`;

const unreadableQuery = `
  SELECT c.relname AS table FROM pg_class c
  WHERE c.relnamespace = to_regnamespace('public') AND c.relkind IN ('r', 'p') AND NOT has_table_privilege(c.oid, 'SELECT')`;

const ledgersQuery = `
  SELECT n.nspname || '.' || c.relname AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND lower(c.relname) IN (${otherLedgers.map((name) => `'${name}'`).join(', ')})
    AND n.nspname !~ '^(pg_|tt_quarantine_|information_schema)'
  ORDER BY 1`;

// Without pg_read_all_stats the kind of another role's backend is not shown; background workers have no user.
const sessionsQuery = `
  SELECT pid, coalesce(application_name, '') AS application, coalesce(usename, '') AS user,
         coalesce(client_addr::text, 'a local socket') AS client
  FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
    AND coalesce(backend_type, 'client backend') = 'client backend'
    AND coalesce(application_name, '') NOT LIKE 'db-init %'
  ORDER BY pid`;

const versionRowsQuery = 'SELECT version_num FROM public.alembic_version ORDER BY 1';
const noRowsQuery = 'SELECT 1 WHERE false';

const relationKinds: Readonly<Record<string, RelationKind>> = {
  r: 'table',
  p: 'partitioned table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
  S: 'sequence',
};

// One text for thousands of rows: taking them apart one message at a time costs more than all the queries together.
const asOneText = (query: string): string => `SELECT coalesce(json_agg(r), '[]')::text AS rows FROM (${query}) r`;

/** Reads everything in two round trips and one read-only snapshot. */
export async function inspect(client: pg.Client, depth: 'quick' | 'whole'): Promise<DatabaseFacts> {
  try {
    const begin = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
    return await readFacts(client, { begin, end: 'ROLLBACK', defaults: depth === 'quick' ? 'presence' : 'text' });
  } catch (error) {
    // if this fails the connection is gone, and the error says so
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Reads everything within the transaction that is open, or that `begin` opens and `end` closes. */
export async function readFacts(
  client: pg.Client,
  { begin = '', end = '', defaults = 'text' }: { begin?: string; end?: string; defaults?: Defaults } = {},
): Promise<DatabaseFacts> {
  const queries = [
    relationsQuery,
    columnsQuery(defaults),
    constraintsQuery,
    indexesQuery,
    enumsQuery,
    ledgersQuery,
    sessionsQuery,
    unreadableQuery,
  ];
  const [
    relations = [],
    columns = [],
    constraints = [],
    indexes = [],
    enums = [],
    ledgers = [],
    sessions = [],
    unreadable = [],
  ] = await rowsOf(client, [begin, ...queries.map(asOneText)]);
  const found = relations.map(readRelation);
  // asking for the rows of a table that is not there would be an error: first the one, then the other
  const versioned = found.some(({ name }) => name === 'alembic_version');
  const [versions = []] = await rowsOf(client, [asOneText(versioned ? versionRowsQuery : noRowsQuery), end]);
  return {
    relations: found,
    catalog: { tables: readTables(columns, constraints, indexes, unreadable), enums: readEnums(enums) },
    revisions: versioned ? versions.map((row) => text(row, 'version_num')) : null,
    ledgers: ledgers.map((row) => text(row, 'name')),
    otherSessions: sessions.map(readSession),
  };
}

type Rows = readonly Row[];

/** Sends several statements at once; returns the rows of those that are queries, each made by `asOneText`. */
async function rowsOf(client: pg.Client, statements: readonly string[]): Promise<readonly Rows[]> {
  // for several statements pg answers with a list, which its types do not tell
  const answer: pg.QueryResult<Record<string, unknown>> | pg.QueryResult<Record<string, unknown>>[] =
    await client.query<Record<string, unknown>>(statements.filter((statement) => statement !== '').join(';'));
  const results: readonly pg.QueryResult<Row>[] = Array.isArray(answer) ? answer : [answer];
  return results.filter(({ command }) => command === 'SELECT').map(({ rows }) => readRows(text(only(rows), 'rows')));
}

function readRows(json: string): Rows {
  const rows: unknown = JSON.parse(json);
  if (!Array.isArray(rows)) throw new Error('the server did not answer with a list');
  return rows.filter((row): row is Row => typeof row === 'object' && row !== null);
}

function readRelation(row: Row): Relation {
  const kind = relationKinds[text(row, 'kind')];
  if (kind === undefined) throw new Error(`unknown kind of relation: ${text(row, 'kind')}`);
  return { name: text(row, 'name'), kind, estimatedRows: optionalNumber(row, 'rows') };
}

/** Who else is connected, as of this transaction. */
export async function listOtherSessions(session: Session): Promise<readonly OtherSession[]> {
  return (await session.query(sessionsQuery)).map(readSession);
}

function readSession(row: Row): OtherSession {
  return {
    pid: number(row, 'pid'),
    application: text(row, 'application'),
    user: text(row, 'user'),
    client: text(row, 'client'),
  };
}

function readTables(columns: Rows, constraints: Rows, indexes: Rows, unreadable: Rows): Catalog['tables'] {
  interface OpenTable {
    columns: Record<string, Column>;
    constraints: Record<string, string>;
    indexes: Record<string, Index>;
    unreadable?: true;
  }
  const tables = new Map<string, OpenTable>();
  const tableOf = (row: Row): OpenTable => {
    const name = text(row, 'table');
    const table = tables.get(name) ?? { columns: {}, constraints: {}, indexes: {} };
    tables.set(name, table);
    return table;
  };
  for (const row of columns) {
    const table = tableOf(row);
    // a table without columns is one row without a column
    if (row['column'] === null) continue;
    table.columns[text(row, 'column')] = {
      type: text(row, 'type'),
      notNull: flag(row, 'not_null'),
      default: optionalText(row, 'default'),
    };
  }
  for (const row of constraints) tableOf(row).constraints[text(row, 'name')] = text(row, 'definition');
  for (const row of indexes) {
    const definition = [
      flag(row, 'unique') ? 'UNIQUE ' : '',
      `${text(row, 'method')} (${text(row, 'columns')})`,
      row['predicate'] === null ? '' : ` WHERE ${text(row, 'predicate')}`,
    ].join('');
    tableOf(row).indexes[text(row, 'name')] = { definition, valid: flag(row, 'valid') };
  }
  for (const row of unreadable) tableOf(row).unreadable = true;
  return Object.fromEntries(tables);
}

function readEnums(rows: Rows): Catalog['enums'] {
  const enums = new Map<string, string[]>();
  for (const row of rows) {
    const name = text(row, 'name');
    enums.set(name, [...(enums.get(name) ?? []), text(row, 'value')]);
  }
  return Object.fromEntries(enums);
}
