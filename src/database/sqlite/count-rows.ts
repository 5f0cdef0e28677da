import type SQLite from 'better-sqlite3';
import { quoteName } from '../../platform/sql-quoting.ts';

export function countRows(database: SQLite.Database, table: string): number {
  return Number(
    database
      .prepare(`SELECT count(*) FROM ${quoteName(table)}`)
      .pluck()
      .get(),
  );
}
