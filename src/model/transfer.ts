import type { Engine } from './engine.ts';

/** Why a value of one engine does not fit into a column of the other. */
export type MisfitRule =
  | 'null'
  | 'boolean'
  | 'integer'
  | 'number'
  | 'range'
  /** For a decimal number, which SQLite stores as a `double`. */
  | 'digits'
  | 'timestamp'
  | 'date'
  | 'time'
  | 'interval'
  | 'length'
  | 'nul'
  | 'encoding'
  | 'binary'
  | 'json'
  /** JSON of which `jsonb` would lose a part. */
  | 'jsonb'
  | 'label';

/** Rows of one table that do not fit into the other engine, for one reason. */
export interface Misfits {
  readonly table: string;
  /** The column, or the columns of the violated constraint. */
  readonly columns: readonly string[];
  /** `follows`: the row refers to a row that does not fit. */
  readonly rule: MisfitRule | 'unique' | 'check' | 'reference' | 'follows';
  /** The type of the column, or the constraint, as SQL. */
  readonly expected: string;
  readonly rows: number;
  /** Examples: the key of the row, and the beginning of the value unless it may be a secret. */
  readonly examples: readonly { readonly key: string; readonly value: string | null }[];
}

/** The kind of a conversion: the value was written in another form. */
export type Conversion =
  | 'word'
  | 'label-case'
  | 'midnight-of-date'
  | 'rounded'
  | 'offset'
  | 'date-of-midnight'
  | 'text-of-bytes'
  | 'text-of-number';

/** The rows that were loaded from a database of the other engine and compared with it. */
export interface Loaded {
  readonly engine: Engine;
  readonly tables: number;
  readonly rows: number;
  /** The size of the rows in the form that PostgreSQL prints. */
  readonly bytes: number;
  readonly seconds: number;
  /** The number of conversions of each kind, by `table.column`. */
  readonly conversions: readonly {
    readonly column: string;
    readonly conversion: Conversion;
    readonly values: number;
  }[];
  /** Tables and columns (`table.column`) of the owner, which were copied as plain columns. */
  readonly extras: { readonly tables: readonly string[]; readonly columns: readonly string[] };
  /** The rows that were set aside, in the schema `quarantine` or in tables with that prefix; null if there are none. */
  readonly aside: { readonly quarantine: string; readonly misfits: readonly Misfits[] } | null;
}
