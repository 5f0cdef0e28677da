import type { Row, Value } from '../../model/engine.ts';
import { currentSchema } from '../../database/current-schema.ts';
import type { Session } from '../../database/session.ts';
import { type EnumColumn, relabelEnum } from './relabel-enum.ts';
import { createInventory, text, type Inventory } from './inventory.ts';
import { quoteName, quoteText } from '../../platform/sql-quoting.ts';
import { optionalText } from '../../database/row-values.ts';
import { insertIfMissing, StatementError, type ColumnChange, type Steps } from './steps.ts';

// One row for each table and column, for each index and each column that it uses, and for each enum type.
const inventoryQuery = `
  SELECT 'table' AS kind, t.relname::text AS name, t.relname::text AS "table", NULL::text AS "column"
    FROM pg_class t WHERE t.relnamespace = ${currentSchema} AND t.relkind IN ('r', 'p')
  UNION ALL
  SELECT 'column', a.attname::text, t.relname::text, a.attname::text
    FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE t.relnamespace = ${currentSchema} AND t.relkind IN ('r', 'p')
  UNION ALL
  SELECT 'index', i.relname::text, t.relname::text, a.attname::text
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND (a.attnum = ANY (x.indkey)
      OR coalesce(x.indexprs, x.indpred) IS NOT NULL AND EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.oid
          AND d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid AND d.refobjsubid = a.attnum))
    WHERE i.relnamespace = ${currentSchema}
  UNION ALL
  SELECT 'enum', typname::text, NULL, NULL
    FROM pg_type WHERE typnamespace = ${currentSchema} AND typtype = 'e'`;

// A unique constraint also needs its name for its index, and another index may have that name already.
const constraintQuery = (table: string, name: string): string => `
  SELECT 1 FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
    WHERE t.relnamespace = ${currentSchema} AND t.relname = ${literal(table)} AND c.conname = ${literal(name)}
  UNION ALL
  SELECT 1 FROM pg_class
    WHERE relnamespace = ${currentSchema} AND relkind IN ('i', 'I') AND relname = ${literal(name)}`;

const foreignKeyQuery = (table: string, column: string): string => `
  SELECT c.conname::text AS name FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
    JOIN pg_attribute a ON a.attrelid = t.oid AND c.conkey = ARRAY[a.attnum]
    WHERE c.contype = 'f' AND t.relnamespace = ${currentSchema} AND t.relname = ${literal(table)}
      AND a.attname = ${literal(column)}`;

const labelsQuery = (type: string): string => `
  SELECT e.enumlabel::text AS label FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid
    WHERE t.typnamespace = ${currentSchema} AND t.typname = ${literal(type)} ORDER BY e.enumsortorder`;

const enumColumnsQuery = (type: string): string => `
  SELECT c.relname::text AS "table", a.attname::text AS "column", a.atttypid = t.typarray AS list,
         pg_get_expr(d.adbin, d.adrelid) AS "default"
    FROM pg_type t JOIN pg_attribute a ON a.atttypid IN (t.oid, t.typarray) AND NOT a.attisdropped
    JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE t.typnamespace = ${currentSchema} AND c.relnamespace = t.typnamespace AND t.typname = ${literal(type)}`;

// One row if `id` is numbered by a sequence, or not at all (then `sequence` is NULL); no row for another default.
const sequenceQuery = (table: string): string => `
  SELECT sequence FROM (
    SELECT d.adbin IS NULL AND a.attidentity = '' AS unnumbered,
           coalesce(pg_get_serial_sequence(quote_ident(t.relname), 'id'),
                    substring(pg_get_expr(d.adbin, d.adrelid) FROM '^nextval\\(''(.*)''::regclass\\)$')) AS sequence
      FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = 'id'
      LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
      WHERE t.relnamespace = ${currentSchema} AND t.relname = ${literal(table)}) AS numbered
    WHERE unnumbered OR sequence IS NOT NULL`;

