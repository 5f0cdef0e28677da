import type { Engine, Value, Row } from '../model/engine.ts';

/**
 * One connection on which statements run one after the other.
 *
 * Statements are written once for both engines if both accept them. Parameters are `$1`, `$2`, … on both. Dates, times,
 * numerics and JSON come back as the database's own text, booleans on SQLite as 0 and 1.
 */
export interface Session {
  readonly engine: Engine;

  /** Runs one or more statements, separated by semicolons, in one round trip. Rows are discarded. */
  run(sql: string): Promise<void>;

  /**
   * Runs one statement and returns its rows. PostgreSQL also runs several statements in one round trip, if there are no
   * parameters, and returns the rows of the last one.
   */
  query(sql: string, parameters?: readonly Value[]): Promise<Row[]>;
}
