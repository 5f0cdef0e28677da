import type { Column } from './catalog.ts';
import type { Attachment } from './database-facts.ts';

/** One way in which a database differs from the schema of its revision. */
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
  /** A type that holds less than the expected one, and every value of which fits into that. PostgreSQL only. */
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
  /** Rows or a default hold a label that the application does not know. */
  | { readonly kind: 'unknown-label'; readonly table: string; readonly column: string; readonly label: string }
  /** New rows would get numbers that are taken. */
  | { readonly kind: 'sequence-behind'; readonly table: string; readonly column: string }
  /** A table has none of the rows that a revision makes. */
  | { readonly kind: 'missing-rows'; readonly table: string }
  /** Something that is not the application's refuses or loses what it writes. */
  | { readonly kind: 'obstruction'; readonly attachment: Attachment };

/** What a database has beyond the expected catalog: the owner's, noted and never touched. */
export interface Extras {
  readonly tables: readonly string[];
  /** `table.column` */
  readonly columns: readonly string[];
  /** `table.index`; known by what they do, as above. */
  readonly indexes: readonly string[];
}

/** Something that other revisions have, and the one that is compared with does not. */
export type Unexpected =
  | { readonly kind: 'unexpected-table'; readonly table: string }
  | { readonly kind: 'unexpected-column'; readonly table: string; readonly column: string };

/** One way in which a database differs from a revision that it is compared with. */
export type Mismatch = Difference | Unexpected;
