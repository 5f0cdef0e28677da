import SQLite from 'better-sqlite3';
import type { SqliteValue } from '../conversion/to-sqlite.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import { withPathInError } from './session.ts';

export interface ConstraintViolation {
  readonly rule: 'null' | 'unique' | 'check';
  /** From SQLite's message: `clients.name`, or the name of an index or a check. */
  readonly about: string;
}

/** Fills a new database file that no other process uses yet, in one transaction. */
export interface RowWriter {
  run(sql: string): void;
  /**
   * Prepares an INSERT.
   * @returns a function that inserts a row; it returns the violated constraint, or null on success
   */
  into(table: string, columns: readonly string[]): (row: readonly (SqliteValue | null)[]) => ConstraintViolation | null;
  holdsTable(name: string): boolean;
  /** The rows of a query that returns only texts. */
  texts(sql: string): readonly (readonly (string | null)[])[];
  commit(): void;
  close(): void;
}

/** Constraint violations by SQLite's result codes ("Result and Error Codes"). */
const rules: Readonly<Record<string, ConstraintViolation['rule']>> = {
  SQLITE_CONSTRAINT_NOTNULL: 'null',
  SQLITE_CONSTRAINT_UNIQUE: 'unique',
  SQLITE_CONSTRAINT_PRIMARYKEY: 'unique',
  SQLITE_CONSTRAINT_ROWID: 'unique',
  SQLITE_CONSTRAINT_CHECK: 'check',
};

/** Opens a file, or creates it. The caller has to fsync it. */
export function openWriter(file: string): RowWriter {
  const database = new SQLite(file);
  // after an interruption the file is not used again
  database.pragma('synchronous = OFF');
  database.pragma('foreign_keys = OFF');
  database.exec('BEGIN');
  return {
    run: (sql) => withPathInError(database, () => void database.exec(sql)),
    into(table, columns) {
      const names = columns.map(quoteName).join(', ');
      const statement = database.prepare(
        `INSERT INTO ${quoteName(table)} (${names}) VALUES (${columns.map(() => '?').join(', ')})`,
      );
      return (row) => {
        try {
          withPathInError(database, () => statement.run(row));
          return null;
        } catch (error) {
          const rule = error instanceof SQLite.SqliteError ? rules[error.code] : undefined;
          if (rule === undefined || !(error instanceof Error)) throw error;
          return { rule, about: error.message.replace(/^[^:]*: /, '') };
        }
      };
    },
    holdsTable: (name) => database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(name) !== undefined,
    texts: (sql) => database.prepare<[], (string | null)[]>(sql).raw().all(),
    commit: () => withPathInError(database, () => void database.exec('COMMIT')),
    close: () => void database.close(),
  };
}
