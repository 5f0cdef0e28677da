import type { Row } from '../../../src/model/engine.ts';
import type { Session } from '../../../src/database/session.ts';
import { rowKey, type FactRow, type Facts, type PostgresShapes, type SqliteShapes } from './history.ts';

/** The parts of a database, in a form in which expected and actual ones can be compared. */
export type Outline = Readonly<Record<string, unknown>>;

const outline = <Part>(parts: Iterable<readonly [string, Part]>): Readonly<Record<string, Part>> =>
  Object.fromEntries(parts);

/** The expected parts of a PostgreSQL database, from the facts. Exactly these must exist. */
export const expectedOnPostgres = ({ tables, enums }: Facts<PostgresShapes>): Outline => ({
  ...outline([...enums].map(([name, values]) => [`type ${name}`, values])),
  ...outline(
    [...tables].map(([name, { columns, constraints, indexes }]) => [
      name,
      { columns: outline(columns), constraints: outline(constraints), indexes: outline(indexes) },
    ]),
  ),
});

const of = (table: Row, parts: readonly Row[]): readonly Row[] =>
  parts.filter((part) => part['owner'] === table['name']);

/** The parts of schema public, in the form of `expectedOnPostgres`. */
export async function seenOnPostgres(session: Session): Promise<Outline> {
  // An enumeration's values come as one text: the driver leaves arrays unparsed.
  const enums = await session.query(`
    SELECT t.typname::text AS name, string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) AS values
    FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY t.typname`);
  const tables = await session.query(
    "SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
  );
  const columns = await session.query(`
    SELECT c.relname::text AS owner, a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type,
           a.attnotnull AS "notNull", pg_get_expr(d.adbin, d.adrelid) AS "default"
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'`);
  const constraints = await session.query(`
    SELECT c.relname::text AS owner, k.conname::text AS name, pg_get_constraintdef(k.oid) AS definition
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.connamespace = 'public'::regnamespace AND k.contype IN ('p', 'u', 'f', 'c')`);
  const indexes = await session.query(`
    SELECT i.tablename::text AS owner, i.indexname::text AS name, i.indexdef AS definition FROM pg_indexes i
    WHERE i.schemaname = 'public' AND NOT EXISTS (
      SELECT FROM pg_constraint k WHERE k.conindid = to_regclass(quote_ident(i.indexname)) AND k.contype IN ('p', 'u'))`);

  return {
    ...outline(enums.map((row) => [`type ${String(row['name'])}`, String(row['values']).split(',')])),
    ...outline(
      tables.map((table) => [
        String(table['name']),
        {
          columns: outline(
            of(table, columns).map((row) => [
              String(row['name']),
              { type: row['type'], notNull: row['notNull'], default: row['default'] },
            ]),
          ),
          constraints: outline(of(table, constraints).map((row) => [String(row['name']), row['definition']])),
          indexes: outline(of(table, indexes).map((row) => [String(row['name']), row['definition']])),
        },
      ]),
    ),
  };
}

/**
 * What the facts say about a SQLite database, names of keys and default values aside: types by their affinity,
 * unique rules by their columns.
 */
export const expectedOnSqlite = ({ tables }: Facts<SqliteShapes>): Outline =>
  outline(
    [...tables].map(([name, { columns, indexes, foreignKeys }]) => [
      name,
      sqliteTable(
        [...columns].map(([column, { type, notNull, pk }]) => ({ name: column, type, notNull, pk })),
        [...indexes].map(([index, { unique, origin, columns: keys }]) => ({ name: index, unique, origin, keys })),
        foreignKeys.map((key) => key.join(' ')),
      ),
    ]),
  );