/** Statements that wait until they are sent together. */
interface StatementQueue {
  readonly execute: (statement: string) => Promise<void>;
  /** Adds a column by the last ALTER TABLE in the queue, if that adds columns to the same table, or by a new one. */
  readonly addColumn: (table: string, addition: string) => Promise<void>;
  readonly flush: () => Promise<void>;
  /** Sends the waiting statements, and a query in the same message. */
  readonly query: (sql: string, parameters?: readonly Value[]) => Promise<Row[]>;
}

function openQueue(session: Session): StatementQueue {
  const queue: string[] = [];
  // the table to which the last statement in the queue adds columns: one ALTER TABLE with ten columns takes no longer
  // than with one
  let extending: string | null = null;
  const takeAll = (): string[] => {
    extending = null;
    return queue.splice(0);
  };
  const execute = async (statement: string): Promise<void> => {
    extending = null;
    queue.push(statement);
  };
  const flush = async (): Promise<void> => {
    const batch = takeAll();
    if (batch.length > 0) await runBatch(session, batch);
  };
  return {
    execute,
    flush,
    async addColumn(table, addition) {
      if (extending === table) {
        queue.push(`${queue.pop() ?? ''}, ${addition}`);
      } else {
        await execute(`ALTER TABLE ${quoteName(table)} ${addition}`);
        extending = table;
      }
    },
    async query(sql, parameters = []) {
      // the server takes several statements in one message only if they have no parameters
      if (parameters.length > 0) await flush();
      return runBatch(session, [...takeAll(), sql], parameters);
    },
  };
}

/** The steps of PostgreSQL. They wait in a queue and are sent together, at the latest with the next query. */
export function postgresSteps(session: Session): Steps {
  const { execute, flush, query, addColumn } = openQueue(session);
  const alterTable = (table: string, what: string): Promise<void> => execute(`ALTER TABLE ${quoteName(table)} ${what}`);

  return {
    engine: 'postgresql',
    execute,
    flush,
    query,
    inventory: async () => readInventory(await query(inventoryQuery)),
    translate: (definition) => definition,

    addColumn: (table, column, definition) => addColumn(table, `ADD COLUMN ${quoteName(column)} ${definition}`),
    dropColumn: (table, column) => alterTable(table, `DROP COLUMN ${quoteName(column)}`),
    alterColumn: (table, change) => alterTable(table, `ALTER COLUMN ${quoteName(change.column)} ${action(change)}`),

    hasConstraint: async (table, name) => (await query(constraintQuery(table, name))).length > 0,
    addConstraint: (table, name, definition) => alterTable(table, `ADD CONSTRAINT ${quoteName(name)} ${definition}`),
    dropConstraint: (table, name) => alterTable(table, `DROP CONSTRAINT IF EXISTS ${quoteName(name)}`),
    async dropForeignKeys(table, column) {
      for (const row of await query(foreignKeyQuery(table, column))) {
        await alterTable(table, `DROP CONSTRAINT ${quoteName(text(row, 'name'))}`);
      }
    },

    createEnum: (name, values) => execute(`CREATE TYPE ${quoteName(name)} AS ENUM (${values.map(literal).join(', ')})`),
    async relabelEnum(name, values) {
      const found = (await query(labelsQuery(name))).map((row) => text(row, 'label'));
      const columns = (await query(enumColumnsQuery(name))).map(readEnumColumn);
      for (const statement of relabelEnum(name, found, values, columns)) await execute(statement);
    },
    async insertMissing(table, insertion, rows) {
      for (const row of rows) await execute(insertIfMissing(table, insertion, row, literal));
    },
    async continueNumbering(table) {
      const [numbered] = await query(sequenceQuery(table));
      if (numbered === undefined) return;
      for (const statement of numberAfterLast(table, optionalText(numbered, 'sequence'))) await execute(statement);
    },

    async run(sql) {
      await execute(sql);
      await flush();
    },
  };
}

