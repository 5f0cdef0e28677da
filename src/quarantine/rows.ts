import { quoteName, quoteText } from '../platform/sql-quoting.ts';
import { number, only, optionalText, text, texts } from '../database/row-values.ts';
import { converterOf, Misfit, type ConversionCounts, type TargetColumn } from '../database/conversion/convert.ts';
import type { Session } from '../database/session.ts';
import { codeOf } from '../errors/error-code.ts';
import { Failure, reasonOf } from '../errors/failure.ts';
import { describeReturned, quarantineMessages } from '../report/quarantine-messages.ts';
import type { QuarantineContext } from './entry.ts';

/** The column with the reason, in a table of rows that were set aside. */
export const reasonColumn = 'tt_reason';

export interface ReturnedRows {
  readonly table: string;
  readonly returned: number;
  /** How many stay set aside, and why, in the words of the server. */
  readonly left: number;
  readonly reasons: readonly string[];
}

/** The most reasons that are reported for a table. */
export const shownReasons = 3;

interface RowsTable {
  readonly name: string;
  /** The columns that it shares with the application's table; none if there is no such table. */
  readonly columns: readonly RowsColumn[];
  /** Columns that only the rows in quarantine have. */
  readonly others: readonly string[];
}

interface RowsColumn extends TargetColumn {
  readonly name: string;
}

/**
 * Whether a value still holds the bytes for which its row was set aside: they are stored in hexadecimal, until the
 * operator replaces them by a text.
 * @param type of the column on PostgreSQL; null if it is unknown
 */
export function isUnmended(reason: string, column: string, value: string | null, type: string | null): boolean {
  if (value === null || type === 'bytea' || !/^\\x(?:[0-9a-f]{2})*$/.test(value)) return false;
  return reason
    .split('; ')
    .some((part) => ['nul', 'encoding', 'binary'].some((rule) => part.startsWith(`${column}: ${rule} `)));
}

/**
 * Tries to bring back rows that were set aside as text, one by one, in an order that references allow. A row that
 * still does not fit stays, with its new reason. Call it within a transaction.
 * @param schema quoted for SQL; it is dropped when no row is left
 */
export async function bringBackRows(session: Session, schema: string): Promise<readonly ReturnedRows[]> {
  const tables = await listTables(session, schema);
  const results = new Map(tables.map(({ name }) => [name, { returned: 0, reasons: new Map<string, string>() }]));
  // a row may refer to a row of another table, or to a later one of its own table
  for (let moved = 1; moved > 0;) {
    moved = 0;
    for (const table of tables) {
      const result = results.get(table.name);
      if (result === undefined) continue;
      const places = await session.query(
        `SELECT ctid::text AS place FROM ${schema}.${quoteName(table.name)} ORDER BY ctid`,
      );
      for (const row of places) {
        const place = text(row, 'place');
        const reason = await tryRow(session, schema, table, place);
        if (reason === null) {
          moved++;
          result.returned++;
          result.reasons.delete(place);
        } else {
          result.reasons.set(place, reason);
        }
      }
    }
  }
  const done: ReturnedRows[] = [];
  for (const { name } of tables) {
    const { returned = 0, reasons = new Map<string, string>() } = results.get(name) ?? {};
    const relation = `${schema}.${quoteName(name)}`;
    for (const [place, reason] of reasons) {
      await session.query(`UPDATE ${relation} SET ${reasonColumn} = $1 WHERE ctid = ${quoteText(place)}::tid`, [
        reason,
      ]);
    }
    if (reasons.size === 0) await session.run(`DROP TABLE ${relation}`);
    done.push({
      table: name,
      returned,
      left: reasons.size,
      reasons: [...new Set(reasons.values())].slice(0, shownReasons),
    });
  }
  const objects = await session.query(
    `SELECT count(*) AS things FROM pg_class WHERE relnamespace = ${quoteText(schema.replaceAll('"', ''))}::regnamespace`,
  );
  if (number(only(objects), 'things') === 0) await session.run(`DROP SCHEMA ${schema}`);
  return done;
}

async function listTables(session: Session, schema: string): Promise<readonly RowsTable[]> {
  const rows = await session.query(
    `SELECT c.relname::text AS name, a.attname::text AS column, format_type(b.atttypid, b.atttypmod) AS type,
            (SELECT json_agg(enumlabel) FROM pg_enum WHERE enumtypid = b.atttypid) AS labels
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     LEFT JOIN pg_attribute b ON b.attrelid = to_regclass(quote_ident(c.relname)) AND b.attname = a.attname AND b.attnum > 0
     WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r' AND a.attname <> '${reasonColumn}'
     ORDER BY c.relname, a.attnum`,
    [schema],
  );
  const names = [...new Set(rows.map((row) => text(row, 'name')))];
  return names.map((name) => {
    const ofTable = rows.filter((row) => text(row, 'name') === name);
    const present = ofTable.filter((row) => optionalText(row, 'type') !== null);
    const absent = ofTable.filter((row) => optionalText(row, 'type') === null);
    return {
      name,
      columns: present.map((row) => ({
        name: text(row, 'column'),
        type: text(row, 'type'),
        labels: row['labels'] === null ? null : texts(row, 'labels'),
      })),
      others: absent.map((row) => text(row, 'column')),
    };
  });
}

