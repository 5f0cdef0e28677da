import type { Engine, Row, Value } from '../../model/engine.ts';
import type { Session } from '../../database/session.ts';
import type { Inventory } from './inventory.ts';
import { postgresSteps } from './postgres-schema.ts';
import { quoteName } from '../../database/quoting.ts';
import { type Leniency, sqliteSteps } from './sqlite-schema.ts';
import type { ColumnChange, Definition, Key, NewRow, Steps } from './steps.ts';

export type { Definition, Key, NewRow } from './steps.ts';

/** A column's name and definition, in the order of the table. */
export type Columns = Readonly<Record<string, Definition>>;

/** What an index looks like, beside its table and columns. */
export interface IndexOptions {
  readonly name: string;
  readonly unique?: boolean;
  /** The predicate of a partial index. */
  readonly where?: string;
}

/**
 * What a migration works with: umzug's `context`.
 *
 * Every step is guarded: what is there already stays as it is, what is to be dropped may be missing, and a
 * step on a table or column that does not exist is passed over. That is how the application's own history
 * survives databases that drifted; what is missing in the end is found by verification, not here. Steps that
 * can tell whether they did something return it.
 *
 * On PostgreSQL steps wait and go to the server together with the next `run` or `query`, so an error may come
 * later than its step; a `StatementError` names the statement. Names are looked up in the schema `public`,
 * which the connection's search_path must name first. On SQLite steps run at once, and what ALTER TABLE cannot
 * do is done by rebuilding the table (https://sqlite.org/lang_altertable.html#otheralter).
 */
export interface Schema {
  readonly engine: Engine;

  hasTable(table: string): boolean;
  hasColumn(table: string, column: string): boolean;

  /**
   * Creates a table.
   * @param constraints table constraints by name: `{ uq_rates: 'UNIQUE (user_id, project_id)' }`
   * @returns whether it was created
   */
  createTable(table: string, columns: Columns, constraints?: Readonly<Record<string, Definition>>): Promise<boolean>;
  renameTable(from: string, to: string): Promise<boolean>;

  /** Adds one column. @returns whether it was added */
  addColumn(table: string, column: string, definition: Definition): Promise<boolean>;
  /** Adds the columns that are missing. @returns the names of those added */
  addColumns(table: string, columns: Columns): Promise<readonly string[]>;
  /** Renames a column if the old name is there and the new one is not. */
  renameColumn(table: string, from: string, to: string): Promise<boolean>;
  /** Drops a column, and with it the indexes and constraints of its table that use it. */
  dropColumn(table: string, column: string): Promise<boolean>;

  /**
   * The type, e.g. `VARCHAR(50)`; the values are kept, converted as by assignment. On PostgreSQL it fails where
   * a value does not fit, and where only an explicit cast leads to the type.
   */
  setType(table: string, column: string, type: string): Promise<void>;
  setNotNull(table: string, column: string): Promise<void>;
  dropNotNull(table: string, column: string): Promise<void>;
  setDefault(table: string, column: string, expression: string): Promise<void>;
  dropDefault(table: string, column: string): Promise<void>;

  /** Passed over if a column is missing. @returns whether it was created */
  addIndex(table: string, columns: readonly string[], options: IndexOptions): Promise<boolean>;
  dropIndex(name: string): Promise<void>;

  /**
   * Adds a named table constraint: `UNIQUE (code)`, `CHECK (…)`,
   * `FOREIGN KEY (client_id) REFERENCES clients(id) ON DELETE CASCADE`. It counts as there already if the table
   * has a constraint, or the database an index, of that name; on SQLite also if it has the same under another name.
   */
  addConstraint(table: string, name: string, definition: Definition): Promise<boolean>;
  /** Drops a constraint by its name. PostgreSQL only: constraints have no dependable names on SQLite. */
  dropConstraint(table: string, name: string): Promise<void>;
  /** Drops the foreign keys that the column alone makes up, whatever their names. */
  dropForeignKeys(table: string, column: string): Promise<void>;

  /** Creates an enumeration type. PostgreSQL only: on SQLite the column is given another type. */
  createEnum(name: string, values: readonly string[]): Promise<void>;
  /**
   * Gives an enumeration type these labels where it has the same in another case; rows and defaults follow. Labels
   * that are missing altogether are added, others stay. PostgreSQL only.
   */
  relabelEnum(name: string, values: readonly string[]): Promise<void>;

