/** Why a value of SQLite's is none that a column of PostgreSQL holds. */
export type MisfitRule =
  | 'null'
  | 'boolean'
  | 'integer'
  | 'number'
  | 'range'
  | 'timestamp'
  | 'date'
  | 'time'
  | 'interval'
  | 'length'
  | 'nul'
  | 'encoding'
  | 'binary'
  | 'json'
  | 'label';

/** Rows of one table that PostgreSQL does not hold, for one reason. */
export interface Misfits {
  readonly table: string;
  /** The column, or those that the broken rule is about. */
  readonly columns: readonly string[];
  /** `follows`: what a row refers to does not fit. */
  readonly rule: MisfitRule | 'unique' | 'check' | 'reference' | 'follows';
  /** The column's type, or the rule, as SQL. */
  readonly promised: string;
  readonly rows: number;
  /** Some of them: the key of the row, and the beginning of the value unless it may be a secret. */
  readonly examples: readonly { readonly key: string; readonly value: string | null }[];
}

/** What is worth telling of a value that fits: it was written in another way than PostgreSQL writes it. */
export type Conversion = 'word' | 'rounded' | 'offset' | 'date-of-midnight' | 'text-of-bytes' | 'text-of-number';

/** What was loaded out of a SQLite database, and compared with it. */
export interface Loaded {
  readonly tables: number;
  readonly rows: number;
  /** Of the rows as PostgreSQL prints them. */
  readonly bytes: number;
  readonly seconds: number;
  /** How often each conversion was made, by `table.column`. */
  readonly conversions: readonly {
    readonly column: string;
    readonly conversion: Conversion;
    readonly values: number;
  }[];
  /** The owner's: columns as `table.column`. They came along as plain columns. */
  readonly extras: { readonly tables: readonly string[]; readonly columns: readonly string[] };
  /** What was set aside; null if nothing was. */
  readonly aside: { readonly schema: string; readonly misfits: readonly Misfits[] } | null;
}