/** Tries to insert one row. @returns why the row does not fit; null if it was inserted */
async function tryRow(
  session: Session,
  schema: string,
  { name, columns, others }: RowsTable,
  place: string,
): Promise<string | null> {
  if (columns.length === 0) return quarantineMessages.noTable(name);
  const from = `${schema}.${quoteName(name)}`;
  const where = `WHERE ctid = ${quoteText(place)}::tid`;
  const names = columns.map((column) => quoteName(column.name));
  const held = names.map((column, index) => `${column} AS c${index}`);
  const lost = others.map((column, index) => `${quoteName(column)} IS NOT NULL AS o${index}`);
  const [row = {}] = await session.query(
    `SELECT ${[`${reasonColumn} AS reason`, ...held, ...lost].join(', ')} FROM ${from} ${where}`,
  );
  const absent = others.find((_, index) => row[`o${index}`] === true);
  if (absent !== undefined) return quarantineMessages.noColumn(name, absent);
  const reason = optionalText(row, 'reason') ?? '';
  const isStill = ({ name: column, type }: RowsColumn, index: number): boolean =>
    isUnmended(reason, column, optionalText(row, `c${index}`), type);
  if (columns.some(isStill)) return reason;
  const converted = columns.map((column, index) => convert(column, optionalText(row, `c${index}`)));
  const wrong = converted.flatMap((value, index) => {
    const { name: column = '', type = '' } = columns[index] ?? {};
    return value instanceof Misfit ? [`${column}: ${value.rule} (${type})`] : [];
  });
  if (wrong.length > 0) return wrong.join('; ');
  const values = converted.filter((value): value is string | null => !(value instanceof Misfit));
  await session.run('SAVEPOINT try_row');
  try {
    const places = values.map((_, index) => `$${index + 1}`);
    await session.query(`INSERT INTO ${quoteName(name)} (${names.join(', ')}) VALUES (${places.join(', ')})`, values);
    await session.run(`DELETE FROM ${from} ${where}; RELEASE try_row`);
    return null;
  } catch (error) {
    // data exceptions and constraint violations (PostgreSQL manual, "Error Codes", classes 22 and 23)
    if (!/^2[23]/.test(codeOf(error) ?? '')) throw error;
    await session.run('ROLLBACK TO try_row; RELEASE try_row');
    return reasonOf(error);
  }
}

/**
 * Converts a text in the same way as the restore converts values. PostgreSQL's own input conversion guesses: it accepts
 * `now` as a time, and `01/02/2024` as a date in either order.
 */
function convert({ type, labels }: RowsColumn, value: string | null): string | null | Misfit {
  if (value === null || type === 'bytea') return value;
  const counts: ConversionCounts = new Map();
  if (type === 'bigint' && /^\s*[+-]?\d+\s*$/.test(value))
    return converterOf({ type, labels }, true)(BigInt(value), counts);
  // the output formats of PostgreSQL, in rows that PostgreSQL held before
  if (type === 'double precision' && /^-?Infinity$/.test(value)) return value;
  if (type === 'interval' && printedInterval.test(value)) return value;
  // the owner's columns may have any type
  const converter = labels === null && !convertible.test(type) ? null : converterOf({ type, labels }, true);
  return converter === null ? value : converter(value, counts);
}

const convertible =
  /^(?:smallint|integer|bigint|boolean|numeric|double precision|character varying|text|timestamp without time zone|date|time without time zone|interval|jsonb?)(?:\(|$)/;

const printedInterval = /^(?:-?\d+ days?(?: (?=[+-]?\d))?)?(?:[+-]?\d{2,}:\d\d:\d\d(?:\.\d{1,6})?)?$/;

/**
 * Brings back the rows that fit now, and logs how many.
 * @param work brings them back in a transaction
 * @throws Failure `quarantine-refused` if some rows still do not fit
 */
export async function bringBackHeldRows(
  { database, log, recorder }: Pick<QuarantineContext, 'database' | 'log' | 'recorder'>,
  name: string,
  dryRun: boolean,
  work: (session: Session) => Promise<readonly ReturnedRows[]>,
): Promise<void> {
  const recorded = async (session: Session): Promise<readonly ReturnedRows[]> => {
    if (!dryRun) recorder.attempt();
    const done = await work(session);
    const relations = done.filter(({ returned }) => returned > 0).map(({ table }) => table);
    if (!dryRun) recorder.step({ kind: 'quarantine-restored', schema: name, relations });
    return done;
  };
  const done = await (dryRun ? database.rehearse(recorded) : database.transaction(recorded));
  for (const table of done) log.info(describeReturned(table, dryRun));
  const rows = done.reduce((total, { left }) => total + left, 0);
  if (rows === 0) return;
  const obstacle = { kind: 'rows-stay', name, rows, reasons: done.flatMap(({ reasons }) => reasons) } as const;
  throw new Failure({ kind: 'quarantine-refused', database: database.name, obstacle });
}
