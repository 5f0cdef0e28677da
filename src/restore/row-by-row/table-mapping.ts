import type { RowReader } from '../../database/sqlite/row-reader.ts';
import type { Catalog, Table } from '../../model/catalog.ts';
import type { Loaded } from '../../model/transfer.ts';
import { versionTable } from '../../schema/catalog.ts';
import { conversionToSqlite, type ColumnConversion } from '../../database/conversion/to-sqlite.ts';
import type { ConversionCounts } from '../../database/conversion/convert.ts';
import type { Engine } from '../../model/engine.ts';
import { renderTable, sequenceOf } from '../../migration/schema-builder/catalog-sql.ts';
import { releaseGraph } from '../../migration/revisions.ts';
import { parseRule } from '../../repair/constraint-rules.ts';
import { namesIn, tokenize } from '../../migration/schema-builder/sql-tokens.ts';
import { constraintEffect } from '../../schema/comparison.ts';
import { acceptedAlternative } from '../../schema/known-divergences.ts';
import { loadHead } from '../../schema/expected-schema.ts';
import { catalogAt, loadHistory } from '../../schema/history.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import { asideTableName, isQuarantineName, parseAsideTable } from '../../quarantine/names.ts';
import { reasonColumn } from '../../quarantine/rows.ts';
import type { DumpReader, DumpTable } from '../../database/postgres/dump/row-reader.ts';

interface ColumnToLoad {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[] | null;
  readonly notNull: boolean;
  /** Whether a sequence numbers it. */
  readonly numbered: boolean;
}

export interface TableToLoad {
  readonly name: string;
  /** The quarantine schema that gets it, if it holds rows that an earlier restore set aside; null for all others. */
  readonly quarantine: string | null;
  /** The name of the table in PostgreSQL, for SQL. */
  readonly relation: string;
  readonly columns: readonly ColumnToLoad[];
  readonly key: readonly string[];
  /** Whether integers are read exactly: in the owner's tables they may have any size. */
  readonly exact: boolean;
}

/**
 * The tables of a SQLite database, with the columns that they get in PostgreSQL: those of the head, and the owner's.
 */
export function tablesToLoad(head: Catalog, present: Catalog, reader: RowReader): readonly TableToLoad[] {
  return Object.entries(present.tables)
    .filter(([name]) => name !== versionTable)
    .map(([name, { columns, constraints }]) => {
      const held = Object.hasOwn(columns, reasonColumn) ? parseAsideTable(name) : null;
      const expected = head.tables[name]?.columns ?? {};
      const plain = Object.keys(columns).filter((column) => !Object.hasOwn(expected, column));
      return {
        name,
        quarantine: held?.quarantine ?? null,
        relation: held === null ? quoteName(name) : `${quoteName(held.quarantine)}.${quoteName(held.table)}`,
        columns: [
          ...Object.entries(expected).map(([column, { type, notNull, default: expression }]) => ({
            name: column,
            type,
            labels: head.enums[type] ?? null,
            notNull,
            numbered: sequenceOf(expression) !== null,
          })),
          ...plain.map((column) => ({
            name: column,
            type: held === null ? postgresTypeFor(reader.storedTypes(name, column)) : 'text',
            labels: null,
            notNull: false,
            numbered: false,
          })),
        ],
        key: Object.values(constraints).flatMap((rule) => /^PRIMARY KEY \((.*)\)$/.exec(rule)?.[1]?.split(', ') ?? []),
        exact: plain.length > 0,
      };
    });
}

/** A type that holds every value of a column that is not in the expected schema. */
function postgresTypeFor(stored: readonly string[]): string {
  const only = (...types: readonly string[]): boolean =>
    stored.length > 0 && stored.every((type) => types.includes(type));
  if (only('integer')) return 'bigint';
  if (only('real')) return 'double precision';
  if (only('integer', 'real')) return 'numeric';
  return only('blob') ? 'bytea' : 'text';
}

/**
 * The statements that create the owner's tables and columns, which the expected schema does not have. Their keys,
 * indexes and defaults are not copied.
 */
