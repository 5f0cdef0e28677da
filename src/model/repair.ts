import type { Dependent } from './cause.ts';
import type { Difference } from './difference.ts';

/** The fault of rows: no value, a duplicate value, a reference to a missing row, a violated check. */
export type Fault = 'null' | 'duplicate' | 'orphan' | 'violation' | 'no-value';

/** Why a difference is not repaired. */
export type Obstacle =
  | { readonly kind: 'rows'; readonly fault: Fault; readonly rows: number; readonly find: string }
  | { readonly kind: 'type' }
  | { readonly kind: 'key-type' }
  | { readonly kind: 'rights' }
  | { readonly kind: 'name-taken'; readonly by: string }
  /** Other schemas have the table, with rows. PostgreSQL only. */
  | { readonly kind: 'in-other-schema'; readonly schemas: readonly string[] }
  /** The table or column is there under another name: in other case, or as the copy of an interrupted upgrade. */
  | { readonly kind: 'under-other-name'; readonly name: string }
  | { readonly kind: 'other-key'; readonly key: string }
  | { readonly kind: 'part-of-key'; readonly key: string }
  /** A table, or a column as `table.column`. */
  | { readonly kind: 'waits-for'; readonly name: string }
  /** The owner has added it, and must remove it. */
  | { readonly kind: 'owners' }
  /** Views and rules of the owner depend on the present column. */
  | { readonly kind: 'dependents'; readonly objects: readonly Dependent[] }
  /** The correct rows are unknown. */
  | { readonly kind: 'not-made' }
  /** The database refused the change, although no obstacle was found. */
  | { readonly kind: 'rejected'; readonly reason: string };

export interface Unsafe {
  readonly kind: 'unsafe';
  readonly difference: Difference;
  readonly obstacle: Obstacle;
  /** SQL to run by hand, with advice after `--`; empty if there is none. */
  readonly remedy: readonly string[];
}

/** A condition on rows, checked before a repair. */
export interface Condition {
  readonly fault: Fault;
  /** The query that finds the rows that prevent the repair; for duplicates, each value once. */
  readonly find: string;
  /** SQL to run by hand if rows are found, unless it is the statement of the step. */
  readonly remedy?: readonly string[];
}
