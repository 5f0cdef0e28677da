/** The measurement of one object of a database. */
export interface MeasuredObject {
  /** Null for an object without rows: a view, a function, a type. */
  readonly rows: number | null;
  /** A hash of the rows, independent of their order; null if it could not be computed. */
  readonly content: string | null;
  /** A hash of its definition, owner and grants. */
  readonly definition: string;
}

/** Numbers and hashes that show whether a database was changed after a restore has kept it. */
export interface Measurement {
  /** The rows of alembic_version; empty if there is no such table. */
  readonly revisions: readonly string[];
  /** A SHA-256 of a SQLite file and its side files; null on PostgreSQL. */
  readonly file: string | null;
  /** By name, with the kind as a prefix except for tables. Null if the file is no readable database. */
  readonly objects: Readonly<Record<string, MeasuredObject>> | null;
}

/** Numbers and a hash that show whether uploaded files were changed after a restore has kept them. */
export interface MeasuredUploads {
  readonly files: number;
  readonly bytes: number;
  /** A hash of the path, size and modification time of each file, not of its content. */
  readonly digest: string;
}

/** A difference between two measurements of the same database. */
export type Change =
  | { readonly kind: 'gone' | 'new' | 'content' | 'definition'; readonly object: string }
  | { readonly kind: 'rows'; readonly object: string; readonly before: number; readonly now: number }
  | { readonly kind: 'revisions'; readonly before: readonly string[]; readonly now: readonly string[] }
  /** The file differs, although every table has the same number of rows and the same definition. */
  | { readonly kind: 'file' }
  /** The former uploads of a folder; null if they are missing. */
  | {
      readonly kind: 'uploads';
      readonly folder: string;
      readonly before: MeasuredUploads;
      readonly now: MeasuredUploads | null;
    }
  /** The database could be measured before, but not now. */
  | { readonly kind: 'unreadable'; readonly reason: string }
  | { readonly kind: 'uploads-unreadable'; readonly folder: string; readonly message: string }
  /** The file was a SQLite database, and is none now. */
  | { readonly kind: 'no-database' };