/** Sets the sequence of `id` after the highest id. @param sequence null: creates the sequence */
function numberAfterLast(table: string, sequence: string | null): readonly string[] {
  const own = quoteName(`${table}_id_seq`);
  const name = quoteText(sequence ?? own);
  const create = [
    `CREATE SEQUENCE IF NOT EXISTS ${own}`,
    `ALTER SEQUENCE ${own} OWNED BY ${quoteName(table)}.id`,
    `ALTER TABLE ${quoteName(table)} ALTER COLUMN id SET DEFAULT nextval(${name})`,
  ];
  return [
    ...(sequence === null ? create : []),
    `SELECT setval(${name}, next, false) FROM (SELECT coalesce(max(id), 0) + 1 AS next FROM ${quoteName(table)}) AS rows
      WHERE next >= (SELECT last_value + is_called::integer FROM ${sequence ?? own})`,
  ];
}

/** The action of ALTER COLUMN. */
function action(change: ColumnChange): string {
  switch (change.kind) {
    case 'setType':
      return `TYPE ${change.type}`;
    case 'setNotNull':
      return 'SET NOT NULL';
    case 'dropNotNull':
      return 'DROP NOT NULL';
    case 'setDefault':
      return `SET DEFAULT ${change.expression}`;
    case 'dropDefault':
      return 'DROP DEFAULT';
  }
}

/** A value in SQL. In an E string backslashes do not depend on standard_conforming_strings. */
function literal(value: Value): string {
  if (typeof value === 'string') return `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
  return typeof value === 'number' && !Number.isFinite(value) ? `'${value}'` : String(value ?? 'NULL');
}

function readEnumColumn(row: Row): EnumColumn {
  return {
    table: text(row, 'table'),
    column: text(row, 'column'),
    list: row['list'] === true,
    default: row['default'] === null ? null : text(row, 'default'),
  };
}

function readInventory(rows: readonly Row[]): Inventory {
  const inventory = createInventory((name) => name);
  const of = (kind: string): readonly Row[] => rows.filter((row) => row['kind'] === kind);
  of('table').forEach((row) => inventory.addTable(text(row, 'name'), []));
  of('column').forEach((row) => inventory.addColumn(text(row, 'table'), text(row, 'name')));
  for (const row of of('index')) {
    const columns = row['column'] === null ? [] : [text(row, 'column')];
    inventory.addIndex(text(row, 'name'), text(row, 'table'), columns);
  }
  of('enum').forEach((row) => inventory.addEnum(text(row, 'name')));
  return inventory;
}

// on a separate line, because a statement may end with a comment
const separator = '\n;\n';

/** Runs statements in one round trip. @returns the rows of the last one */
async function runBatch(session: Session, batch: readonly string[], parameters: readonly Value[] = []): Promise<Row[]> {
  try {
    return await session.query(batch.join(separator), parameters);
  } catch (error) {
    throw new StatementError(failedStatement(batch, error), error);
  }
}

/**
 * Finds the statement of a batch that failed: the one at the position of the error if there is a position (a syntax
 * error is found before anything runs), otherwise the one after those that had completed.
 */
function failedStatement(batch: readonly string[], error: unknown): string {
  const position = numberIn(error, 'position');
  const completed = numberIn(error, 'completed') ?? 0;
  // each entry is one statement; only the text given to `run` or `query` may have several, and it comes last
  if (position === undefined) return batch[Math.min(completed, batch.length - 1)] ?? '';
  let end = 0;
  const found = batch.find((statement) => {
    // the server counts characters, not UTF-16 units
    end += Array.from(statement).length + separator.length;
    return position <= end;
  });
  return found ?? batch.at(-1) ?? '';
}

function numberIn(error: unknown, key: string): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const value: unknown = Reflect.get(error, key);
  return value === undefined ? undefined : Number(value);
}
