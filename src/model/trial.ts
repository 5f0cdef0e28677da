import type { Table } from './catalog.ts';

/** A table of the application that bears objects of its owner whose effect on rows has to be tried. */
export interface SuspectTable {
  readonly table: string;
  /** Its columns as they were found. */
  readonly columns: Table['columns'];
  /** The triggers, constraints, indexes and columns that are not the application's, by name. */
  readonly objects: readonly string[];
}
