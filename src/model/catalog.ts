/** The tables without which the application does not work (recovery document, "Detection Logic"). */
export const coreTables: readonly string[] = ['users', 'projects', 'time_entries', 'settings', 'clients'];

/** The table in which the application's migrations record the applied revisions. */
export const versionTable = 'alembic_version';

/** A column: `type` and `default` in the form that the engine prints; `identity` for an identity column. */
export interface Column {
  readonly type: string;
  readonly notNull: boolean;
  readonly default: string | null;
}

/** An index that no constraint owns. */
export interface Index {
  /** Uniqueness, method, columns or expressions, and predicate, as one canonical text without the name. */
  readonly definition: string;
  /** False after an interrupted CREATE INDEX CONCURRENTLY. */
  readonly valid: boolean;
}

export interface Table {
  readonly columns: Readonly<Record<string, Column>>;
  /**
   * Name → definition. On SQLite the definition stands for a missing name. So it does for every
   * constraint of an observed table on SQLite, unless the table has exactly the expected statement: only statements
   * contain the names.
   */
  readonly constraints: Readonly<Record<string, string>>;
  readonly indexes: Readonly<Record<string, Index>>;
  /** Set if the role sees that the table exists, but may not read it. PostgreSQL only. */
  readonly unreadable?: true;
}

/** The tables and enumeration types of the application's schema. */
export interface Catalog {
  readonly tables: Readonly<Record<string, Table>>;
  readonly enums: Readonly<Record<string, readonly string[]>>;
}
