import { Misfit } from '../database/conversion/convert.ts';
import { conversionToSqlite, type SqliteValue } from '../database/conversion/to-sqlite.ts';
import { number, optionalText, text } from '../database/row-values.ts';
import type { Session } from '../database/session.ts';
import { codeOf } from '../errors/error-code.ts';
import { reasonOf } from '../errors/failure.ts';
import type { Catalog } from '../model/catalog.ts';
import { quoteName } from '../platform/sql-quoting.ts';
import { quarantineMessages } from '../report/quarantine-messages.ts';
import { parseAsideTable } from './names.ts';
import { isUnmended, reasonColumn, type ReturnedRows, shownReasons } from './rows.ts';

/** A table of rows that were set aside, and the table to which they belong. */
interface RowsTable {
  readonly aside: string;
  readonly name: string;
  /** The columns of the rows, without the reason. */
  readonly columns: readonly string[];
  /** The columns of `name`; empty if there is no such table. */
  readonly present: ReadonlySet<string>;
  readonly references: readonly Reference[];
  /** The types of its columns on PostgreSQL; the owner's columns are not among them. */
  readonly types: ReadonlyMap<string, string>;
}

interface Reference {
  readonly table: string;
  readonly columns: readonly string[];
  readonly targets: readonly string[];
}

/**
 * Tries to bring back rows that were set aside as text in a SQLite file, one by one, in an order that references allow.
 * A row that still does not fit stays, with its new reason. Call it within a transaction.
 * @param quarantine the prefix of the tables; a table without rows is dropped
 * @param onServer the schema on PostgreSQL, whose types the values have
 */
export async function bringBackIntoFile(
  session: Session,
  quarantine: string,
  onServer: Catalog,
): Promise<readonly ReturnedRows[]> {
  const tables = await heldTables(session, quarantine, onServer);
  const results = new Map(tables.map(({ aside }) => [aside, { returned: 0, reasons: new Map<number, string>() }]));
  // a row may refer to a row of another table, or to a later one of its own table
  for (let moved = 1; moved > 0;) {
    moved = 0;
    for (const table of tables) {
      const result = results.get(table.aside);
      for (const row of await session.query(`SELECT rowid AS place, * FROM ${quoteName(table.aside)} ORDER BY rowid`)) {
        const at = number(row, 'place');
        const reason = await tryRow(session, table, (column) => optionalText(row, column));
        if (reason === null) {
          moved++;
          await session.query(`DELETE FROM ${quoteName(table.aside)} WHERE rowid = $1`, [at]);
          if (result !== undefined) result.returned++;
          result?.reasons.delete(at);
        } else result?.reasons.set(at, reason);
      }
    }
  }
  const done: ReturnedRows[] = [];
  for (const { aside, name } of tables) {
    const { returned = 0, reasons = new Map<number, string>() } = results.get(aside) ?? {};
    for (const [at, reason] of reasons) {
      await session.query(`UPDATE ${quoteName(aside)} SET ${reasonColumn} = $1 WHERE rowid = $2`, [reason, at]);
    }
    if (reasons.size === 0) await session.run(`DROP TABLE ${quoteName(aside)}`);
    const shown = [...new Set(reasons.values())].slice(0, shownReasons);
    done.push({ table: name, returned, left: reasons.size, reasons: shown });
  }
  return done;
}

async function heldTables(session: Session, quarantine: string, onServer: Catalog): Promise<readonly RowsTable[]> {
  const names = await session.query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
  const found: RowsTable[] = [];
  for (const row of names) {
    const aside = text(row, 'name');
    const held = parseAsideTable(aside);
    if (held?.quarantine !== quarantine) continue;
    const columns = await columnsOf(session, aside);
    if (!columns.includes(reasonColumn)) continue;
    const { table: name } = held;
    const types = Object.entries(onServer.tables[name]?.columns ?? {}).map(
      ([column, { type }]) => [column, Object.hasOwn(onServer.enums, type) ? 'text' : type] as const,
    );
    found.push({
      aside,
      name,
      columns: columns.filter((column) => column !== reasonColumn),
      present: new Set(await columnsOf(session, name)),
      references: await referencesOf(session, name),
      types: new Map(types),
    });
  }
  return found;
}

const columnsOf = async (session: Session, table: string): Promise<readonly string[]> =>
  (await session.query('SELECT name FROM pragma_table_info($1) ORDER BY cid', [table])).map((row) => text(row, 'name'));