/** The parts of a SQLite database, in the form of `expectedOnSqlite`. */
export async function seenOnSqlite(session: Session): Promise<Outline> {
  const tables = await session.query(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
  );
  const seen: [string, Outline][] = [];
  for (const { name } of tables) {
    const table = String(name);
    const columns = await session.query('SELECT name, type, "notnull", pk FROM pragma_table_info($1)', [table]);
    const indexes = await session.query(
      `SELECT l.name, l."unique", l.origin, (SELECT group_concat(name) FROM pragma_index_info(l.name)) AS keys
       FROM pragma_index_list($1) l`,
      [table],
    );
    const foreignKeys = await session.query(
      `SELECT "table" || ' ' || "from" || ' ' || coalesce("to", 'id') || ' ' || on_delete AS key
       FROM pragma_foreign_key_list($1)`,
      [table],
    );
    seen.push([
      table,
      sqliteTable(
        columns.map((row) => ({
          name: String(row['name']),
          type: String(row['type']),
          // an INTEGER PRIMARY KEY is never NULL, even without NOT NULL
          notNull: row['notnull'] === 1 || (row['pk'] === 1 && row['type'] === 'INTEGER'),
          pk: Number(row['pk']),
        })),
        indexes.map((row) => ({
          name: String(row['name']),
          unique: row['unique'] === 1,
          origin: String(row['origin']),
          keys: String(row['keys']).split(','),
        })),
        foreignKeys.map((row) => String(row['key'])),
      ),
    ]);
  }
  return outline(seen);
}

interface SqliteColumn {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly pk: number;
}

interface SqliteIndex {
  readonly name: string;
  readonly unique: boolean;
  /** `c` for an index of its own, `u` for a unique rule of the table, `pk` for its primary key. */
  readonly origin: string;
  readonly keys: readonly string[];
}

function sqliteTable(
  columns: readonly SqliteColumn[],
  indexes: readonly SqliteIndex[],
  foreignKeys: readonly string[],
): Outline {
  const named = indexes.filter(({ origin }) => origin === 'c');
  const rules = indexes.filter(({ origin }) => origin === 'u');
  return {
    columns: outline(columns.map(({ name, type, ...rest }) => [name, { affinity: affinity(type), ...rest }])),
    indexes: outline(named.map(({ name, unique, keys }) => [name, { unique, keys }])),
    unique: rules.map(({ keys }) => keys.join(', ')).toSorted(),
    foreignKeys: foreignKeys.toSorted(),
  };
}

/** The affinity of a declared type (https://sqlite.org/datatype3.html#determination_of_column_affinity). */
function affinity(type: string): string {
  if (/INT/i.test(type)) return 'INTEGER';
  if (/CHAR|CLOB|TEXT/i.test(type)) return 'TEXT';
  if (/BLOB/i.test(type) || type === '') return 'BLOB';
  return /REAL|FLOA|DOUB/i.test(type) ? 'REAL' : 'NUMERIC';
}

/** The present time of the database, as a timestamp without time zone. */
export async function now(session: Session): Promise<string> {
  const clock = session.engine === 'postgresql' ? 'localtimestamp' : 'CURRENT_TIMESTAMP';
  const [row] = await session.query(`SELECT ${clock} AS now`);
  return String(row?.['now']);
}

/**
 * The rows of a table as the facts put them: without NULLs, and with `<now>` for a timestamp of the run.
 * @param since the database's clock when the run began
 */
export async function rowsOf(session: Session, table: string, since: string): Promise<FactRow[]> {
  const until = await now(session);
  const isNow = (cell: unknown): boolean => typeof cell === 'string' && cell >= since && cell <= until;
  const rows = await session.query(`SELECT * FROM "${table}"`);
  return sorted(
    rows.map((row) =>
      outline(
        Object.entries(row)
          .filter(([, cell]) => cell !== null)
          .map(([column, cell]) => [column, isNow(cell) ? '<now>' : cell]),
      ),
    ),
  );
}

/** Rows in an order that does not depend on where they came from. */
export const sorted = (rows: readonly FactRow[]): FactRow[] =>
  rows.toSorted((a, b) => (rowKey(a) < rowKey(b) ? -1 : 1));

/** A row as SQLite keeps it: 1 and 0 for booleans, numbers for decimals. */
export const asOnSqlite = (row: FactRow): FactRow =>
  outline(
    Object.entries(row).map(([column, cell]) => {
      if (typeof cell === 'boolean') return [column, Number(cell)];
      return [column, typeof cell === 'string' && /^-?\d+\.\d+$/.test(cell) ? Number(cell) : cell];
    }),
  );
