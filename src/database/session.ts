/** The two database engines that TimeTracker runs on. */
export type Engine = 'postgresql' | 'sqlite';

/** What a statement may be given as a parameter. */
export type Value = string | number | bigint | boolean | null;

/** A row as the driver returned it: untrusted, to be parsed by who asked for it. */
export type Row = Readonly<Record<string, unknown>>;

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
