import type { Engine, Row, Value } from '../../model/engine.ts';
import type { Session } from '../../database/session.ts';
import type { Inventory } from './inventory.ts';
import { postgresSteps } from './postgres-schema.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import { type Leniency, sqliteSteps } from './sqlite-schema.ts';
import type { ColumnChange, Definition, Key, NewRow, Steps } from './steps.ts';

export type { Definition, Key, NewRow } from './steps.ts';

/** Names and definitions of columns, in the order of the table. */
export type Columns = Readonly<Record<string, Definition>>;

/** The properties of an index besides its table and columns. */
export interface IndexOptions {
  readonly name: string;
  readonly unique?: boolean;
  /** The predicate of a partial index. */
  readonly where?: string;
}

/**
 * The schema builder of a migration: umzug's `context`.
 *
 * Every step has a guard: an existing object is not created again, a missing one is not dropped, and a step on a
 * table or column that does not exist is skipped. In this way the application's own migrations also run in databases
 * that have drifted; the verification finds the objects that are missing at the end. Some steps return whether they
 * changed the schema.
 *
 * On PostgreSQL the steps wait in a queue and are sent together with the next `run` or `query`, so an error may be
 * raised later than its step; a `StatementError` names the statement. Names are looked up in the current schema. On
 * SQLite the steps run at once, and a change that ALTER TABLE does not support is made by rebuilding the table
 * (https://sqlite.org/lang_altertable.html#otheralter).
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
  /** Adds the missing columns. @returns the names of the added ones */
  addColumns(table: string, columns: Columns): Promise<readonly string[]>;
  /** Renames a column if the old name exists and the new one does not. */
  renameColumn(table: string, from: string, to: string): Promise<boolean>;
  /** Drops a column, and the indexes and constraints of its table that use it. */
  dropColumn(table: string, column: string): Promise<boolean>;

  /**
   * Changes the type, e.g. to `VARCHAR(50)`; values are converted as by an assignment. On PostgreSQL it fails if a
   * value does not fit, or if the conversion needs an explicit cast.
   */
  setType(table: string, column: string, type: string): Promise<void>;
  setNotNull(table: string, column: string): Promise<void>;
  dropNotNull(table: string, column: string): Promise<void>;
  setDefault(table: string, column: string, expression: string): Promise<void>;
  dropDefault(table: string, column: string): Promise<void>;

  /** Creates an index, unless a column is missing. @returns whether it was created */
  addIndex(table: string, columns: readonly string[], options: IndexOptions): Promise<boolean>;
  dropIndex(name: string): Promise<void>;

  /**
   * Adds a named table constraint: `UNIQUE (code)`, `CHECK (…)`,
   * `FOREIGN KEY (client_id) REFERENCES clients(id) ON DELETE CASCADE`. It counts as existing if the table has a
   * constraint of that name, or the database an index; on SQLite also if the table has the same constraint under
   * another name.
   */
  addConstraint(table: string, name: string, definition: Definition): Promise<boolean>;
  /** Drops a constraint by its name. PostgreSQL only: on SQLite names of constraints are not reliable. */
  dropConstraint(table: string, name: string): Promise<void>;
  /** Drops the foreign keys that consist of this column only, under any name. */
  dropForeignKeys(table: string, column: string): Promise<void>;

  /** Creates an enum type. PostgreSQL only: on SQLite the column has another type. */
  createEnum(name: string, values: readonly string[]): Promise<void>;
  /**
   * Changes labels of an enum type that differ from these only in case; rows and defaults follow. Missing labels are
   * added, others stay. PostgreSQL only.
   */
  relabelEnum(name: string, values: readonly string[]): Promise<void>;

  /**
   * Inserts the missing rows, in their order; all rows have the columns of the first. Existing rows are not changed.
   * The database numbers the new rows after the highest id of the table. `created_at` and `updated_at` are the time
   * of the run, unless the rows give them. Columns that the table lacks are left out.
   * @param keys a row exists if another row has the same values in the columns of any of these keys
   */
  insertMissing(table: string, keys: readonly Key[], rows: readonly NewRow[]): Promise<void>;
  /**
   * Sets the sequence of a table after its highest `id`; an `id` without a default gets a sequence. PostgreSQL only:
   * SQLite does that by itself.
   */
  continueNumbering(table: string): Promise<void>;

  /** Runs any other statements: changes of rows, and statements that only one engine has. */
  run(sql: string): Promise<void>;
  query(sql: string, parameters?: readonly Value[]): Promise<Row[]>;
}

/** A schema builder with the function that the migrator needs. */
export interface OpenSchema extends Schema {
  /** Sends the waiting steps. Must be called before the commit. */
  flush(): Promise<void>;
}

/** Matches statements that may change the inventory. */
const containsDdl = /\b(?:CREATE|ALTER|DROP)\b/i;

/**
 * Reads the inventory of the database, and returns a schema builder that works in the caller's transaction. On SQLite
 * the caller has to set `PRAGMA foreign_keys = OFF` before the transaction begins.
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
