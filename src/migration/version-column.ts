import { quoteText } from '../database/quoting.ts';
import type { Session } from '../database/session.ts';

/**
 * Widens the column of alembic_version to `width` characters where it is narrower: identifiers of later revisions
 * are longer than Alembic made it for. PostgreSQL only: SQLite takes texts of any length.
 */
export async function widenVersionColumn(session: Session, width: number): Promise<void> {
  if (session.engine !== 'postgresql') return;
  // atttypmod is the length and 4, or -1 for any length.
  const narrower = await session.query(
    `SELECT 1 FROM pg_attribute
     WHERE attrelid = to_regclass('alembic_version') AND attname = 'version_num'
       AND atttypid = 'varchar'::regtype AND atttypmod > 0 AND atttypmod < 4 + $1::int`,
    [width],
  );
  if (narrower.length === 0) return;
  await session.run(`ALTER TABLE alembic_version ALTER COLUMN version_num TYPE VARCHAR(${width})`);
}

/**
 * Keeps one of equal rows, and has the table refuse a second one from then on: it has lost its primary key. On SQLite,
 * where a key can only be made with the table, the rows alone are put right.
 * @param rows what the table holds, equal ones as often as they are there
 */
export async function keepOneOfEach(session: Session, rows: readonly string[]): Promise<void> {
  const repeated = [...new Set(rows)].filter((row) => rows.indexOf(row) !== rows.lastIndexOf(row));
  for (const row of repeated) {
    await session.run(`DELETE FROM alembic_version WHERE version_num = ${quoteText(row)};
      INSERT INTO alembic_version (version_num) VALUES (${quoteText(row)})`);
  }
  if (session.engine === 'sqlite') return;
  const keys = await session.query(
    `SELECT 1 FROM pg_constraint WHERE conrelid = to_regclass('alembic_version') AND contype = 'p'`,
  );
  if (keys.length === 0) {
    await session.run('ALTER TABLE alembic_version ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)');
  }
}
