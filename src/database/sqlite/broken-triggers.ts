import type { Row } from '../../model/engine.ts';
import SQLite from 'better-sqlite3';
import { reasonOf } from '../../errors/failure.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import { optionalText, text } from '../row-values.ts';

/**
 * A trigger that does not compile, and a table that cannot be written because of it: its own table, or one whose
 * triggers fire it.
 */
export interface BrokenTrigger {
  readonly table: string;
  readonly name: string;
  readonly sql: string;
  /** SQLite's error message. */
  readonly fault: string;
}

/**
 * Finds the triggers that make every INSERT, UPDATE or DELETE on a table fail: SQLite compiles a statement together
 * with all triggers that it fires (https://sqlite.org/lang_createtrigger.html). Statements are prepared and never
 * run, so nothing is written. SQLite's error does not always name the trigger: if a statement fails, each trigger is
 * tried alone in an empty copy of the schema.
 * @param definitions the rows of sqlite_schema: `type`, `name`, `table`, `sql`
 */
export function findBrokenTriggers(database: SQLite.Database, definitions: readonly Row[]): readonly BrokenTrigger[] {
  const triggers = definitions.filter((row) => row['type'] === 'trigger' && optionalText(row, 'sql') !== null);
  const written = [...new Set(triggers.map((row) => text(row, 'table')))];
  const failing = written.filter((table) => faultOfWriting(database, table) !== null);
  return failing.length === 0 ? [] : findFaultyTriggers(database, definitions, triggers, failing);
}

function findFaultyTriggers(
  database: SQLite.Database,
  definitions: readonly Row[],
  triggers: readonly Row[],
  failing: readonly string[],
): readonly BrokenTrigger[] {
  const { copy, absent } = copySchema(database, definitions);
  try {
    const broken = triggers.flatMap((trigger) => {
      const fault = withTriggers(copy, [trigger], () => faultOfWriting(copy, text(trigger, 'table')));
      return fault === null || !isCertain(fault, absent) ? [] : [{ trigger, fault }];
    });
    const sound = triggers.filter((trigger) => !broken.some((each) => each.trigger === trigger));
    return broken.flatMap(({ trigger, fault }) => {
      const tables = withTriggers(copy, [...sound, trigger], () =>
        failing.filter((table) => faultOfWriting(copy, table) === fault),
      );
      return tables.map((table) => ({ table, name: text(trigger, 'name'), sql: text(trigger, 'sql'), fault }));
    });
  } finally {
    copy.close();
  }
}

/** SQLite's error for an INSERT, UPDATE or DELETE; null if all three compile. */
function faultOfWriting(database: SQLite.Database, table: string): string | null {
  const name = quoteName(table);
  try {
    const columns = database
      .prepare<[string], string>('SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0')
      .pluck()
      .all(table)
      .map(quoteName);
    for (const statement of [
      `INSERT INTO ${name} DEFAULT VALUES`,
      `UPDATE ${name} SET ${columns.map((column) => `${column} = ${column}`).join(', ')}`,
      `DELETE FROM ${name}`,
    ]) {
      database.prepare(statement);
    }
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Copies tables and views without rows and triggers into memory; the caller closes the copy. @returns `absent`: those that could not be created in the copy */
export function copySchema(
  database: SQLite.Database,
  definitions: readonly Row[],
): { readonly copy: SQLite.Database; readonly absent: readonly string[] } {
  const copy = new SQLite(':memory:');
  copy.pragma('foreign_keys = OFF');
  // SQLAlchemy defines this function on every connection of the application
  copy.function('regexp', { varargs: true }, () => 0);
  const relations = definitions.filter((row) => row['type'] !== 'trigger' && !text(row, 'name').startsWith('sqlite_'));
  const absent = relations
    .map((row) => ({ name: text(row, 'name'), sql: optionalText(row, 'sql') ?? '' }))
    .filter(({ name, sql }) => !succeeds(() => copy.exec(sql)) && !existsIn(copy, name))
    .filter(({ name }) => !succeeds(() => copy.exec(tableOfColumns(database, name))));
  return { copy, absent: absent.map(({ name }) => name) };
}

/**
 * The statement of a table with only the columns: the original statement may need functions or modules that only the
 * owner's programs define.
 */
function tableOfColumns(database: SQLite.Database, name: string): string {
  const columns = database
    .prepare<[string], string>('SELECT name FROM pragma_table_xinfo(?)')
    .pluck()
    .all(name)
    .map(quoteName);
  return `CREATE TABLE ${quoteName(name)} (${columns.join(', ')})`;
}

/** Whether a table exists already: creating a virtual table also creates its shadow tables. */
function existsIn(copy: SQLite.Database, name: string): boolean {
  return copy.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(name) !== undefined;
}

export function withTriggers<Result>(copy: SQLite.Database, triggers: readonly Row[], work: () => Result): Result {
  copy.exec('SAVEPOINT trying');
  try {
    for (const trigger of triggers) succeeds(() => copy.exec(text(trigger, 'sql')));
    return work();
  } finally {
    copy.exec('ROLLBACK TO trying; RELEASE trying');
  }
}

/**
 * Whether the application would get the same error. Its SQLite may have modules and collations that this one lacks, and
 * reads a word in double quotes as a string if no column has that name.
 */
function isCertain(fault: string, absent: readonly string[]): boolean {
  if (/^no such (?:module|collation sequence)|string literal in single-quotes/.test(fault)) return false;
  const missing = /^no such table: (?:main\.)?(.*)$/s.exec(fault)?.[1]?.toLowerCase();
  return missing === undefined || !absent.some((name) => name.toLowerCase() === missing);
}

function succeeds(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
