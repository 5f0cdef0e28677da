import type { Engine } from '../model/engine.ts';
import type { Catalog, Column, Index, Table } from '../model/catalog.ts';
import { isDeepStrictEqual } from 'node:util';
import type { Graph } from '../migration/graph.ts';

/** The parts of a table that a revision adds or changes, by name; null for parts that it drops. */
interface TableChange {
  readonly columns?: Parts<Column | null>;
  readonly constraints?: Parts<string | null>;
  readonly indexes?: Parts<Index | null>;
}

/** The changes of a revision to the catalog. A renamed table is one that is dropped and one that is added. */
export interface CatalogChange {
  readonly tables?: Parts<TableChange | null>;
  readonly enums?: Parts<readonly string[] | null>;
}

type Parts<Part> = Readonly<Record<string, Part>>;

/**
 * The changes of each revision, by its identifier. The version table is left out, because it identifies no revision.
 */
export type History = Parts<CatalogChange>;

/** The catalog before the first revision. */
export const emptyCatalog: Catalog = { tables: {}, enums: {} };

const emptyTable: Table = { columns: {}, constraints: {}, indexes: {} };

/**
 * The changes of all revisions, written by `npm run release:write`. A third of a megabyte: load it only when needed.
 */
export async function loadHistory(engine: Engine): Promise<History> {
  switch (engine) {
    case 'postgresql':
      return (await import('./history.postgresql.json', { with: { type: 'json' } })).default;
    case 'sqlite':
      return (await import('./history.sqlite.json', { with: { type: 'json' } })).default;
  }
}

/** The expected catalog of a database with these rows in alembic_version. */
export function catalogAt(rows: readonly string[], graph: Graph, history: History): Catalog {
  const executed = graph.withAncestors(rows);
  return graph.revisions
    .filter(({ id }) => executed.has(id))
    .reduce((catalog, { id }) => applyChange(catalog, history[id]), emptyCatalog);
}

/** The catalog after a change; unchanged parts are shared with `before`. */
export function applyChange(before: Catalog, change: CatalogChange = {}): Catalog {
  const tables = mapParts(change.tables ?? {}, (table, name) => {
    if (table === null) return null;
    const { columns, constraints, indexes } = before.tables[name] ?? emptyTable;
    return {
      columns: patch(columns, table.columns),
      constraints: patch(constraints, table.constraints),
      indexes: patch(indexes, table.indexes),
    };
  });
  return { tables: patch(before.tables, tables), enums: patch(before.enums, change.enums) };
}

/** The change that leads from one catalog to another. */
export function changeBetween(before: Catalog, after: Catalog): CatalogChange {
  const tables = mapParts(changedParts(before.tables, after.tables), (table, name) => {
    if (table === null) return null;
    const was = before.tables[name] ?? emptyTable;
    return compact({
      columns: changedParts(was.columns, table.columns),
      constraints: changedParts(was.constraints, table.constraints),
      indexes: changedParts(was.indexes, table.indexes),
    });
  });
  return compact({ tables, enums: changedParts(before.enums, after.enums) });
}

function patch<Part>(before: Parts<Part>, change: Parts<Part | null> = {}): Parts<Part> {
  if (Object.keys(change).length === 0) return before;
  return Object.fromEntries(
    Object.entries({ ...before, ...change }).flatMap(([name, part]) => (part === null ? [] : [[name, part]])),
  );
}

/** The parts that are new or different in `after`, and null for those that are missing there. */
function changedParts<Part>(before: Parts<Part>, after: Parts<Part>): Parts<Part | null> {
  const gone = Object.keys(before).filter((name) => !Object.hasOwn(after, name));
  const set = Object.entries(after).filter(([name, part]) => !isDeepStrictEqual(part, before[name]));
  return Object.fromEntries<Part | null>([...gone.map((name) => [name, null] as const), ...set]);
}

function mapParts<Part, Result>(parts: Parts<Part>, map: (part: Part, name: string) => Result): Parts<Result> {
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, map(part, name)]));
}

/** Removes empty parts, to keep the files small. */
function compact<Change extends Parts<object>>(change: Change): Partial<Change> {
  const kept: Partial<Change> = { ...change };
  for (const [key, parts] of Object.entries(change)) {
    if (Object.keys(parts).length === 0) Reflect.deleteProperty(kept, key);
  }
  return kept;
}
