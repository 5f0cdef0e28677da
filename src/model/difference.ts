import type { Column } from './catalog.ts';
import type { Attachment } from './database-facts.ts';

/** One difference between a database and the schema of its revision. */
export type Difference =
  | { readonly kind: 'missing-table'; readonly table: string }
  | { readonly kind: 'unreadable-table'; readonly table: string }
  | { readonly kind: 'missing-column'; readonly table: string; readonly column: string; readonly expected: Column }
  | {
      readonly kind: 'different-type';
      readonly table: string;
      readonly column: string;
      readonly expected: string;
      readonly found: string;
    }
  /** A narrower type than expected, whose values all fit into the expected one. PostgreSQL only. */
  | {
      readonly kind: 'narrower-type';
      readonly table: string;
      readonly column: string;
      readonly expected: string;
      readonly found: string;
    }
  | { readonly kind: 'must-be-not-null'; readonly table: string; readonly column: string }
  | { readonly kind: 'missing-sequence'; readonly table: string; readonly column: string }
  | { readonly kind: 'must-be-nullable'; readonly table: string; readonly column: string }
  | {
      readonly kind: 'missing-constraint';
      readonly table: string;
      readonly name: string;
      readonly definition: string;
    }
  | { readonly kind: 'missing-index'; readonly table: string; readonly name: string; readonly definition: string }
  | { readonly kind: 'invalid-index'; readonly table: string; readonly name: string }
  | { readonly kind: 'missing-enum'; readonly name: string; readonly values: readonly string[] }
  /** Rows or a default contain a label that the application does not know. */
  | { readonly kind: 'unknown-label'; readonly table: string; readonly column: string; readonly label: string }
  /** New rows would get existing numbers. */
  | { readonly kind: 'sequence-behind'; readonly table: string; readonly column: string }
  /** A table has none of the rows that a revision inserts. */
  | { readonly kind: 'missing-rows'; readonly table: string }
  /** An object of the owner refuses or loses writes of the application. */
  | { readonly kind: 'obstruction'; readonly attachment: Attachment };

/** Objects that are not in the expected catalog: they belong to the owner, are reported, and never changed. */
export interface Extras {
  readonly tables: readonly string[];
  /** `table.column` */
  readonly columns: readonly string[];
  /** `table.index`, compared by their effect. */
  readonly indexes: readonly string[];
}

/** An object that other revisions have, but not the compared one. */
export type Unexpected =
  | { readonly kind: 'unexpected-table'; readonly table: string }
  | { readonly kind: 'unexpected-column'; readonly table: string; readonly column: string };

/** One difference between a database and a revision. */
export type Mismatch = Difference | Unexpected;
