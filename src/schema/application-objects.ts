import type { Engine } from '../model/engine.ts';
import type { Catalog } from '../model/catalog.ts';
import { versionTable } from './catalog.ts';
import { type History, loadHistory } from './history.ts';
import { loadHead } from './expected-schema.ts';

/** What in the schema is the application's, by name: whatever any of its revisions has ever made there. */
export interface ApplicationObjects {
  /** Whether a table is the application's by more than its name: it has every column that such a table always had. */
  readonly isApplicationTable: (name: string, columns: readonly string[]) => boolean;
  /** Whether an enumeration type has the labels that some revision gave it. */
  readonly isApplicationEnum: (name: string, labels: readonly string[]) => boolean;
  readonly isTable: (name: string) => boolean;
  readonly isEnum: (name: string) => boolean;
  /** A sequence that no column owns any more. */
  readonly isSequence: (name: string) => boolean;
  /** Whether the head has a table of that name, so that nothing else may bear it. */
  readonly isNeededAtHead: (name: string) => boolean;
}

/** Reads what is the application's from the history that this release knows. */
export async function loadApplicationObjects(engine: Engine): Promise<ApplicationObjects> {
  const [head, history] = await Promise.all([loadHead(engine), loadHistory(engine)]);
  return applicationObjectsOf(head, history);
}

/** As `loadPossessions`, from what was loaded. Pure. */
export function applicationObjectsOf(head: Catalog, history: History): ApplicationObjects {
  const changes = Object.values(history);
  const namesOf = (parts: readonly (object | undefined)[]): Set<string> =>
    new Set(parts.flatMap((part) => Object.keys(part ?? {})));
  const tables = namesOf([head.tables, ...changes.map((change) => change.tables)]).add(versionTable);
  const enums = namesOf([head.enums, ...changes.map((change) => change.enums)]);
  const sequences = new Set([...tables].map((table) => `${table}_id_seq`));
  // what an upgrade by the application's own tool leaves of a table on SQLite if it is cut off
  const unfinished = '_alembic_tmp_';
  const lasting = lastingColumns(history);
  const labels = changes.flatMap((change) => Object.entries(change.enums ?? {}));
  return {
    isApplicationTable: (name, columns) => lasting.get(name)?.every((column) => columns.includes(column)) ?? false,
    isApplicationEnum: (name, found) =>
      labels.some(([known, values]) => known === name && values?.join('\n') === found.join('\n')),
    isTable: (name) => tables.has(name.startsWith(unfinished) ? name.slice(unfinished.length) : name),
    isEnum: (name) => enums.has(name),
    isSequence: (name) => sequences.has(name),
    isNeededAtHead: (name) => name === versionTable || Object.hasOwn(head.tables, name),
  };
}

/** The columns that a table had from its first revision on and in every later one, by table. */
function lastingColumns(history: History): ReadonlyMap<string, readonly string[]> {
  const lasting = new Map<string, readonly string[]>();
  for (const { tables = {} } of Object.values(history)) {
    for (const [name, table] of Object.entries(tables)) {
      if (table === null) continue;
      const columns = Object.entries(table.columns ?? {});
      const first = columns.flatMap(([column, definition]) => (definition === null ? [] : [column]));
      const gone = new Set(columns.flatMap(([column, definition]) => (definition === null ? [column] : [])));
      lasting.set(
        name,
        (lasting.get(name) ?? first).filter((column) => !gone.has(column)),
      );
    }
  }
  return lasting;
}
