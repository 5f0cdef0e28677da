import { readdir } from 'node:fs/promises';
import { release, unzipped } from './fixtures.ts';

/** A cell in the file: a number, a boolean, or for all other types the text that the database prints. */
export type Cell = string | number | boolean | null;

export type CellRow = Readonly<Record<string, Cell>>;

export interface UpgradedColumn {
  readonly type: string;
  readonly notNull: boolean;
  readonly default: string | null;
  /** SQLite: the position in the primary key, from 1; 0 if the column is not part of it. */
  readonly pk?: number;
}

export interface UpgradedSqliteIndex {
  readonly unique: boolean;
  /** As in `PRAGMA index_list`: `c` for CREATE INDEX, `u` for a UNIQUE constraint, `pk` for a primary key. */
  readonly origin: string;
  readonly columns: readonly string[];
  readonly sql?: string | null;
}

export interface UpgradedForeignKey {
  readonly id: number;
  readonly table: string;
  readonly from: string;
  readonly to: string | null;
  readonly onDelete: string;
}

/** A table of PostgreSQL or, with `foreignKeys`, of SQLite. */
export type UpgradedTable =
  | {
      readonly foreignKeys?: never;
      readonly columns: Readonly<Record<string, UpgradedColumn>>;
      readonly constraints: Readonly<Record<string, string>>;
      readonly indexes: Readonly<Record<string, string>>;
    }
  | {
      readonly sql?: string;
      readonly columns: Readonly<Record<string, UpgradedColumn>>;
      readonly indexes: Readonly<Record<string, UpgradedSqliteIndex>>;
      readonly foreignKeys: readonly UpgradedForeignKey[];
    };

/** A database after the application's own upgrade. */
export interface UpgradedDatabase {
  readonly alembic_version: readonly string[];
  /** The first and the last moment of the upgrade, `YYYY-MM-DDTHH:MM:SS.ffffff` in UTC; absent where it was not recorded. */
  readonly window_utc?: readonly string[];
  /** Table → column → the primary keys of the rows that hold the time of the upgrade. */
  readonly volatile: Readonly<Record<string, Readonly<Record<string, readonly (readonly Cell[])[]>>>>;
  readonly enums?: Readonly<Record<string, readonly string[]>>;
  /** PostgreSQL: the last value of each sequence; null if it was never used. */
  readonly sequences?: Readonly<Record<string, number | null>>;
  readonly views?: Readonly<Record<string, string>>;
  readonly tables: Readonly<Record<string, UpgradedTable>>;
  /** Sorted by primary key. Tables without rows are absent. */
  readonly rows: Readonly<Record<string, readonly CellRow[]>>;
}

/** Reads the databases that the application's own upgrades made of a release's database, by file name. */
export async function readUpgradedDatabases(
  engine: 'pg' | 'sqlite',
  tag: string,
): Promise<ReadonlyMap<string, UpgradedDatabase>> {
  const names = (await readdir(release(engine, tag, '.'))).filter((file) => file.startsWith('after'));
  const databases = new Map<string, UpgradedDatabase>();
  for (const name of names) {
    const database: unknown = JSON.parse(await unzipped(release(engine, tag, name)));
    if (!isUpgradedDatabase(database)) throw new TypeError(`${tag}/${name} does not describe a database.`);
    databases.set(name, database);
  }
  return databases;
}

// The file belongs to this project, so only its main keys are checked.
const isUpgradedDatabase = (value: unknown): value is UpgradedDatabase =>
  typeof value === 'object' && value !== null && 'tables' in value && 'rows' in value && 'volatile' in value;