  /**
   * Inserts the rows that are missing, in their order; all rows have the columns of the first. Rows that are there
   * stay as they are. The database numbers the new rows after the highest number of the table, and `created_at` and
   * `updated_at` are the time of the run where no row gives them. Columns that the table lacks are left out.
   * @param keys what tells rows apart: a row is there if another has the same values in the columns of any one key
   */
  insertMissing(table: string, keys: readonly Key[], rows: readonly NewRow[]): Promise<void>;
  /**
   * Lets the database number the next rows of a table after the highest `id`; an `id` without a default is given a
   * sequence. PostgreSQL only: SQLite counts by itself.
   */
  continueNumbering(table: string): Promise<void>;

  /** Any other statements: data moves and what only one engine knows. */
  run(sql: string): Promise<void>;
  query(sql: string, parameters?: readonly Value[]): Promise<Row[]>;
}

/** A schema together with what its runner needs. */
export interface OpenSchema extends Schema {
  /** Runs statements at once or, where steps wait in a queue, along with the next ones. */
  defer(sql: string): Promise<void>;
  /** Sends the steps that still wait. To be called before the transaction commits. */
  flush(): Promise<void>;
}

/** Statements that may make the inventory untrue. */
const containsDdl = /\b(?:CREATE|ALTER|DROP)\b/i;

/**
 * Reads what is in the database and returns the schema to migrate it with, on the caller's transaction.
 * On SQLite the caller sets `PRAGMA foreign_keys = OFF` before the transaction begins.
 */
export async function openSchema(session: Session, leniency: Leniency = { lenient: false }): Promise<OpenSchema> {
  const steps = session.engine === 'postgresql' ? postgresSteps(session) : sqliteSteps(session, leniency);
  const state = { inventory: await steps.inventory() };
  const refresh = async (sql: string): Promise<void> => {
    if (containsDdl.test(sql)) state.inventory = await steps.inventory();
  };

  return {
    engine: steps.engine,
    ...tableSteps(steps, () => state.inventory),
    ...columnSteps(steps, () => state.inventory),
    ...indexAndConstraintSteps(steps, () => state.inventory),

    async run(sql) {
      await steps.run(sql);
      await refresh(sql);
    },
    async query(sql, parameters = []) {
      const rows = await steps.query(sql, parameters);
      await refresh(sql);
      return rows;
    },
    defer: (sql) => steps.execute(sql),
    flush: () => steps.flush(),
  };
}

type TableSteps = Pick<
  Schema,
  'hasTable' | 'createTable' | 'renameTable' | 'createEnum' | 'relabelEnum' | 'insertMissing' | 'continueNumbering'
>;

function tableSteps(steps: Steps, inventory: () => Inventory): TableSteps {
  return {
    hasTable: (table) => inventory().hasTable(table),

    async createTable(table, columns, constraints = {}) {
      if (inventory().hasTable(table)) return false;
      const items = [
        ...Object.entries(columns).map(([name, definition]) => `${quoteName(name)} ${steps.translate(definition)}`),
        ...Object.entries(constraints).map(([name, definition]) => `CONSTRAINT ${quoteName(name)} ${definition}`),
      ];
      await steps.execute(`CREATE TABLE ${quoteName(table)} (\n  ${items.join(',\n  ')}\n)`);
      inventory().addTable(table, Object.keys(columns));
      return true;
    },

    async renameTable(from, to) {
      if (!inventory().hasTable(from) || inventory().hasTable(to)) return false;
      await steps.execute(`ALTER TABLE ${quoteName(from)} RENAME TO ${quoteName(to)}`);
      inventory().renameTable(from, to);
      return true;
    },

    async createEnum(name, values) {
      if (inventory().hasEnum(name)) return;
      await steps.createEnum(name, values);
      inventory().addEnum(name);
    },

    async relabelEnum(name, values) {
      if (inventory().hasEnum(name)) await steps.relabelEnum(name, values);
    },

    async insertMissing(table, keys, rows) {
      const has = (column: string): boolean => inventory().hasColumn(table, column);
      const [first] = rows;
      if (first === undefined || !keys.flat().every(has)) return;
      const times = ['created_at', 'updated_at'].filter((column) => !Object.hasOwn(first, column) && has(column));
      await steps.continueNumbering(table);
      await steps.insertMissing(table, { keys, columns: Object.keys(first).filter(has), times }, rows);
    },

    async continueNumbering(table) {
      if (inventory().hasColumn(table, 'id')) await steps.continueNumbering(table);
    },
  };
}

