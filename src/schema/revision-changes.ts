import type { Catalog, Table } from '../model/catalog.ts';
import { versionTable } from './catalog.ts';

/** The changes between two catalogs; names as `table`, `table.column`, `table.constraint` or `table.index`. */
export interface CatalogChanges {
  readonly createdTables: readonly string[];
  readonly droppedTables: readonly string[];
  readonly addedColumns: readonly string[];
  readonly droppedColumns: readonly string[];
  /** Columns with another type, nullability or default. */
  readonly changedColumns: readonly string[];
  /** Constraints and indexes of tables that existed before, by name. */
  readonly addedRules: readonly string[];
  readonly droppedRules: readonly string[];
}

/**
 * Compares two catalogs of the same database. A renamed table or column is one that is dropped and one that is added.
 */
export function findChanges(before: Catalog, after: Catalog): CatalogChanges {
  const earlier = tablesOf(before);
  const later = tablesOf(after);
  const kept = [...earlier].flatMap(([name, table]) => {
    const next = later.get(name);
    return next === undefined ? [] : [{ name, table, next }];
  });
  return {
    createdTables: [...later.keys()].filter((name) => !earlier.has(name)),
    droppedTables: [...earlier.keys()].filter((name) => !later.has(name)),
    addedColumns: kept.flatMap(({ name, table, next }) => missingFrom(table.columns, next.columns, name)),
    droppedColumns: kept.flatMap(({ name, table, next }) => missingFrom(next.columns, table.columns, name)),
    changedColumns: kept.flatMap(({ name, table, next }) =>
      Object.entries(table.columns).flatMap(([column, definition]) => {
        const changed = next.columns[column];
        return changed === undefined || JSON.stringify(changed) === JSON.stringify(definition)
          ? []
          : [`${name}.${column}`];
      }),
    ),
    addedRules: kept.flatMap(({ name, table, next }) => missingFrom(rulesOf(table), rulesOf(next), name)),
    droppedRules: kept.flatMap(({ name, table, next }) => missingFrom(rulesOf(next), rulesOf(table), name)),
  };
}

function tablesOf({ tables }: Catalog): ReadonlyMap<string, Table> {
  return new Map(Object.entries(tables).filter(([name]) => name !== versionTable));
}

function rulesOf({ constraints, indexes }: Table): Readonly<Record<string, unknown>> {
  return { ...constraints, ...indexes };
}

/** The keys of `others` that are missing in `some`, after the name of the table. */
function missingFrom(
  some: Readonly<Record<string, unknown>>,
  others: Readonly<Record<string, unknown>>,
  table: string,
): string[] {
  return Object.keys(others)
    .filter((name) => !Object.hasOwn(some, name))
    .map((name) => `${table}.${name}`);
}
