import type { Engine, Value, Row } from '../model/engine.ts';

/**
 * One connection on which statements run one after the other.
 *
 * Statements are written once for both engines wherever the engines agree. Parameters are `$1`, `$2`, … on
 * both. Dates, times, numerics and JSON come back as the database's own text, booleans on SQLite as 0 and 1.
 */
export interface Session {
  readonly engine: Engine;

  /** Runs one or more statements, separated by semicolons, in one round trip; their rows are dropped. */
  run(sql: string): Promise<void>;

  /** Runs one statement and returns its rows (none, for a statement that returns none). */
  query(sql: string, parameters?: readonly Value[]): Promise<Row[]>;
}
