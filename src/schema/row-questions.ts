import {
  activeRowSecurity,
  type Answer,
  type HealthFacts,
  type Question,
  type TableSequence,
} from '../model/database-facts.ts';
import type { Engine } from '../model/engine.ts';
import type { Catalog, Table } from '../model/catalog.ts';
import type { Difference } from '../model/difference.ts';
import { quoteName, quoteText } from '../platform/sql-quoting.ts';
import type { SeedRows } from '../migration/baseline.ts';
import { defaultQueries } from './default-rules.ts';
import { findCaseVariants, isWider } from './comparison.ts';

/** The schema of the last revision: its catalog, and the rows that the revisions insert. */
export interface ExpectedSchema extends Pick<Question, 'statements'> {
  readonly head: Catalog;
  readonly seed: SeedRows;
}

/** Builds the queries about the rows of a database that may be at the head: sequences, labels, defaults, seed rows. */
export function createRowQuestion({ head, statements, seed }: ExpectedSchema, engine: Engine): Question {
  const aboutRows: Question['aboutRows'] = ({ catalog, runtime }) => {
    // row security may hide rows of a table, so such a table is not queried
    const filtered = new Set(
      runtime.attachments.flatMap(({ table, what }) => (what === activeRowSecurity ? [table] : [])),
    );
    const readable = (table: string): boolean => {
      const found = catalog.tables[table];
      return (
        Object.hasOwn(head.tables, table) && found !== undefined && found.unreadable !== true && !filtered.has(table)
      );
    };
    const numbered = runtime.sequences.filter(
      ({ table, column }) => readable(table) && Object.hasOwn(head.tables[table]?.columns ?? {}, column),
    );
    return [
      ...numbered.map(sequenceQuery),
      ...(engine === 'postgresql' ? labelQueries(head, catalog, readable) : []),
      ...(engine === 'postgresql' ? widerColumns(head, catalog) : [])
        .filter(({ table }) => readable(table))
        .flatMap(oversizeQuery),
      ...(engine === 'postgresql' ? defaultQueries(head, catalog, readable) : []),
      ...Object.entries(seed)
        .filter(([table]) => readable(table))
        .flatMap(([table, rows]) => seedQuery(table, rows, catalog)),
    ];
  };
  return { expected: head, statements, aboutRows };
}

/**
 * Asks whether the next value of a sequence is not beyond the values in its column, in the direction in which the
 * sequence counts. A sequence that was never called returns last_value itself next, so the query reads `is_called`.
 */
function sequenceQuery({ table, column, sequence, increment }: TableSequence): string {
  const name = quoteName(column);
  const [order, isTaken] = increment > 0 ? ['DESC', '>='] : ['ASC', '<='];
  return `SELECT 'sequence' AS fault, ${quoteText(table)} AS "table", ${quoteText(column)} AS value FROM (
    SELECT ${name} AS farthest FROM ${quoteName(table)} ORDER BY ${name} ${order} NULLS LAST LIMIT 1) AS rows, ${quoteName(sequence)} s
    WHERE farthest ${isTaken} CASE WHEN s.is_called THEN s.last_value + ${increment} ELSE s.last_value END`;
}

/** The query that counts the values of a wider column that the expected type cannot hold; empty if none applies. */
function oversizeQuery({ table, column, expected }: WiderColumn): readonly string[] {
  const beyond = outOfRangeCondition(expected, quoteName(column));
  if (beyond === null) return [];
  return [
    `SELECT 'oversize' AS fault, ${quoteText(table)} AS "table", to_json(ARRAY[${quoteText(column)}, rows::text])::text AS value
    FROM (SELECT count(*) AS rows FROM ${quoteName(table)} WHERE ${beyond}) AS found WHERE rows > 0`,
  ];
}

/** The SQL condition for values that a type cannot hold unchanged; null for types that are not checked. */
function outOfRangeCondition(type: string, value: string): string | null {
  const [, width] = /^character varying\((\d+)\)$/.exec(type) ?? [];
  if (width !== undefined) return `char_length(${value}) > ${width}`;
  const [, precision, scale] = /^numeric\((\d+),(\d+)\)$/.exec(type) ?? [];
  if (precision !== undefined && scale !== undefined) {
    const limit = `1e${Number(precision) - Number(scale)}`;
    return `${value} <> 'NaN' AND (abs(${value}) >= ${limit} OR ${value} <> round(${value}, ${scale}))`;
  }
  const bits = { smallint: 15, integer: 31 }[type];
  return bits === undefined ? null : `${value} NOT BETWEEN ${-(2 ** bits)} AND ${2 ** bits - 1}`;
}

