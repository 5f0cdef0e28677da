import type { Engine } from '../database/session.ts';
import { versionTable } from '../schema/catalog.ts';
import { loadHistory } from '../schema/history.ts';
import { loadHead } from '../schema/promise.ts';

/** What in the schema is the application's, by name: whatever any of its revisions has ever made there. */
export interface Possessions {
  readonly isTable: (name: string) => boolean;
  readonly isEnum: (name: string) => boolean;
  /** A sequence that no column owns any more. */
  readonly isSequence: (name: string) => boolean;
  /** Whether the head has a table of that name, so that nothing else may bear it. */
  readonly isNeeded: (name: string) => boolean;
}

/** Reads what is the application's from the history that this release knows. */
export async function loadPossessions(engine: Engine): Promise<Possessions> {
  const [head, history] = await Promise.all([loadHead(engine), loadHistory(engine)]);
  const changes = Object.values(history);
  const namesOf = (parts: readonly (object | undefined)[]): Set<string> =>
    new Set(parts.flatMap((part) => Object.keys(part ?? {})));
  const tables = namesOf([head.tables, ...changes.map((change) => change.tables)]).add(versionTable);
  const enums = namesOf([head.enums, ...changes.map((change) => change.enums)]);
  const sequences = new Set([...tables].map((table) => `${table}_id_seq`));
  // what an upgrade by the application's own tool leaves of a table on SQLite if it is cut off
  const unfinished = '_alembic_tmp_';
  return {
    isTable: (name) => tables.has(name.startsWith(unfinished) ? name.slice(unfinished.length) : name),
    isEnum: (name) => enums.has(name),
    isSequence: (name) => sequences.has(name),
    isNeeded: (name) => name === versionTable || Object.hasOwn(head.tables, name),
  };
}
