/** The tables without which nothing of the application works (recovery document, "Detection Logic"). */
export const coreTables: readonly string[] = ['users', 'projects', 'time_entries', 'settings', 'clients'];

/** Where the application's migrations record what was applied. */
export const versionTable = 'alembic_version';

/** A column: `type` in the engine's own spelling, `default` as the engine prints it; `identity` for such a column. */
export interface Column {
  readonly type: string;
  readonly notNull: boolean;
  readonly default: string | null;
}

/** An index that no constraint owns. */
export interface Index {
  /** Unique or not, method, columns or expressions, predicate, in one canonical text without the name. */
  readonly definition: string;
  /** False for what an interrupted CREATE INDEX CONCURRENTLY leaves behind. */
  readonly valid: boolean;
}

/** A table: its columns, constraints and indexes by name. */
export interface Table {
  readonly columns: Readonly<Record<string, Column>>;
  /**
   * Name → definition. On SQLite a constraint that has no name is called by its definition; so is every constraint of a
   * catalog that was observed there, for only the text of the table's statement has the names.
   */
  readonly constraints: Readonly<Record<string, string>>;
  readonly indexes: Readonly<Record<string, Index>>;
  /** Set where the role that looks may not read it, though it sees that it is there. PostgreSQL only. */
  readonly unreadable?: true;
}

/** The tables of the application's schema and its enumeration types. */
export interface Catalog {
  readonly tables: Readonly<Record<string, Table>>;
  readonly enums: Readonly<Record<string, readonly string[]>>;
}