async function referencesOf(session: Session, table: string): Promise<readonly Reference[]> {
  const rows = await session.query(
    `SELECT k.id, k."table", k."from", coalesce(k."to", p.name) AS target FROM pragma_foreign_key_list($1) AS k
     LEFT JOIN pragma_table_info(k."table") AS p ON p.pk = k.seq + 1 ORDER BY k.id, k.seq`,
    [table],
  );
  const keys = new Set(rows.map((row) => number(row, 'id')));
  return [...keys].map((key) => {
    const parts = rows.filter((row) => number(row, 'id') === key);
    return {
      table: text(parts[0] ?? {}, 'table'),
      columns: parts.map((row) => text(row, 'from')),
      targets: parts.map((row) => text(row, 'target')),
    };
  });
}

type Held = (column: string) => string | null;

/** Tries to insert one row. @returns why the row does not fit; null if it was inserted */
async function tryRow(session: Session, table: RowsTable, held: Held): Promise<string | null> {
  const { name, columns, present, types } = table;
  if (present.size === 0) return quarantineMessages.noTable(name);
  const absent = columns.find((column) => !present.has(column) && held(column) !== null);
  if (absent !== undefined) return quarantineMessages.noColumn(name, absent);
  const reason = held(reasonColumn) ?? '';
  if (columns.some((column) => isUnmended(reason, column, held(column), types.get(column) ?? null))) return reason;
  const shared = columns.filter((column) => present.has(column));
  const values = shared.map((column) => convert(types.get(column) ?? null, held(column)));
  const wrong = values.flatMap((value, index) => {
    const column = shared[index] ?? '';
    return value instanceof Misfit ? [`${column}: ${value.rule} (${types.get(column) ?? ''})`] : [];
  });
  if (wrong.length > 0) return wrong.join('; ');
  const fitting = values.filter((value): value is SqliteValue | null => !(value instanceof Misfit));
  await session.run('SAVEPOINT try_row');
  const broken = await insert(session, name, shared, fitting);
  if (broken === null) {
    await session.run('RELEASE try_row');
    return null;
  }
  await session.run('ROLLBACK TO try_row; RELEASE try_row');
  return broken;

  async function insert(into: Session, target: string, names: readonly string[], row: readonly (SqliteValue | null)[]) {
    // a statement has no parameters for bytes
    const literals = row.map((value, index) =>
      Buffer.isBuffer(value) ? `x'${value.toString('hex')}'` : `$${index + 1}`,
    );
    const bound = row.map((value) => (Buffer.isBuffer(value) ? null : value));
    try {
      await into.query(
        `INSERT INTO ${quoteName(target)} (${names.map(quoteName).join(', ')}) VALUES (${literals.join(', ')})`,
        bound,
      );
    } catch (error) {
      if (codeOf(error)?.startsWith('SQLITE_CONSTRAINT') !== true) throw error;
      return reasonOf(error);
    }
    return danglingReference(into, table, new Map(names.map((column, index) => [column, bound[index] ?? null])));
  }
}

/** A reference of an inserted row to a row that is not there: SQLite itself checks references only on request. */
async function danglingReference(
  session: Session,
  { references }: RowsTable,
  row: ReadonlyMap<string, Exclude<SqliteValue, Buffer> | null>,
): Promise<string | null> {
  for (const { table, columns, targets } of references) {
    const values = columns.map((column) => row.get(column) ?? null);
    if (values.includes(null)) continue;
    const where = targets.map((target, index) => `${quoteName(target)} = $${index + 1}`).join(' AND ');
    const found = await session.query(`SELECT 1 FROM ${quoteName(table)} WHERE ${where} LIMIT 1`, values);
    if (found.length === 0) {
      return `reference: FOREIGN KEY (${columns.join(', ')}) REFERENCES ${table}(${targets.join(', ')})`;
    }
  }
  return null;
}

/**
 * Converts a text in the same way as the restore converts values of the dump; an operator may also have written it as
 * TimeTracker does on SQLite.
 */
function convert(type: string | null, value: string | null): SqliteValue | null | Misfit {
  if (value === null || type === null) return value;
  const printed = conversionToSqlite(type, type).toSqlite(value, new Map());
  return printed instanceof Misfit ? conversionToSqlite('text', type).toSqlite(value, new Map()) : printed;
}
