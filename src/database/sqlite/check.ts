import { sqliteReasons } from '../../report/sqlite-reasons.ts';
import type { Row } from '../../model/engine.ts';
import { statSync } from 'node:fs';
import SQLite from 'better-sqlite3';
import type { ArchiveObject } from '../../errors/obstacles.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import { optionalText, text } from '../row-values.ts';
import { isDatabaseFile } from './open-readonly.ts';
import { isJoined } from './side-file-headers.ts';
import { firstDamage } from './damage.ts';
import { isPlainStatement } from './schema-statement.ts';

/** The number of findings that are read. It is large, so that damage is found after many violated constraints. */
const findings = 10_000;

/**
 * Checks a database file for damage. No other process may have it open. The file may come from an untrusted source.
 * @param depth `rows`: does not compare indexes with their tables (`quick_check`), which takes most of the time. That
 *   is sufficient for callers that read tables and no indexes
 * @returns the damage, as a sentence without a full stop; null if there is none
 */
export function checkSqliteFile(file: string, depth: 'whole' | 'rows' = 'whole'): string | null {
  const fault = faultOfHeader(file);
  if (fault !== null) return fault;
  try {
    return withFile(file, (database) => {
      const check = depth === 'whole' ? 'integrity_check' : 'quick_check';
      return firstDamage(database.prepare<[], string>(`PRAGMA ${check}(${findings})`).pluck().all());
    });
  } catch (error) {
    if (error instanceof SQLite.SqliteError) return error.message;
    throw error;
  }
}

function faultOfHeader(file: string): string | null {
  if (statSync(file).size === 0) return sqliteReasons.empty;
  if (!isDatabaseFile(file)) return sqliteReasons.otherFormat;
  return isJoined(file) ? sqliteReasons.joined : null;
}

/**
 * Finds the objects in an untrusted file that are not ordinary tables and indexes: views, triggers, virtual tables, and
 * tables and indexes whose SQL could call functions. Only the schema is read, after its pages were checked.
 * @throws Error if it cannot be read
 */
export function findUnknownObjects(file: string): readonly ArchiveObject[] {
  const header = faultOfHeader(file);
  if (header !== null) throw new Error(header);
  return withFile(file, (database) => {
    const fault = database.prepare<[], string>('PRAGMA integrity_check(sqlite_schema)').pluck().get();
    if (fault !== 'ok') throw new Error(sqliteReasons.damagedSchema(fault ?? 'unknown'));
    const rows = database.prepare<[], Row>('SELECT type, name, sql FROM sqlite_schema ORDER BY rowid').iterate();
    return Array.from(rows, (row) => ({
      type: text(row, 'type'),
      name: text(row, 'name'),
      statement: optionalText(row, 'sql'),
    }))
      .filter(({ type, name, statement }) => !isPlain(type, name, statement))
      .map(({ type, name, statement }) => ({
        type: type.toUpperCase(),
        name,
        statement: (statement ?? '').slice(0, shownLength),
      }));
  });
}

/** The views, triggers and virtual tables of a file. The rows of a virtual table are in tables of its module. */
export function findObjectsWithoutRows(file: string): readonly ArchiveObject[] {
  return findUnknownObjects(file).filter(
    ({ type, statement }) => type === 'VIEW' || type === 'TRIGGER' || /^CREATE\s+VIRTUAL\b/i.test(statement),
  );
}

/** How many characters of a statement are shown. */
const shownLength = 120;

function isPlain(type: string, name: string, statement: string | null): boolean {
  // sqlite_schema has no SQL for the index of a constraint
  if (statement === null) return type === 'index' && name.startsWith('sqlite_autoindex_');
  return (type === 'table' || type === 'index') && isPlainStatement(type, name, statement);
}

/** Counts the foreign key violations in a file. They are no damage: SQLite enforces foreign keys only on request. */
export function countDanglingReferences(file: string): number {
  return withFile(file, (database) => {
    return [...danglingReferences(database).values()].reduce((sum, count) => sum + count, 0);
  });
}

/**
 * Counts the foreign key violations by table and referenced table. Each table is checked alone: a foreign key to
 * columns that are not unique, which an owner's table may have, would make the check of all tables fail
 * (https://sqlite.org/foreignkeys.html#fk_indexes).
 */
export function danglingReferences(database: SQLite.Database): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const tables = database
    .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0")
    .pluck()
    .all();
  for (const table of tables) {
    try {
      for (const row of database.prepare<[], Row>(`PRAGMA foreign_key_check(${quoteName(table)})`).iterate()) {
        const reference = `${String(row['table'])} to ${String(row['parent'])}`;
        counts.set(reference, (counts.get(reference) ?? 0) + 1);
      }
    } catch (error) {
      if (!(error instanceof SQLite.SqliteError) || !error.message.startsWith('foreign key mismatch')) throw error;
    }
  }
  return counts;
}

function withFile<Result>(file: string, work: (database: SQLite.Database) => Result): Result {
  const database = new SQLite(file, { fileMustExist: true });
  try {
    // functions that are called in views and indexes of the file must not run
    database.pragma('trusted_schema = OFF');
    database.pragma('cell_size_check = ON');
    return work(database);
  } finally {
    database.close();
  }
}
