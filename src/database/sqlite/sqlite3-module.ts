import type SQLite from 'better-sqlite3';
import { withPathInError } from './session.ts';

/** The result of a statement: the `this` of its callback. */
class Statement {
  readonly lastID: number;
  readonly changes: number;

  constructor({ lastInsertRowid, changes }: SQLite.RunResult) {
    this.lastID = Number(lastInsertRowid);
    this.changes = changes;
  }
}

type Done = (this: Statement, error: Error | null, rows?: readonly unknown[]) => void;

/** Parameters by position, or by names that begin with `$`. */
type Parameters = readonly unknown[] | Readonly<Record<string, unknown>>;

const nothing = new Statement({ lastInsertRowid: 0, changes: 0 });

/** SQLite has no booleans: TRUE is 1. */
const bindable = (value: unknown): unknown => (typeof value === 'boolean' ? Number(value) : value);

/** Converts parameters for better-sqlite3, whose parameter names have no `$`. */
function bound(parameters: Parameters): unknown[] {
  if (Array.isArray(parameters)) return parameters.map(bindable);
  const named = Object.entries(parameters).map(([name, value]) => [name.replace(/^[$:@]/, ''), bindable(value)]);
  return named.length === 0 ? [] : [Object.fromEntries(named)];
}

/**
 * The part of the API of the package `sqlite3` that Sequelize uses, on top of an open file. Its statements run within
 * the open transaction. The caller that opened the file closes it.
 */
export function sqlite3Module(opened: SQLite.Database) {
  /** Runs `work` and calls `done` with its result, before returning: the driver is synchronous. */
  const answer = (done: Done | undefined, work: () => { statement?: Statement; rows?: readonly unknown[] }): void => {
    let outcome;
    try {
      outcome = withPathInError(opened, work);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      done?.call(nothing, error);
      return;
    }
    done?.call(outcome.statement ?? nothing, null, outcome.rows);
  };

  return {
    OPEN_READWRITE: 2,
    OPEN_CREATE: 4,
    Database: class {
      constructor(_file: string, _mode: number, ready: (error: Error | null) => void) {
        // asynchronous, because the caller needs the new object first
        setImmediate(ready, null);
      }

      /** Runs a statement and discards its rows; `this` of the callback has `lastID` and `changes`. */
      run(sql: string, parameters: Parameters = [], done?: Done): this {
        answer(done, () => ({ statement: new Statement(opened.prepare(sql).run(...bound(parameters))) }));
        return this;
      }

      /** Runs a statement and passes its rows to the callback. */
      all(sql: string, parameters: Parameters | Done = [], done?: Done): this {
        const callback = typeof parameters === 'function' ? parameters : done;
        const values = typeof parameters === 'function' ? [] : bound(parameters);
        answer(callback, () => {
          const statement = opened.prepare(sql);
          return statement.reader
            ? { rows: statement.all(...values) }
            : { statement: new Statement(statement.run(...values)), rows: [] };
        });
        return this;
      }

      /** Runs several statements, separated by semicolons. */
      exec(sql: string, done?: Done): this {
        answer(done, () => {
          opened.exec(sql);
          return {};
        });
        return this;
      }

      /** Statements always run one after the other. */
      serialize(work: () => void): void {
        work();
      }

      close(done?: Done): void {
        done?.call(nothing, null);
      }
    },
  };
}