type ColumnSteps = Pick<
  Schema,
  | 'hasColumn'
  | 'addColumn'
  | 'addColumns'
  | 'renameColumn'
  | 'dropColumn'
  | 'setType'
  | 'setNotNull'
  | 'dropNotNull'
  | 'setDefault'
  | 'dropDefault'
>;

function columnSteps(steps: Steps, inventory: () => Inventory): ColumnSteps {
  const hasColumn = (table: string, column: string): boolean => inventory().hasColumn(table, column);

  const addColumn = async (table: string, column: string, definition: Definition): Promise<boolean> => {
    if (!inventory().hasTable(table) || hasColumn(table, column)) return false;
    await steps.addColumn(table, column, definition);
    inventory().addColumn(table, column);
    return true;
  };

  const alter = async (table: string, change: ColumnChange): Promise<void> => {
    if (hasColumn(table, change.column)) await steps.alterColumn(table, change);
  };

  return {
    hasColumn,
    addColumn,

    async addColumns(table, columns) {
      const added: string[] = [];
      for (const [column, definition] of Object.entries(columns)) {
        if (await addColumn(table, column, definition)) added.push(column);
      }
      return added;
    },

    async renameColumn(table, from, to) {
      if (!hasColumn(table, from) || hasColumn(table, to)) return false;
      await steps.execute(`ALTER TABLE ${quoteName(table)} RENAME COLUMN ${quoteName(from)} TO ${quoteName(to)}`);
      inventory().renameColumn(table, from, to);
      return true;
    },

    async dropColumn(table, column) {
      if (!hasColumn(table, column)) return false;
      await steps.dropColumn(table, column, inventory().indexesOver(table, column));
      inventory().dropColumn(table, column);
      return true;
    },

    setType: (table, column, type) => alter(table, { kind: 'setType', column, type }),
    setNotNull: (table, column) => alter(table, { kind: 'setNotNull', column }),
    dropNotNull: (table, column) => alter(table, { kind: 'dropNotNull', column }),
    setDefault: (table, column, expression) => alter(table, { kind: 'setDefault', column, expression }),
    dropDefault: (table, column) => alter(table, { kind: 'dropDefault', column }),
  };
}

type IndexAndConstraintSteps = Pick<
  Schema,
  'addIndex' | 'dropIndex' | 'addConstraint' | 'dropConstraint' | 'dropForeignKeys'
>;

function indexAndConstraintSteps(steps: Steps, inventory: () => Inventory): IndexAndConstraintSteps {
  return {
    async addIndex(table, columns, { name, unique = false, where }) {
      const complete = columns.every((column) => inventory().hasColumn(table, column));
      if (!complete || inventory().hasIndex(name)) return false;
      const start = unique ? 'CREATE UNIQUE INDEX IF NOT EXISTS' : 'CREATE INDEX IF NOT EXISTS';
      const keys = columns.map(quoteName).join(', ');
      const end = where === undefined ? '' : ` WHERE ${where}`;
      await steps.execute(`${start} ${quoteName(name)} ON ${quoteName(table)} (${keys})${end}`);
      inventory().addIndex(name, table, columns, where);
      return true;
    },

    async dropIndex(name) {
      await steps.execute(`DROP INDEX IF EXISTS ${quoteName(name)}`);
      inventory().dropIndex(name);
    },

    async addConstraint(table, name, definition) {
      if (!inventory().hasTable(table) || inventory().hasIndex(name)) return false;
      if (await steps.hasConstraint(table, name, definition)) return false;
      await steps.addConstraint(table, name, definition);
      return true;
    },

    async dropConstraint(table, name) {
      if (inventory().hasTable(table)) await steps.dropConstraint(table, name);
    },

    async dropForeignKeys(table, column) {
      if (inventory().hasColumn(table, column)) await steps.dropForeignKeys(table, column);
    },
  };
}
