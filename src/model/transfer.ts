import type { Engine } from './engine.ts';

/** Why a value of one engine is none that a column of the other one holds. */
export type MisfitRule =
  | 'null'
  | 'boolean'
  | 'integer'
  | 'number'
  | 'range'
  /** Of a decimal number, which SQLite keeps as a `double`. */
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
  /** JSON that a `jsonb` would not keep completely. */
  | 'jsonb'
  | 'label';

/** Rows of one table that the other engine does not hold, for one reason. */
export interface Misfits {
  readonly table: string;
  /** The column, or those that the broken rule is about. */
  readonly columns: readonly string[];
  /** `follows`: what a row refers to does not fit. */
  readonly rule: MisfitRule | 'unique' | 'check' | 'reference' | 'follows';
  /** The column's type, or the rule, as SQL. */
  readonly expected: string;
  readonly rows: number;
  /** Some of them: the key of the row, and the beginning of the value unless it may be a secret. */
  readonly examples: readonly { readonly key: string; readonly value: string | null }[];
}

/** What is worth telling of a value that fits: it was written in another way than the other engine writes it. */
export type Conversion =
  | 'word'
  | 'label-case'
  | 'midnight-of-date'
  | 'rounded'
  | 'offset'
  | 'date-of-midnight'
  | 'text-of-bytes'
  | 'text-of-number';

/** What was loaded out of a database of the other engine, and compared with it. */
export interface Loaded {
  /** That it was loaded into. */
  readonly engine: Engine;
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
  /** What was set aside, in a schema, or in tables whose names begin with `place`; null if nothing was. */
  readonly aside: { readonly place: string; readonly misfits: readonly Misfits[] } | null;
}
