import { quoteText } from '../platform/sql-quoting.ts';
import type { Session } from '../database/session.ts';

/**
 * Widens the column of alembic_version to `width` characters if it is narrower: identifiers of later revisions are
 * longer than Alembic's default. PostgreSQL only: SQLite stores texts of any length.
 */
export async function widenVersionColumn(session: Session, width: number): Promise<void> {
  if (session.engine !== 'postgresql') return;
  // atttypmod is the length plus 4, or -1 for any length
  const narrower = await session.query(
    `SELECT 1 FROM pg_attribute
     WHERE attrelid = to_regclass('alembic_version') AND attname = 'version_num'
       AND atttypid = 'varchar'::regtype AND atttypmod > 0 AND atttypmod < 4 + $1::int`,
    [width],
  );
  if (narrower.length === 0) return;
  await session.run(`ALTER TABLE alembic_version ALTER COLUMN version_num TYPE VARCHAR(${width})`);
}

/** The statement with which Alembic creates alembic_version. */
export function createVersionTable(width: number): string {
  return `CREATE TABLE alembic_version (version_num VARCHAR(${width}) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))`;
}

/**
 * Keeps one of several equal rows, and adds the primary key that the table has lost. SQLite cannot add a primary key
 * to a table, so there the table is created again. If it has another column, or another object depends on it, only
 * the rows are corrected.
 * @param rows all rows of the table, with duplicates
 * @param width the width of the column, if the table is created again
 */
export async function keepOneOfEach(session: Session, rows: readonly string[], width: number): Promise<void> {
  const distinct = [...new Set(rows)];
  const insert = (row: string): string => `INSERT INTO alembic_version (version_num) VALUES (${quoteText(row)})`;
  if (session.engine === 'sqlite' && (await hasOnlyItsRows(session))) {
    await session.run(['DROP TABLE alembic_version', createVersionTable(width), ...distinct.map(insert)].join(';'));
    return;
  }
  for (const row of distinct.filter((each) => rows.indexOf(each) !== rows.lastIndexOf(each))) {
    await session.run(`DELETE FROM alembic_version WHERE version_num = ${quoteText(row)}; ${insert(row)}`);
  }
  if (session.engine === 'sqlite') return;
  const keys = await session.query(
    `SELECT 1 FROM pg_constraint WHERE conrelid = to_regclass('alembic_version') AND contype = 'p'`,
  );
  if (keys.length === 0) {
    await session.run('ALTER TABLE alembic_version ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)');
  }
}

/** Whether dropping the table would lose only its rows: it has no other column, index, trigger or view. SQLite only. */
async function hasOnlyItsRows(session: Session): Promise<boolean> {
  const bound = await session.query(
    `SELECT 1 FROM sqlite_schema WHERE type <> 'table' AND (tbl_name = 'alembic_version' OR sql LIKE '%alembic_version%')
     UNION ALL SELECT 1 FROM pragma_table_xinfo('alembic_version') WHERE name <> 'version_num'`,
  );
  return bound.length === 0;
}
