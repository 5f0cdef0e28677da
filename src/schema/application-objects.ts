import type { Engine } from '../model/engine.ts';
import type { Catalog } from '../model/catalog.ts';
import { versionTable } from './catalog.ts';
import { type History, loadHistory } from './history.ts';
import { loadHead } from './expected-schema.ts';

/** Decides which objects in the schema are the application's: those that any of its revisions has created. */
export interface ApplicationObjects {
  /**
   * Whether a table is the application's by name and columns: it has all columns that this table had in every revision.
   */
  readonly isApplicationTable: (name: string, columns: readonly string[]) => boolean;
  /** Whether an enum type has the labels that any revision gave it. */
  readonly isApplicationEnum: (name: string, labels: readonly string[]) => boolean;
  readonly isTable: (name: string) => boolean;
  readonly isEnum: (name: string) => boolean;
  /** Whether a sequence that no column owns has the name of one of the application's. */
  readonly isSequence: (name: string) => boolean;
  /** Whether the head has a table of that name, so that no other object may have it. */
  readonly isNeededAtHead: (name: string) => boolean;
}

/** Loads the application's objects from the history of this release. */
export async function loadApplicationObjects(engine: Engine): Promise<ApplicationObjects> {
  const [head, history] = await Promise.all([loadHead(engine), loadHistory(engine)]);
  return applicationObjectsOf(head, history);
}

/** Like `loadApplicationObjects`, from data that is loaded already. Pure. */
export function applicationObjectsOf(head: Catalog, history: History): ApplicationObjects {
  const changes = Object.values(history);
  const namesOf = (parts: readonly (object | undefined)[]): Set<string> =>
    new Set(parts.flatMap((part) => Object.keys(part ?? {})));
  const tables = namesOf([head.tables, ...changes.map((change) => change.tables)]).add(versionTable);
  const enums = namesOf([head.enums, ...changes.map((change) => change.enums)]);
  const sequences = new Set([...tables].map((table) => `${table}_id_seq`));
  // prefix of the temporary table that Alembic leaves on SQLite after an interrupted upgrade
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

/** The columns that each table had in its first revision and in all later ones. */
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
