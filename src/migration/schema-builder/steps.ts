import type { Engine, Row, Value } from '../../model/engine.ts';
import { shownDetail } from '../../database/postgres/server-detail.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import { reasonOf } from '../../errors/failure.ts';
import type { Inventory } from './inventory.ts';

/**
 * The definition of a column or a table constraint, as in CREATE TABLE, in SQL that both engines accept:
 * `VARCHAR(50) NOT NULL DEFAULT 'open'`, `INTEGER REFERENCES users(id) ON DELETE SET NULL`.
 *
 * Four types are translated for SQLite: `SERIAL PRIMARY KEY`, `JSONB`, `INTERVAL` and `DOUBLE PRECISION`.
 */
export type Definition = string;

/** A row to insert: column → value. */
export type NewRow = Readonly<Record<string, Value>>;

/** Columns whose values identify a row. */
export type Key = readonly string[];

/** For new rows: the columns with given values, those that are set to the time of the run, and the keys. */
export interface Insertion {
  readonly columns: readonly string[];
  readonly times: readonly string[];
  readonly keys: readonly Key[];
}

/** A change of an existing column. */
export type ColumnChange =
  | { readonly kind: 'setType'; readonly column: string; readonly type: string }
  | { readonly kind: 'setNotNull'; readonly column: string }
  | { readonly kind: 'dropNotNull'; readonly column: string }
  | { readonly kind: 'setDefault'; readonly column: string; readonly expression: string }
  | { readonly kind: 'dropDefault'; readonly column: string };

/** How an engine executes the steps of a schema builder, without guards. */
export interface Steps {
  readonly engine: Engine;
  inventory(): Promise<Inventory>;
  /** Executes one statement at once, or at the latest with the next `run`, `query` or `flush`. */
  execute(statement: string): Promise<void>;
  translate(definition: Definition): string;
  addColumn(table: string, column: string, definition: Definition): Promise<void>;
  /** @param indexes the names of the indexes over the column */
  dropColumn(table: string, column: string, indexes: readonly string[]): Promise<void>;
  alterColumn(table: string, change: ColumnChange): Promise<void>;
  hasConstraint(table: string, name: string, definition: Definition): Promise<boolean>;
  addConstraint(table: string, name: string, definition: Definition): Promise<void>;
  dropConstraint(table: string, name: string): Promise<void>;
  dropForeignKeys(table: string, column: string): Promise<void>;
  createEnum(name: string, values: readonly string[]): Promise<void>;
  relabelEnum(name: string, values: readonly string[]): Promise<void>;
  insertMissing(table: string, insertion: Insertion, rows: readonly NewRow[]): Promise<void>;
  continueNumbering(table: string): Promise<void>;
  run(sql: string): Promise<void>;
  query(sql: string, parameters: readonly Value[]): Promise<Row[]>;
  flush(): Promise<void>;
}

/**
 * The statement that inserts a row unless a row with one of its keys exists. A unique constraint that the owner
 * added counts as a key, too (ON CONFLICT DO NOTHING).
 * @param literal renders a value in the SQL of the engine
 */
export function insertIfMissing(
  table: string,
  { columns, times, keys }: Insertion,
  row: NewRow,
  literal: (value: Value) => string,
): string {
  const valueOf = (column: string): Value => row[column] ?? null;
  const equals = (column: string): string =>
    valueOf(column) === null ? `${quoteName(column)} IS NULL` : `${quoteName(column)} = ${literal(valueOf(column))}`;
  const same = keys.map((key) => `(${key.map(equals).join(' AND ')})`).join(' OR ');
  const names = [...columns, ...times].map(quoteName).join(', ');
  const values = [...columns.map((column) => literal(valueOf(column))), ...times.map(() => 'CURRENT_TIMESTAMP')];
  return `INSERT INTO ${quoteName(table)} (${names}) SELECT ${values.join(', ')}
    WHERE NOT EXISTS (SELECT 1 FROM ${quoteName(table)} WHERE ${same}) ON CONFLICT DO NOTHING`;
}

/** A statement that the database rejected; `cause` is the driver's error. */
export class StatementError extends Error {
  override readonly name = 'StatementError';
  readonly statement: string;

  constructor(statement: string, cause: unknown) {
    const excerpt = statement.length > 300 ? `${statement.slice(0, 300)}…` : statement;
    super(`${messageOf(cause)}, in: ${excerpt}`, { cause });
    this.statement = statement;
  }
}

/** The message of the database, with its DETAIL. */
function messageOf(error: unknown): string {
  const detail = error instanceof Error && 'detail' in error && typeof error.detail === 'string' ? error.detail : '';
  return detail === '' ? reasonOf(error) : `${reasonOf(error)}: ${shownDetail(detail).replace(/\.$/, '')}`;
}
