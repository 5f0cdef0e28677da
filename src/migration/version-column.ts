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
