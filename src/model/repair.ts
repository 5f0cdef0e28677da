import type { Dependent } from './cause.ts';
import type { Difference } from './difference.ts';

/** What is wrong with rows: no value, the same value again, a reference to nothing, a check not passed. */
export type Fault = 'null' | 'duplicate' | 'orphan' | 'violation' | 'no-value';

/** Why a difference is not repaired. */
export type Obstacle =
  | { readonly kind: 'rows'; readonly fault: Fault; readonly rows: number; readonly find: string }
  | { readonly kind: 'type' }
  | { readonly kind: 'key-type' }
  | { readonly kind: 'rights' }
  | { readonly kind: 'name-taken'; readonly by: string }
  | { readonly kind: 'other-key'; readonly key: string }
  | { readonly kind: 'part-of-key'; readonly key: string }
  | { readonly kind: 'waits-for'; readonly column: string }
  /** The owner added it, and has to remove it. */
  | { readonly kind: 'owners' }
  /** Views and rules of the owner's need the column as it is. */
  | { readonly kind: 'dependents'; readonly objects: readonly Dependent[] }
  /** What the rows should be is not known. */
  | { readonly kind: 'not-made' }
  /** The database refused, although no obstacle was found. */
  | { readonly kind: 'rejected'; readonly reason: string };

/** A difference that is not repaired automatically. */
export interface Unsafe {
  readonly kind: 'unsafe';
  readonly difference: Difference;
  readonly obstacle: Obstacle;
  /** SQL to run by hand; what follows `--` says what to mind. Empty where there is none. */
  readonly remedy: readonly string[];
}

/** A condition on rows, checked before a repair. */
export interface Condition {
  readonly fault: Fault;
  /** The query that finds the rows in the way; of duplicates it finds each value once. */
  readonly find: string;
  /** SQL to run by hand where rows are found, if it is not what the step would do. */
  readonly remedy?: readonly string[];
}
