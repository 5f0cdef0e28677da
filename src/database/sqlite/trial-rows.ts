import type SQLite from 'better-sqlite3';
import { reasonOf } from '../../errors/failure.ts';
import type { Attachment } from '../../model/database-facts.ts';
import type { Row } from '../../model/engine.ts';
import type { SuspectTable } from '../../model/trial.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import { text } from '../row-values.ts';
import { copySchema, withTriggers } from './broken-triggers.ts';

/**
 * Tries rows on an empty copy of the schema in memory, with one trigger of the owner's at a time, and reports the
 * triggers that refuse every row whatever is in it: a trigger that looks at the row, at other tables or at the clock is
 * not judged.
 */
export function tryRows(database: SQLite.Database, suspects: readonly SuspectTable[]): readonly Attachment[] {
  const definitions = database
    .prepare<[], Row>(
      'SELECT type, name, tbl_name AS "table", sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid',
    )
    .all();
  const judged = definitions.filter(
    (row) => row['type'] === 'trigger' && isSuspect(row, suspects) && !dependsOnMore(text(row, 'sql')),
  );
  if (judged.length === 0) return [];
  const { copy } = copySchema(
    database,
    definitions.filter(({ type }) => type === 'table' || type === 'view'),
  );
  try {
    return judged.flatMap((trigger) => {
      const [table, name, sql] = [text(trigger, 'table'), text(trigger, 'name'), text(trigger, 'sql')];
      const columns = suspects.find((suspect) => suspect.table === table)?.columns ?? {};
      // a row that fails without the trigger proves nothing about it
      if (refusalOf(copy, table, columns) !== null) return [];
      const reason = withTriggers(copy, [trigger], () => refusalOf(copy, table, columns));
      // names that are not there are judged by `findBrokenTriggers`: the application's SQLite may know more of them
      if (reason === null || reason.startsWith('no such ')) return [];
      return [
        {
          table,
          what: 'trigger',
          name,
          detail: { kind: 'refused-trial', definition: sql, message: reason === '' ? null : reason },
          refuses: true,
          remedy: `DROP TRIGGER ${quoteName(name)}`,
          definition: sql,
        },
      ];
    });
  } finally {
    copy.close();
  }
}

const isSuspect = (row: Row, suspects: readonly SuspectTable[]): boolean =>
  suspects.some(({ table, objects }) => table === row['table'] && objects.includes(text(row, 'name')));

/**
 * Whether what a trigger does may depend on the row, on other rows or on the time. A comparison with the key of the row
 * and the table of a DELETE do not count.
 */
function dependsOnMore(sql: string): boolean {
  const code = sql
    .replaceAll(/--[^\n]*|\/\*[^]*?\*\/|'(?:[^']|'')*'/g, ' ')
    .replaceAll(/\bwhere\s+(?:\w+\.)?(?:id|rowid)\s*=\s*(?:new|old)\.(?:id|rowid)\b/gi, ' ')
    .replaceAll(/\bdelete\s+from\b/gi, ' ');
  return /\b(?:new|old|from|when|random|current_(?:date|time|timestamp)|date|time|datetime|julianday|strftime|unixepoch)\b/i.test(
    code.replaceAll(/\bcase\s+when\b/gi, ' '),
  );
}

/**
 * Inserts, updates and deletes a row with a value in each column.
 * @returns SQLite's error; empty if the row was not there afterwards; null if all went well
 */
function refusalOf(copy: SQLite.Database, table: string, columns: SuspectTable['columns']): string | null {
  const name = quoteName(table);
  const names = Object.keys(columns).map(quoteName);
  const values = Object.values(columns).map(({ type }) => valueOf(type));
  const isThere = (): boolean => copy.prepare(`SELECT 1 FROM ${name}`).get() !== undefined;
  copy.exec('SAVEPOINT row');
  try {
    copy.exec(`INSERT INTO ${name} (${names.join(', ')}) VALUES (${values.join(', ')})`);
    if (!isThere()) return '';
    copy.exec(`UPDATE ${name} SET ${names.map((column) => `${column} = ${column}`).join(', ')}`);
    copy.exec(`DELETE FROM ${name}`);
    return isThere() ? '' : null;
  } catch (error) {
    return reasonOf(error);
  } finally {
    copy.exec('ROLLBACK TO row; RELEASE row');
  }
}

/** A value of a type, as the application might write it: SQLite accepts any, but checks of the application do not. */
function valueOf(type: string): string {
  if (/^(?:DATE|TIME)/i.test(type)) return "'2026-01-01 09:00:00'";
  if (/CHAR|TEXT|CLOB|JSON/i.test(type)) return "'{}'";
  return '1';
}