export function ownerTableStatements(head: Catalog, tables: readonly TableToLoad[]): readonly string[] {
  const quarantines = new Set(tables.flatMap(({ quarantine }) => quarantine ?? []));
  const schemas = [...quarantines].map((quarantine) => `CREATE SCHEMA ${quoteName(quarantine)}`);
  const statements = tables.flatMap(({ name, columns, relation }) => {
    const expected = head.tables[name]?.columns;
    const extra = columns.filter((column) => expected === undefined || !Object.hasOwn(expected, column.name));
    const definitions = extra.map((column) => `${quoteName(column.name)} ${column.type}`);
    if (expected === undefined) return [`CREATE TABLE ${relation} (${definitions.join(', ')})`];
    return definitions.map((definition) => `ALTER TABLE ${relation} ADD COLUMN ${definition}`);
  });
  return [...schemas, ...statements];
}

/** The names of the owner's tables and columns, for the report. */
export function extrasOf(head: Catalog, tables: readonly TableToLoad[]): Loaded['extras'] {
  return {
    tables: tables
      .filter(({ name, quarantine }) => quarantine === null && !Object.hasOwn(head.tables, name))
      .map(({ name }) => name),
    columns: tables.flatMap(({ name, columns }) => {
      const expected = head.tables[name]?.columns ?? null;
      if (expected === null) return [];
      return columns
        .filter((column) => !Object.hasOwn(expected, column.name))
        .map((column) => `${name}.${column.name}`);
    }),
  };
}

interface ColumnToFill {
  readonly name: string;
  /** The type, as PostgreSQL prints it. */
  readonly type: string;
  readonly conversion: ColumnConversion;
  readonly counts: ConversionCounts;
}

export interface TableToFill {
  readonly name: string;
  readonly columns: readonly ColumnToFill[];
  /** The expected table; null for a table of the owner's. */
  readonly expected: Table | null;
  readonly ownColumns: readonly string[];
  readonly key: readonly string[];
}

/**
 * The tables and columns that a database at these revisions may have: the expected schema of the revisions, and what
 * later revisions add, because some releases create tables and columns before the revision that adds them.
 */
export async function expectedCatalog(revisions: readonly string[], engine: Engine): Promise<Catalog> {
  const present = catalogAt(revisions, releaseGraph, await loadHistory(engine));
  const head = await loadHead(engine);
  const later = ([name, table]: readonly [string, Table]): readonly [string, Table] => {
    const columns = Object.entries(head.tables[name]?.columns ?? {}).map(
      ([column, definition]) => [column, { ...definition, notNull: false }] as const,
    );
    return [name, { ...table, columns: { ...Object.fromEntries(columns), ...table.columns } }];
  };
  return {
    tables: { ...head.tables, ...Object.fromEntries(Object.entries(present.tables).map(later)) },
    enums: { ...head.enums, ...present.enums },
  };
}

/**
 * The tables of a dump, with the names, columns and types that they get in SQLite. A table of another schema gets the
 * schema's name as a prefix.
 */
export function tablesToFill(
  { schema, tables }: DumpReader,
  expected: Catalog,
  onServer: Catalog,
): ReadonlyMap<DumpTable, TableToFill> {
  const found = new Map<DumpTable, TableToFill>();
  const indexes = Object.values(expected.tables).flatMap((table) => Object.keys(table.indexes));
  const nameFor = openUniqueNames([...Object.keys(expected.tables), ...indexes]);
  for (const table of tables) {
    const ours = table.schema === schema;
    // SQLite has no tables without columns
    if ((ours && table.name === versionTable) || table.columns.length === 0) continue;
    const expectedTable = ours ? (expected.tables[table.name] ?? null) : null;
    const holdsRows =
      isQuarantineName(table.schema) && table.columns.some(({ name: column }) => column === reasonColumn);
    const elsewhere = holdsRows ? asideTableName(table.schema, table.name) : `${table.schema}.${table.name}`;
    const name = expectedTable === null ? nameFor(ours ? table.name : elsewhere) : table.name;
    const columnNameFor = openUniqueNames(Object.keys(expectedTable?.columns ?? {}));
    const columns = table.columns.map(({ name: column, type }): ColumnToFill => {
      const known = expectedTable !== null && Object.hasOwn(expectedTable.columns, column);
      const wanted = known ? (onServer.tables[table.name]?.columns[column]?.type ?? null) : null;
      const plain = wanted !== null && Object.hasOwn(onServer.enums, wanted) ? 'text' : wanted;
      const present = type ?? plain ?? 'text';
      return {
        name: known ? column : columnNameFor(column),
        type: present,
        conversion: conversionToSqlite(present, plain),
        counts: new Map(),
      };
    });
    found.set(table, {
      name,
      columns,
      expected: expectedTable,
      ownColumns:
        expectedTable === null
          ? []
          : columns.map((column) => column.name).filter((column) => !Object.hasOwn(expectedTable.columns, column)),
      key: Object.values(expectedTable?.constraints ?? {}).flatMap(
        (rule) => /^PRIMARY KEY \((.*)\)$/.exec(rule)?.[1]?.split(', ') ?? [],
      ),
    });
  }
  return found;
}

