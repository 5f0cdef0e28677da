import { readdir } from 'node:fs/promises';
import { release, unzipped } from './fixtures.ts';

/** A cell as the file keeps it: numbers and booleans, everything else as the database's own text. */
export type Cell = string | number | boolean | null;

export type CellRow = Readonly<Record<string, Cell>>;

export interface AfterColumn {
  readonly type: string;
  readonly notNull: boolean;
  readonly default: string | null;
  /** SQLite: the place in the primary key, from 1; 0 for none. */
  readonly pk?: number;
}

export interface AfterSqliteIndex {
  readonly unique: boolean;
  /** `c` for an index of its own, `u` for a unique rule of the table, `pk` for its primary key. */
  readonly origin: string;
  readonly columns: readonly string[];
  readonly sql?: string | null;
}

export interface AfterForeignKey {
  readonly id: number;
  readonly table: string;
  readonly from: string;
  readonly to: string | null;
  readonly onDelete: string;
}

/** A table of PostgreSQL or, with `foreignKeys`, of SQLite. */
export type AfterTable =
  | {
      readonly foreignKeys?: never;
      readonly columns: Readonly<Record<string, AfterColumn>>;
      readonly constraints: Readonly<Record<string, string>>;
      readonly indexes: Readonly<Record<string, string>>;
    }
  | {
      readonly sql?: string;
      readonly columns: Readonly<Record<string, AfterColumn>>;
      readonly indexes: Readonly<Record<string, AfterSqliteIndex>>;
      readonly foreignKeys: readonly AfterForeignKey[];
    };

/** A database after the application's own upgrade. */
export interface After {
  readonly alembic_version: readonly string[];
  /** Table → column → the primary keys of the rows whose cell is the time of that run. */
  readonly volatile: Readonly<Record<string, Readonly<Record<string, readonly (readonly Cell[])[]>>>>;
  readonly enums?: Readonly<Record<string, readonly string[]>>;
  /** PostgreSQL: the last value that each sequence gave; null for none yet. */
  readonly sequences?: Readonly<Record<string, number | null>>;
  readonly views?: Readonly<Record<string, string>>;
  readonly tables: Readonly<Record<string, AfterTable>>;
  /** By primary key; tables without rows are absent. */
  readonly rows: Readonly<Record<string, readonly CellRow[]>>;
}

/** What the application's own upgrades made of a release's database, by file: as far as its releases went, or never. */
export async function readAfters(engine: 'pg' | 'sqlite', tag: string): Promise<ReadonlyMap<string, After>> {
  const names = (await readdir(release(engine, tag, '.'))).filter((file) => file.startsWith('after'));
  const afters = new Map<string, After>();
  for (const name of names) {
    const after: unknown = JSON.parse(await unzipped(release(engine, tag, name)));
    if (!isAfter(after)) throw new TypeError(`${tag}/${name} does not describe a database.`);
    afters.set(name, after);
  }
  return afters;
}

// The file is the project's own: what it is made of is not looked at more closely.
const isAfter = (value: unknown): value is After =>
  typeof value === 'object' && value !== null && 'tables' in value && 'rows' in value && 'volatile' in value;
