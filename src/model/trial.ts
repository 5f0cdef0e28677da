import type { Table } from './catalog.ts';

/** A table of the application with objects of the owner whose effect on rows must be tried. */
export interface SuspectTable {
  readonly table: string;
  /** Its present columns. */
  readonly columns: Table['columns'];
  /** The triggers, constraints, indexes and columns that are not the application's, by name. */
  readonly objects: readonly string[];
}
