import type { Catalog, Table } from '../model/catalog.ts';
import { versionTable } from './catalog.ts';

/** How a catalog became another one; names as `table`, `table.column`, `table.rule`. */
export interface CatalogChanges {
  readonly createdTables: readonly string[];
  readonly droppedTables: readonly string[];
  readonly addedColumns: readonly string[];
  readonly droppedColumns: readonly string[];
  /** Type, nullability or default. */
  readonly changedColumns: readonly string[];
  /** Constraints and indexes of tables that were there before, by what they do. */
  readonly addedRules: readonly string[];
  readonly droppedRules: readonly string[];
}

/** Compares two looks at the same database. A renamed table or column is one that went and one that came. */
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

/** The names that the second of two records has beyond the first. */
function missingFrom(
  some: Readonly<Record<string, unknown>>,
  others: Readonly<Record<string, unknown>>,
  table: string,
): string[] {
  return Object.keys(others)
    .filter((name) => !Object.hasOwn(some, name))
    .map((name) => `${table}.${name}`);
}