/** Builds the queries for unexpected labels that rows or a default use; only for enum types with unexpected labels. */
function labelQueries(head: Catalog, catalog: Catalog, readable: (table: string) => boolean): readonly string[] {
  const surplus = Object.entries(head.enums).filter(([name, labels]) =>
    catalog.enums[name]?.some((label) => !labels.includes(label)),
  );
  return surplus.flatMap(([name, labels]) =>
    Object.entries(catalog.tables)
      .filter(([table]) => readable(table))
      .flatMap(([table, { columns }]) =>
        Object.entries(columns)
          .filter(([, { type }]) => type === name)
          .map(([column]) => labelQuery(table, column, labels)),
      ),
  );
}

function labelQuery(table: string, column: string, labels: readonly string[]): string {
  const standard = `substring(pg_get_expr(d.adbin, d.adrelid) FROM '^''(.*)''::')`;
  return `SELECT 'label' AS fault, ${quoteText(table)} AS "table", to_json(ARRAY[${quoteText(column)}, label])::text AS value FROM (
    SELECT ${quoteName(column)}::text AS label FROM ${quoteName(table)} GROUP BY 1
    UNION SELECT ${standard} FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    WHERE d.adrelid = ${quoteText(quoteName(table))}::regclass AND a.attname = ${quoteText(column)}) AS labels
    WHERE label NOT IN (${labels.map(quoteText).join(', ')})`;
}

/** The column that identifies seed rows; in other tables any row counts. */
const seedKeys: Readonly<Record<string, string>> = {
  expense_categories: 'code',
  kanban_columns: 'key',
  leave_types: 'code',
  permissions: 'name',
  roles: 'name',
};

/** Asks whether a table has none of its seed rows. If some are missing, the owner may have deleted or renamed them. */
function seedQuery(table: string, rows: SeedRows[string], catalog: Catalog): readonly string[] {
  const key = seedKeys[table];
  const keyed = key !== undefined && Object.hasOwn(catalog.tables[table]?.columns ?? {}, key);
  const values = keyed ? rows.map((row) => quoteText(String(row[key]))).join(', ') : '';
  const among = keyed ? ` WHERE ${quoteName(key)} IN (${values})` : '';
  const found = `SELECT 1 FROM ${quoteName(table)}${among}`;
  return [`SELECT 'seed' AS fault, ${quoteText(table)} AS "table", '' AS value WHERE NOT EXISTS (${found})`];
}

/**
 * Tables that need their seed rows: without them no user has any permission. In other tables the owner may have deleted
 * all rows. The table that refers to the others comes last.
 */
export const requiredSeedTables: readonly string[] = ['permissions', 'roles', 'role_permissions'];

/** The fault that an answer shows; none if it only supports another one. */
export function faultOfAnswer(
  { fault, table, value }: Answer,
  head: Catalog,
  { catalog }: HealthFacts,
): readonly Difference[] {
  switch (fault) {
    case 'sequence':
      return [{ kind: 'sequence-behind', table, column: value }];
    case 'seed':
    case 'oversize':
    case 'default':
      return [];
    case 'label': {
      const [column, label] = readPair(value);
      const name = head.tables[table]?.columns[column]?.type ?? '';
      const values = head.enums[name] ?? [];
      return findCaseVariants(catalog.enums[name] ?? [], values).has(label)
        ? [{ kind: 'missing-enum', name, values }]
        : [{ kind: 'unknown-label', table, column, label }];
    }
  }
}

export function readPair(json: string): readonly [string, string] {
  const pair: unknown = JSON.parse(json);
  if (!Array.isArray(pair)) throw new Error('the answer is no list');
  return [String(pair[0]), String(pair[1])];
}

/** The found and the expected columns of each table, without the tables that have exactly the expected columns. */
export function tablesWithOtherColumns(
  head: Catalog,
  { tables }: Catalog,
): readonly { readonly table: string; readonly found: Table['columns']; readonly expected: Table['columns'] }[] {
  return Object.entries(head.tables).flatMap(([table, { columns: expected }]) => {
    const found = tables[table]?.columns;
    return found === undefined || found === expected ? [] : [{ table, found, expected }];
  });
}

interface WiderColumn {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly expected: string;
}

/** Finds columns with a wider type. For PostgreSQL only: SQLite does not enforce the types of columns. */
export function widerColumns(head: Catalog, catalog: Catalog): readonly WiderColumn[] {
  return tablesWithOtherColumns(head, catalog).flatMap(({ table, found, expected: columns }) =>
    Object.entries(found).flatMap(([column, { type }]) => {
      const expected = columns[column]?.type;
      return expected !== undefined && isWider(type, expected) ? [{ table, column, type, expected }] : [];
    }),
  );
}
