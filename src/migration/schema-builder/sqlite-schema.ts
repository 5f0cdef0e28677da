import type { Row, Value } from '../../model/engine.ts';
import { hasCode } from '../../errors/error-code.ts';
import type { Session } from '../../database/session.ts';
import { createInventory, text, type Inventory } from './inventory.ts';
import { quoteName, quoteText } from '../../platform/sql-quoting.ts';
import { keyword, tokenize } from './sql-tokens.ts';
import {
  breaksRule,
  isBeingRebuilt,
  leaveOutConstraints,
  rebuildTable,
  storedTable,
  withPlainIndex,
} from './sqlite-rebuild.ts';
import { insertIfMissing, StatementError, type Steps } from './steps.ts';
import { hasConstraint, type TableChange } from './table-text.ts';

const columnQuery = `
  SELECT t.name AS "table", c.name AS "column" FROM sqlite_master t JOIN pragma_table_xinfo(t.name) c
    WHERE t.type = 'table' AND t.rootpage > 0`;
const indexQuery = `SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL`;

/** If rows violate a constraint, a revision leaves it out (`lenient`), or fails. */
export interface Leniency {
  readonly lenient: boolean;
}

/** The steps of SQLite. They run at once. */
export function sqliteSteps(plain: Session, leniency: Leniency): Steps {
  const session = leniency.lenient ? withoutBrokenRules(namingStatements(plain)) : namingStatements(plain);
  const rebuild = (table: string, change: TableChange): Promise<void> => rebuildTable(session, table, change, leniency);
  const alterTable = (table: string, action: string): Promise<void> =>
    session.run(`ALTER TABLE ${quoteName(table)} ${action}`);

  return {
    engine: 'sqlite',
    execute: (statement) => session.run(statement),
    run: (sql) => session.run(sql),
    query: (sql, parameters) => session.query(sql, parameters),
    flush: async () => {},
    inventory: async () => readInventory(await session.query(columnQuery), await session.query(indexQuery)),
    translate,

    async addColumn(table, column, definition) {
      const translated = translate(definition);
      // which columns SQLite can add depends on its version and on the rows, so ADD COLUMN is tried first
      await alterTable(table, `ADD COLUMN ${quoteName(column)} ${translated}`).catch((error: unknown) => {
        if (!isRefusal(error)) throw error;
        return rebuild(table, { kind: 'addColumn', column, definition: translated });
      });
    },

    async dropColumn(table, column, indexes) {
      for (const index of indexes) await session.run(`DROP INDEX ${quoteName(index)}`);
      await alterTable(table, `DROP COLUMN ${quoteName(column)}`).catch((error: unknown) => {
        if (!isRefusal(error)) throw error;
        // a rebuild would leave a view or trigger that does not compile any more
        if (error instanceof Error && /error in (?:view|trigger) .* after drop column/.test(error.message)) throw error;
        return rebuild(table, { kind: 'dropColumn', column });
      });
    },

    alterColumn: (table, change) =>
      rebuild(table, change.kind === 'setType' ? { ...change, type: translate(change.type) } : change),

    hasConstraint: async (table, name, definition) =>
      hasConstraint((await storedTable(session, table)).definition, name, definition),
    addConstraint: (table, name, definition) => rebuild(table, { kind: 'addConstraint', name, definition }),
    dropConstraint: async () => {},
    dropForeignKeys: (table, column) => rebuild(table, { kind: 'dropForeignKeys', column }),
    createEnum: async () => {},
    relabelEnum: async () => {},

    async insertMissing(table, insertion, rows) {
      for (const row of rows) await session.run(insertIfMissing(table, insertion, row, literal));
    },
    continueNumbering: async () => {},
  };
}

const literal = (value: Value): string => (typeof value === 'string' ? quoteText(value) : String(value ?? 'NULL'));

/** Whether SQLite does not support a statement; a full disk or a damaged file has another code. */
function isRefusal(error: unknown): boolean {
  return hasCode(error instanceof StatementError ? error.cause : error, 'SQLITE_ERROR');
}

/**
 * Wraps a session: it creates a plain index instead of a unique index that rows violate, and changes rows of a table
 * without its constraints if the changed rows violate one.
 */
function withoutBrokenRules(session: Session): Session {
  return {
    ...session,
    async run(sql) {
      const tables = changedTables(sql);
      if (tables.length > 0) await session.run('SAVEPOINT change');
      try {
        await session.run(sql);
      } catch (error) {
        const plain = withPlainIndex(sql);
        if (!breaksRule(error) || (plain === sql && tables.length === 0)) throw error;
        if (tables.length > 0) await session.run('ROLLBACK TO change');
        for (const table of tables) await leaveOutConstraints(session, table);
        await session.run(plain);
      }
      if (tables.length > 0) await session.run('RELEASE change');
    },
  };
}

/** The tables whose rows the statements change. A rebuild leaves out constraints by itself. */
function changedTables(sql: string): readonly string[] {
  const found = sql.matchAll(/(?:^|;)\s*(?:UPDATE|INSERT\s+INTO)\s+"?(\w+)/gi);
  return [...new Set(Array.from(found, ([, table = '']) => table))].filter((table) => !isBeingRebuilt(table));
}

/** Wraps a session: its errors name the statement that failed. */
function namingStatements(session: Session): Session {
  const naming =
    (sql: string) =>
    (error: unknown): never => {
      throw new StatementError(sql, error);
    };
  return {
    engine: session.engine,
    run: (sql) => session.run(sql).catch(naming(sql)),
    query: (sql, parameters) => session.query(sql, parameters).catch(naming(sql)),
  };
}

const words: readonly (readonly [readonly string[], string])[] = [
  [['SERIAL', 'PRIMARY', 'KEY'], 'INTEGER NOT NULL PRIMARY KEY'],
  [['DOUBLE', 'PRECISION'], 'FLOAT'],
  [['JSONB'], 'JSON'],
  [['INTERVAL'], 'DATETIME'],
];

/** Replaces PostgreSQL's types in a definition by those that the application's models use on SQLite. */
function translate(definition: string): string {
  const tokens = tokenize(definition);
  let sql = '';
  for (let index = 0; index < tokens.length;) {
    const match = words.find(([from]) => from.every((word, offset) => keyword(tokens[index + 2 * offset]) === word));
    sql += match === undefined ? tokens[index]?.text : match[1];
    // skip the space tokens too: there is one between two words
    index += match === undefined ? 1 : 2 * match[0].length - 1;
  }
  return sql;
}

function readInventory(columns: readonly Row[], indexes: readonly Row[]): Inventory {
  // names in SQLite are case-insensitive
  const inventory = createInventory((name) => name.toLowerCase());
  for (const row of columns) {
    if (!inventory.hasTable(text(row, 'table'))) inventory.addTable(text(row, 'table'), []);
    inventory.addColumn(text(row, 'table'), text(row, 'column'));
  }
  for (const row of indexes) {
    const sql = text(row, 'sql');
    inventory.addIndex(text(row, 'name'), text(row, 'tbl_name'), [], sql.slice(sql.search(/\sON\s/i)));
  }
  return inventory;
}