/** Makes names unique for SQLite, which ignores case in names and reserves some. @param taken names that are in use */
function openUniqueNames(taken: readonly string[]): (wanted: string) => string {
  const used = new Set(taken.map((name) => name.toLowerCase()));
  return (wanted) => {
    const free = wanted.toLowerCase().startsWith('sqlite_') ? `_${wanted}` : wanted;
    let name = free;
    for (let number = 2; used.has(name.toLowerCase()); number++) name = `${free}_${number}`;
    used.add(name.toLowerCase());
    return name;
  };
}

/**
 * The statements that create the tables with their keys and constraints, as far as the dump has the columns. The
 * migration of the new database adds what is missing.
 */
export function createStatements(tables: Iterable<TableToFill>): readonly string[] {
  return [...tables].flatMap((table) => {
    const { name, columns } = table;
    if (table.expected === null) {
      const plain = columns.map((column) => `${quoteName(column.name)} ${sqliteTypeFor(column.type)}`);
      return [`CREATE TABLE ${quoteName(name)} (${plain.join(', ')})`];
    }
    const { create, indexes } = renderTable(name, expectedPart(table, table.expected), 'sqlite');
    const own = columns.filter((column) => table.ownColumns.includes(column.name));
    const added = own.map(
      (column) => `ALTER TABLE ${quoteName(name)} ADD COLUMN ${quoteName(column.name)} ${sqliteTypeFor(column.type)}`,
    );
    return [...create, ...added, ...indexes.filter(isUnique)];
  });
}

/** The statements that create the other indexes, after all rows: so each index is built once. */
export function indexStatements(tables: Iterable<TableToFill>): readonly string[] {
  return [...tables].flatMap((table) =>
    table.expected === null
      ? []
      : renderTable(table.name, expectedPart(table, table.expected), 'sqlite').indexes.filter(
          (index) => !isUnique(index),
        ),
  );
}

const isUnique = (index: string): boolean => index.startsWith('CREATE UNIQUE ');

function expectedPart({ name, columns }: TableToFill, expected: Table): Table {
  const present = new Set(columns.map((column) => column.name));
  const holds = (definition: string): boolean =>
    [...namesIn(tokenize(definition))].every((word) => present.has(word) || !Object.hasOwn(expected.columns, word));
  const constraints = Object.entries(expected.constraints).map(([constraint, definition]): [string, string] => {
    const standIn = acceptedAlternative(name, constraintEffect(definition));
    const isThere = standIn !== null && parseRule(standIn).columns.every((column) => present.has(column));
    return isThere ? [standIn, standIn] : [constraint, definition];
  });
  const only = <Part>(parts: Readonly<Record<string, Part>>, wanted: (of: string, part: Part) => boolean) =>
    Object.fromEntries(Object.entries(parts).filter(([of, part]) => wanted(of, part)));
  return {
    columns: only(expected.columns, (column) => present.has(column)),
    constraints: only(Object.fromEntries(constraints), (_, definition) => holds(definition)),
    indexes: only(expected.indexes, (_, { definition }) => holds(definition)),
  };
}

/** A type of SQLite that keeps the values of an owner's column unchanged. */
function sqliteTypeFor(type: string): string {
  if (/^(?:smallint|integer|bigint)$/.test(type)) return 'INTEGER';
  if (type === 'boolean') return 'BOOLEAN';
  if (type === 'double precision' || type === 'real') return 'FLOAT';
  return type === 'bytea' ? 'BLOB' : 'TEXT';
}
