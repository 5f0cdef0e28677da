import type { Engine } from '../model/engine.ts';
import type { Catalog, Table } from '../model/catalog.ts';
import { versionTable } from '../schema/catalog.ts';
import { addConstraints, renderEnum, renderTable, sequenceOf, targetOf } from './schema-builder/catalog-sql.ts';
import { quoteName, quoteText } from '../platform/sql-quoting.ts';

/** The rows that the migrations insert into an empty database, by table. `<now>` stands for the time of the run. */
export type SeedRows = Readonly<Record<string, readonly Readonly<Record<string, SeedValue>>[]>>;

export type SeedValue = string | number | boolean | null;

/** The placeholder for the time of the run in `SeedRows`. */
export const runTime = '<now>';

/**
 * The statements that create the schema of the head in an empty database at once, instead of revision by revision.
 * Everything is derived from the catalog of the head; a test checks that the result equals that of the migrations.
 */
export function renderBaseline(head: Catalog, seed: SeedRows, engine: Engine): readonly string[] {
  const present = new Set<string>();
  const tables = inDependencyOrder(head.tables).map(([name, table]) => {
    present.add(name);
    return renderTable(name, table, engine, present);
  });
  return [
    ...Object.entries(head.enums).map(([name, values]) => renderEnum(name, values)),
    ...tables.flatMap(({ create }) => create),
    ...[...present].flatMap((name) => insertRows(name, seed[name] ?? [])),
    ...tables.flatMap(({ indexes, foreignKeys }) => [...indexes, ...foreignKeys]),
    ...(engine === 'postgresql' ? Object.keys(seed).flatMap((name) => advanceSequence(name, head.tables[name])) : []),
  ];
}

/**
 * The statements for the schema of the head, in two sections as in a dump of pg_dump. Rows are loaded between the two,
 * because loading is fastest into tables without keys.
 */
export interface SchemaSections {
  /** Types, and the tables with only their columns. */
  readonly preData: readonly string[];
  /** Keys and checks, then indexes, then foreign keys: each part needs those before it. */
  readonly postData: readonly string[];
}

/** Renders the schema of the head for an empty PostgreSQL database, without seed rows. */
export function renderSections(head: Catalog): SchemaSections {
  const tables = Object.entries(head.tables).filter(([name]) => name !== versionTable);
  const bare = tables.map(([name, table]) => renderTable(name, { ...table, constraints: {} }, 'postgresql'));
  const constraintsWhere = (isWanted: (definition: string) => boolean): readonly string[] =>
    tables.flatMap(([name, { constraints }]) =>
      addConstraints(
        name,
        Object.entries(constraints).filter(([, definition]) => isWanted(definition)),
      ),
    );
  const isForeignKey = (definition: string): boolean => targetOf(definition) !== null;
  return {
    preData: [
      ...Object.entries(head.enums).map(([name, values]) => renderEnum(name, values)),
      ...bare.flatMap(({ create }) => create),
    ],
    postData: [
      ...constraintsWhere((definition) => !isForeignKey(definition)),
      ...bare.flatMap(({ indexes }) => indexes),
      ...constraintsWhere(isForeignKey),
    ],
  };
}

/** Sorts tables: each comes after the tables that it refers to, except in cycles. */
function inDependencyOrder(tables: Catalog['tables']): readonly [string, Table][] {
  const visited = new Set([versionTable]);
  const visit = (name: string): [string, Table][] => {
    const table = tables[name];
    if (table === undefined || visited.has(name)) return [];
    visited.add(name);
    const before = Object.values(table.constraints).flatMap((rule) => visit(targetOf(rule) ?? name));
    return [...before, [name, table]];
  };
  return Object.keys(tables).flatMap(visit);
}

function insertRows(name: string, rows: SeedRows[string]): string[] {
  if (rows.length === 0) return [];
  const columns = Object.keys(rows[0] ?? {});
  const tuples = rows.map((row) => `(${columns.map((column) => valueText(row[column] ?? null)).join(', ')})`);
  return [`INSERT INTO ${quoteName(name)} (${columns.map(quoteName).join(', ')}) VALUES ${tuples.join(', ')}`];
}

/**
 * The statements for an operator who inserts the seed rows of a table that has lost all of them. The rows get new ids,
 * and refer to other rows by name.
 */
export function seedStatements(name: string, seed: SeedRows): readonly string[] {
  const rows = seed[name] ?? [];
  if (name !== 'role_permissions') return insertRows(name, rows.map(withoutNumber));
  const nameOf = (table: string, id: SeedValue | undefined): string =>
    quoteText(String(seed[table]?.find((row) => row['id'] === id)?.['name']));
  const pairs = rows.map(
    (row) => `(${nameOf('roles', row['role_id'])}, ${nameOf('permissions', row['permission_id'])})`,
  );
  return [
    'INSERT INTO "role_permissions" ("role_id", "permission_id", "created_at") ' +
      'SELECT r.id, p.id, CURRENT_TIMESTAMP FROM roles r, permissions p ' +
      `WHERE (r.name, p.name) IN (VALUES ${pairs.join(', ')})`,
  ];
}

function withoutNumber(row: SeedRows[string][number]): SeedRows[string][number] {
  return Object.fromEntries(Object.entries(row).filter(([column]) => column !== 'id'));
}

function valueText(value: SeedValue): string {
  if (value === runTime) return 'CURRENT_TIMESTAMP';
  return typeof value === 'string' ? quoteText(value) : String(value ?? 'NULL').toUpperCase();
}

/** Sets the sequence to the next free id, because inserts with explicit ids do not advance it. */
function advanceSequence(name: string, table: Table | undefined): string[] {
  return Object.entries(table?.columns ?? {}).flatMap(([column, { default: expression }]) => {
    const sequence = sequenceOf(expression);
    return sequence === null
      ? []
      : [`SELECT setval('${sequence}', (SELECT max(${quoteName(column)}) FROM ${quoteName(name)}))`];
  });
}
