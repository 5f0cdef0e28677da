import { join } from 'node:path';
import { unzipped } from '../../support/fixtures.ts';

const directory = join(import.meta.dirname, '../../fixtures/history');

/** A row in the facts: NULL cells are absent, and the time of the run is `<now>`. */
export type FactRow = Readonly<Record<string, unknown>>;

/** The parts of a table in a history. PostgreSQL and SQLite have different forms. */
export interface Shapes {
  readonly column: unknown;
  readonly constraint: unknown;
  readonly index: unknown;
}

/** A table while the history is applied: its parts by name. */
export interface TableFacts<S extends Shapes> {
  readonly columns: Map<string, S['column']>;
  readonly constraints: Map<string, S['constraint']>;
  readonly indexes: Map<string, S['index']>;
  /** SQLite: table, column, referenced column and action of each foreign key. */
  foreignKeys: readonly (readonly string[])[];
}

/** A database while the history is applied. */
export interface Facts<S extends Shapes> {
  readonly tables: Map<string, TableFacts<S>>;
  readonly enums: Map<string, readonly string[]>;
  readonly rows: Map<string, readonly FactRow[]>;
}

type Parts<Part> = Readonly<Record<string, Part>>;

/** One change that a revision makes to an empty database; names of parts are `table.part`. */
export type Change<S extends Shapes> =
  | {
      readonly createTable: string;
      readonly columns: Parts<S['column']>;
      readonly constraints?: Parts<S['constraint']>;
      readonly indexes: Parts<S['index']>;
      readonly fks?: readonly (readonly string[])[];
    }
  | { readonly dropTable: string }
  | { readonly addColumn: string; readonly is: S['column'] }
  | { readonly alterColumn: string; readonly is: S['column'] }
  | { readonly dropColumn: string }
  | { readonly addConstraint: string; readonly is: S['constraint'] }
  | { readonly alterConstraint: string; readonly is: S['constraint'] }
  | { readonly dropConstraint: string }
  | { readonly addIndex: string; readonly is: S['index'] }
  | { readonly alterIndex: string; readonly is: S['index'] }
  | { readonly dropIndex: string }
  | { readonly foreignKeys: string; readonly is: readonly (readonly string[])[] }
  | { readonly addForeignKey: string; readonly is: readonly string[] }
  | { readonly createEnum: string; readonly values: readonly string[] }
  | { readonly rows: string; readonly added: readonly FactRow[]; readonly gone: readonly FactRow[] };

/** A revision as the application's own history records it. */
export interface RevisionFacts<S extends Shapes> {
  readonly revision: string;
  readonly downRevisions: readonly string[];
  readonly changes: readonly Change<S>[];
}

export interface PostgresShapes extends Shapes {
  readonly column: { readonly type: string; readonly notNull: boolean; readonly default: string | null };
  readonly constraint: string;
  readonly index: string;
}

export interface SqliteShapes extends Shapes {
  readonly column: { readonly type: string; readonly notNull: boolean; readonly pk: number };
  readonly constraint: never;
  /** `origin` is `c` for an index of its own, `u` for a unique rule of the table, `pk` for its primary key. */
  readonly index: { readonly unique: boolean; readonly origin: string; readonly columns: readonly string[] };
}

async function read<S extends Shapes>(engine: 'postgres' | 'sqlite'): Promise<readonly RevisionFacts<S>[]> {
  const history: unknown = JSON.parse(await unzipped(join(directory, `${engine}.json.gz`)));
  if (!isHistory<S>(history)) throw new TypeError(`${engine}.json.gz is no history.`);
  return history;
}

// The file is the project's own, so its form is not checked.
const isHistory = <S extends Shapes>(value: unknown): value is readonly RevisionFacts<S>[] =>
  Array.isArray(value) &&
  value.every((entry) => typeof entry === 'object' && entry !== null && 'revision' in entry && 'changes' in entry);

/** The application's history on PostgreSQL, in an order that respects the graph. */
export const postgresHistory = await read<PostgresShapes>('postgres');

/** The application's history on SQLite, in the same order. It records no rows and no constraints but keys. */
export const sqliteHistory = await read<SqliteShapes>('sqlite');

/** A database before the first revision. */
export const nothing = <S extends Shapes>(): Facts<S> => ({ tables: new Map(), enums: new Map(), rows: new Map() });

/** Brings the facts from one revision to the next, in place. */
export function apply<S extends Shapes>(facts: Facts<S>, changes: readonly Change<S>[]): void {
  for (const change of changes) applyOne(facts, change);
}

function applyOne<S extends Shapes>(facts: Facts<S>, change: Change<S>): void {
  const table = (name: string): TableFacts<S> => {
    const found = facts.tables.get(name);
    if (found === undefined) throw new Error(`The history speaks of ${name} before it is there.`);
    return found;
  };
  const at = (path: string, act: (owner: TableFacts<S>, part: string) => unknown): void => {
    const [owner = '', part = ''] = path.split('.');
    act(table(owner), part);
  };

  if ('createTable' in change) {
    facts.tables.set(change.createTable, {
      columns: new Map(Object.entries(change.columns)),
      constraints: new Map(Object.entries(change.constraints ?? {})),
      indexes: new Map(Object.entries(change.indexes)),
      foreignKeys: change.fks ?? [],
    });
  } else if ('dropTable' in change) facts.tables.delete(change.dropTable);
  else if ('addColumn' in change) at(change.addColumn, ({ columns }, part) => columns.set(part, change.is));
  else if ('alterColumn' in change) at(change.alterColumn, ({ columns }, part) => columns.set(part, change.is));
  else if ('dropColumn' in change) at(change.dropColumn, ({ columns }, part) => columns.delete(part));
  else if ('addConstraint' in change)
    at(change.addConstraint, ({ constraints }, part) => constraints.set(part, change.is));
  else if ('alterConstraint' in change)
    at(change.alterConstraint, ({ constraints }, part) => constraints.set(part, change.is));
  else if ('dropConstraint' in change) at(change.dropConstraint, ({ constraints }, part) => constraints.delete(part));
  else if ('addIndex' in change) at(change.addIndex, ({ indexes }, part) => indexes.set(part, change.is));
  else if ('alterIndex' in change) at(change.alterIndex, ({ indexes }, part) => indexes.set(part, change.is));
  else if ('dropIndex' in change) at(change.dropIndex, ({ indexes }, part) => indexes.delete(part));
  else if ('foreignKeys' in change) table(change.foreignKeys).foreignKeys = change.is;
  else if ('addForeignKey' in change) {
    const owner = table(change.addForeignKey);
    owner.foreignKeys = [...owner.foreignKeys, change.is];
  } else if ('createEnum' in change) facts.enums.set(change.createEnum, change.values);
  else {
    const gone = new Set(change.gone.map(rowKey));
    const kept = (facts.rows.get(change.rows) ?? []).filter((row) => !gone.has(rowKey(row)));
    facts.rows.set(change.rows, [...kept, ...change.added]);
  }
}

/** The same text for the same row, for any order of its cells. */
export const rowKey = (row: FactRow): string =>
  JSON.stringify(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)));
