/** An object of a database as it was when it was measured. */
export interface MeasuredObject {
  /** Null for what holds no rows of its own: a view, a function, a type. */
  readonly rows: number | null;
  /** A digest of the rows, whatever their order; null where none could be made. */
  readonly content: string | null;
  /** A digest of its definition, its owner and what is granted on it. */
  readonly definition: string;
}

/** Numbers and digests that show whether a database was changed since it was put aside. */
export interface Measurement {
  /** The rows of alembic_version; none if there is no such table. */
  readonly revisions: readonly string[];
  /** A SHA-256 of a SQLite file and its side files; null on PostgreSQL. */
  readonly file: string | null;
  /** By name: a table by its own, anything else with its kind before it. Null for a file that is no readable database. */
  readonly objects: Readonly<Record<string, MeasuredObject>> | null;
}

/** Numbers and a digest that show whether uploaded files were changed since they were put aside. */
export interface MeasuredUploads {
  readonly files: number;
  readonly bytes: number;
  /** Of the path, the size and the modification time of each file; not of its content. */
  readonly digest: string;
}

/** A difference between two measurements of the same database. */
export type Change =
  | { readonly kind: 'gone' | 'new' | 'content' | 'definition'; readonly object: string }
  | { readonly kind: 'rows'; readonly object: string; readonly before: number; readonly now: number }
  | { readonly kind: 'revisions'; readonly before: readonly string[]; readonly now: readonly string[] }
  /** The file is another one, though every table has as many rows and the same definition. */
  | { readonly kind: 'file' }
  /** The uploads that were in a folder; null if they are gone. */
  | {
      readonly kind: 'uploads';
      readonly folder: string;
      readonly before: MeasuredUploads;
      readonly now: MeasuredUploads | null;
    }
  /** It could be measured before, and cannot be now. */
  | { readonly kind: 'unreadable'; readonly reason: string };
