import type { Engine, Row } from '../model/engine.ts';
import { currentSchema } from './current-schema.ts';
import { quoteName } from '../platform/sql-quoting.ts';
import { text } from './row-values.ts';
import type { Session } from './session.ts';

/** The largest stored size of a value that is read, in bytes; PostgreSQL may have compressed it. */
const largestValue = 100_000;

/** Replaces a value that is too large to be read into memory. */
export const tooLarge = '(too large to be shown)';

const columnsQuery = {
  postgresql: `SELECT attname::text AS name FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
               WHERE relnamespace = ${currentSchema} AND relname = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
  sqlite: 'SELECT name FROM pragma_table_info($1) ORDER BY cid',
} as const satisfies Record<Engine, string>;

/** Neither function reads the value itself, even if it is stored out of line. */
const sizeOf = { postgresql: 'pg_column_size', sqlite: 'octet_length' } as const satisfies Record<Engine, string>;

/** Reads the first rows of a table. Replaces large values, which may not fit into memory, by `tooLarge`. */
export async function readSampleRows(session: Session, table: string, limit: number): Promise<readonly Row[]> {
  const names = (await session.query(columnsQuery[session.engine], [table])).map((row) => text(row, 'name'));
  if (names.length === 0) return [];
  const columns = names.flatMap((name, index) => {
    const column = quoteName(name);
    const isLarge = `${sizeOf[session.engine]}(${column}) > ${largestValue}`;
    return [`CASE WHEN NOT (${isLarge}) THEN ${column} END AS v${index}`, `coalesce(${isLarge}, FALSE) AS l${index}`];
  });
  const rows = await session.query(`SELECT ${columns.join(', ')} FROM ${quoteName(table)} LIMIT ${limit}`);
  return rows.map((row) =>
    Object.fromEntries(
      names.map((name, index) => [
        name,
        row[`l${index}`] === true || row[`l${index}`] === 1 ? tooLarge : row[`v${index}`],
      ]),
    ),
  );
}
