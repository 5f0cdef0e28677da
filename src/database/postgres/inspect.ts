import { readAnswer, flag, only, optionalNumber, optionalText, rowsOfJson, text, texts } from '../row-values.ts';
import { indexesByName, readColumns, textsByName } from '../catalog-rows.ts';
import type { Catalog, Table } from '../../model/catalog.ts';
import type {
  Attachment,
  TableSequence,
  DatabaseFacts,
  Question,
  Relation,
  RelationKind,
} from '../../model/database-facts.ts';
import type { Row } from '../../model/engine.ts';
import type pg from 'pg';
import { attachmentsQuery, sequencesQuery } from './attachment-queries.ts';
import {
  columnsQuery,
  constraintsQuery,
  enumsQuery,
  indexesQuery,
  foreignLedgersQuery,
  noRowsQuery,
  placeQuery,
  relationsQuery,
  typesQuery,
  unreadableQuery,
  versionRowsQuery,
} from './catalog-queries.ts';
import type { Depth } from '../database.ts';
import { oldestServer } from './connect.ts';
import { readSession, sessionsQuery } from './other-sessions.ts';

const relationKinds: Readonly<Record<string, RelationKind>> = {
  r: 'table',
  p: 'partitioned table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
  S: 'sequence',
};

// One JSON text for thousands of rows: parsing one protocol message per row takes longer than all the queries together.
const asOneText = (query: string): string => `SELECT coalesce(json_agg(r), '[]')::text AS rows FROM (${query}) r`;

const snapshot = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';

/** Catalog rows that were read in a snapshot that is still open. */
export type CatalogRows = readonly Rows[];

/**
 * Runs statements in a separate transaction and reads the catalog in the same round trip.
 * @param suits decides by the row of the last statement whether the catalog rows are returned
 * @returns null if `suits` returned false
 */
export async function readCatalogAfter(
  client: pg.Client,
  statements: string,
  { versionNumber, depth, suits }: { versionNumber: number; depth: Depth; suits: (row: Row) => boolean },
): Promise<CatalogRows | null> {
  const queries = catalogQueries(versionNumber, depth).map(asOneText);
  const results = await resultsOf(client, ['BEGIN', statements, 'COMMIT', snapshot, ...queries]);
  const leading = results.slice(0, -queries.length).filter(({ command }) => command === 'SELECT');
  if (suits(leading.at(-1)?.rows[0] ?? {})) return results.slice(-queries.length).map(rowsIn);
  await client.query('ROLLBACK');
  return null;
}

