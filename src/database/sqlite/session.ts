import type { Row, Value } from '../../model/engine.ts';
import SQLite from 'better-sqlite3';
import type { Session } from '../session.ts';

/** SQLite has no booleans: TRUE is 1. */
const bindable = (value: Value): string | number | bigint | null =>
  typeof value === 'boolean' ? Number(value) : value;

/**
 * A session over an open database file, which the caller opens and closes.
 *
 * Values are returned as SQLite stores them: numbers, text, null, and blobs as `Buffer`. The driver is synchronous, so
 * nothing else runs in this process during a statement. Errors are the driver's `SqliteError`.
 */
export function sqliteSession(database: SQLite.Database): Session {
  return {
    engine: 'sqlite',

    async run(sql: string): Promise<void> {
      withPathInError(database, () => database.exec(sql));
    },

    async query(sql: string, parameters: readonly Value[] = []): Promise<Row[]> {
      const statement = database.prepare<unknown[], Row>(sql);
      // SQLite reads `$1` as a parameter named "1"
      const named = Object.fromEntries(parameters.map((value, index) => [index + 1, bindable(value)]));
      const bound = parameters.length === 0 ? [] : [named];
      return withPathInError(database, () => {
        if (statement.reader) return statement.all(...bound);
        statement.run(...bound);
        return [];
      });
    },
  };
}

/** Runs `work`, and adds the path of the database to the error of a full disk: SQLite does not name it. */
export function withPathInError<Result>(database: SQLite.Database, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SQLite.SqliteError) || error.code !== 'SQLITE_FULL') throw error;
    throw new SQLite.SqliteError(`there is no room left for ${database.name} (${error.message})`, error.code);
  }
}