/** Reads all facts in one read-only snapshot and two round trips; `open` saves the first of them. */
export async function inspect(
  client: pg.Client,
  versionNumber: number,
  depth: Depth,
  question: Question | undefined,
  open: CatalogRows | null = null,
): Promise<DatabaseFacts> {
  try {
    const look = open ?? (await askCatalog(client, [snapshot], catalogQueries(versionNumber, depth)));
    return await complete(client, look, question, 'ROLLBACK');
  } catch (error) {
    // if this fails, the connection is lost, and `error` says so
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Reads all facts within the open transaction. */
export async function readFacts(
  client: pg.Client,
  {
    versionNumber = oldestServer,
    depth = 'whole',
    question,
  }: {
    /** The version number of the server, e.g. 160004. */
    versionNumber?: number;
    depth?: Depth | undefined;
    question?: Question | undefined;
  } = {},
): Promise<DatabaseFacts> {
  return complete(client, await askCatalog(client, [], catalogQueries(versionNumber, depth)), question, '');
}

/** The catalog queries, in the order in which `complete` reads their rows. */
const catalogQueries = (versionNumber: number, depth: Depth): readonly string[] => [
  relationsQuery,
  columnsQuery(depth === 'quick' ? 'presence' : 'text'),
  constraintsQuery,
  indexesQuery,
  enumsQuery,
  foreignLedgersQuery,
  sessionsQuery,
  unreadableQuery,
  placeQuery,
  attachmentsQuery(versionNumber, depth),
  sequencesQuery,
  typesQuery,
];

async function askCatalog(
  client: pg.Client,
  before: readonly string[],
  queries: readonly string[],
): Promise<CatalogRows> {
  return rowsOf(client, [...before, ...queries.map(asOneText)]);
}

/** Parses the catalog rows, reads the version rows and the answers to `question`, and then runs the statement `end`. */
async function complete(
  client: pg.Client,
  look: CatalogRows,
  question: Question | undefined,
  end: string,
): Promise<DatabaseFacts> {
  const [
    relations = [],
    columns = [],
    constraints = [],
    indexes = [],
    enums = [],
    foreignLedgers = [],
    sessions = [],
    unreadable = [],
    places = [],
    attachments = [],
    sequences = [],
    types = [],
  ] = look;
  const found = relations.map(readRelation);
  const place = only(places);
  // a second round trip, because a query on a missing table would be an error
  const versioned = found.some(({ name }) => name === 'alembic_version');
  const tables = readTables(columns, constraints, indexes, unreadable, question?.expected.tables ?? {});
  const catalog = { tables, enums: readEnums(enums) };
  const runtime = {
    attachments: attachments.map(readAttachment),
    sequences: sequences.map(readNumbering),
    answers: [],
  };
  const asked = question?.aboutRows({ catalog, runtime }) ?? [];
  const [versions = [], answers = []] = await rowsOf(client, [
    asOneText(versioned ? versionRowsQuery : noRowsQuery),
    ...(asked.length === 0 ? [] : [asOneText(asked.join('\nUNION ALL\n'))]),
    end,
  ]);
  return {
    schema: optionalText(place, 'schema'),
    elsewhere: texts(place, 'elsewhere'),
    forbidden: texts(place, 'forbidden'),
    relations: found,
    catalog,
    revisions: versioned ? versions.map((row) => text(row, 'version_num')) : null,
    types: types.map((row) => text(row, 'name')),
    foreignLedgers: foreignLedgers.map((row) => text(row, 'name')),
    otherSessions: sessions.map(readSession),
    runtime: { ...runtime, answers: answers.map(readAnswer) },
  };
}

type Rows = readonly Row[];

/** Sends several statements at once; returns the rows of those that are queries, each made by `asOneText`. */
async function rowsOf(client: pg.Client, statements: readonly string[]): Promise<readonly Rows[]> {
  return (await resultsOf(client, statements)).filter(({ command }) => command === 'SELECT').map(rowsIn);
}

/** Sends several statements at once; returns the result of each. */
async function resultsOf(client: pg.Client, statements: readonly string[]): Promise<readonly pg.QueryResult<Row>[]> {
  // for several statements pg returns an array, which is missing in its types
  const answer: pg.QueryResult<Row> | readonly pg.QueryResult<Row>[] = await client.query<Row>(
    statements.filter((statement) => statement !== '').join(';'),
  );
  return [answer].flat();
}

function rowsIn({ rows }: pg.QueryResult<Row>): Rows {
  return rowsOfJson(text(only(rows), 'rows'));
}

function readRelation(row: Row): Relation {
  const kind = relationKinds[text(row, 'kind')];
  if (kind === undefined) throw new Error(`unknown kind of relation: ${text(row, 'kind')}`);
  return { name: text(row, 'name'), kind, estimatedRows: optionalNumber(row, 'rows') };
}

function readAttachment(row: Row): Attachment {
  return {
    table: optionalText(row, 'table'),
    what: text(row, 'what'),
    name: text(row, 'name'),
    detail: text(row, 'detail'),
    refuses: flag(row, 'refuses'),
    remedy: text(row, 'remedy'),
  };
}

function readNumbering(row: Row): TableSequence {
  return {
    table: text(row, 'table'),
    column: text(row, 'column'),
    sequence: text(row, 'sequence'),
    increment: Number(text(row, 'increment')),
  };
}

/**
 * Builds the tables from the rows of catalog queries, which have one row for each table. A table without constraints or
 * indexes has no row in `constraints` or `indexes`.
 */
function readTables(
  columns: Rows,
  constraints: Rows,
  indexes: Rows,
  unreadable: Rows,
  expected: Catalog['tables'],
): Catalog['tables'] {
  const constraintsOf = new Map(constraints.map((row) => [text(row, 'table'), textsByName(row['constraints'])]));
  const indexesOf = new Map(indexes.map((row) => [text(row, 'table'), indexesByName(row['indexes'])]));
  const hidden = new Set(unreadable.map((row) => text(row, 'table')));
  return Object.fromEntries(
    columns.map((row): [string, Table] => {
      const name = text(row, 'table');
      const known = Object.hasOwn(expected, name) ? expected[name]?.columns : undefined;
      const table = {
        columns: readColumns(text(row, 'columns'), textsByName(row['defaults']), known, 'postgresql'),
        constraints: constraintsOf.get(name) ?? {},
        indexes: indexesOf.get(name) ?? {},
      };
      return [name, hidden.has(name) ? { ...table, unreadable: true } : table];
    }),
  );
}

function readEnums(rows: Rows): Catalog['enums'] {
  const enums = new Map<string, string[]>();
  for (const row of rows) {
    const name = text(row, 'name');
    enums.set(name, [...(enums.get(name) ?? []), text(row, 'value')]);
  }
  return Object.fromEntries(enums);
}
