import type { Attachment } from '../../model/database-facts.ts';
import type { Row } from '../../model/engine.ts';
import { isNeverTrue } from '../../model/never-true.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import { optionalText, text } from '../row-values.ts';
import type { BrokenTrigger } from './broken-triggers.ts';

/**
 * Reads the attachments in a row of sqlite_schema (`type`, `name`, `table`, `sql`): a trigger, or the checks of a
 * table.
 * @param broken the triggers that do not compile, each with the tables that cannot be written because of it
 */
export function readAttachments(row: Row, broken: readonly BrokenTrigger[]): readonly Attachment[] {
  const sql = optionalText(row, 'sql');
  if (sql === null || text(row, 'type') === 'view') return [];
  const [table, name] = [text(row, 'table'), text(row, 'name')];
  if (text(row, 'type') === 'trigger') {
    const faults = broken.filter((each) => each.name === name);
    const remedy = `DROP TRIGGER ${faults.length > 1 ? 'IF EXISTS ' : ''}${quoteName(name)}`;
    const trigger = { what: 'trigger', name, remedy, definition: sql };
    return faults.length === 0
      ? [{ ...trigger, table, detail: sql, refuses: isRefusing(sql, table) }]
      : faults.map(({ table: written, fault }) => ({
          ...trigger,
          table: written,
          detail: { kind: 'does-not-compile', definition: sql, message: fault },
          refuses: true,
        }));
  }
  return checksOf(sql)
    .filter((check) => !isApplicationCheck(check))
    .map((check) => ({
      table,
      what: 'check',
      name: table,
      detail: check,
      refuses: isNeverTrue(check),
      remedy: `-- copy the rows of ${quoteName(table)} into a table of the same statement without ${check}, which then takes its name`,
    }));
}

/**
 * Whether a trigger always raises an error, or deletes the row that was just written, or all rows. SQLite runs all
 * statements of a trigger in order, without conditions, so each of them can be judged alone.
 */
function isRefusing(sql: string, table: string): boolean {
  const [, head = '', body = ''] = /^([^]*?)\bBEGIN\b([^]*)$/i.exec(sql) ?? [];
  if (/\bWHEN\b(?!\s*\(?\s*(?:1|true|1\s*=\s*1)\s*\)?\s*$)/i.test(head)) return false;
  const removes = new RegExp(
    String.raw`^DELETE\s+FROM\s+(?:"?\w+"?\.)?["\x60\[]?${table.replaceAll(/\W/g, String.raw`\$&`)}["\x60\]]?\s*(?:$|WHERE\b[^]*\bNEW\s*\.)`,
    'i',
  );
  const writes = /\b(?:INSERT|UPDATE)\b[^]*\bON\b/i.test(head);
  return statementsOf(body).some(
    (statement) =>
      /^SELECT\s+RAISE\s*\((?:[^()']|'(?:[^']|'')*')*\)$/i.test(statement) || (writes && removes.test(statement)),
  );
}

/** The statements between the semicolons, without comments. */
function statementsOf(body: string): readonly string[] {
  const parts = body.matchAll(/(?:'(?:[^']|'')*'|"[^"]*"|--[^\n]*|\/\*[^]*?\*\/|[^;])+/g);
  return Array.from(parts, ([part]) => part.replaceAll(/--[^\n]*|\/\*[^]*?\*\//g, ' ').trim());
}

/** The CHECK constraints in a CREATE TABLE, each with its parentheses. */
function checksOf(sql: string): readonly string[] {
  return [...sql.matchAll(/\bCHECK\s*(?=\()/gi)].map(({ index, 0: word }) => {
    const start = index + word.length;
    let depth = 0;
    let quoted = false;
    let end = start;
    for (; end < sql.length; end++) {
      const sign = sql.charAt(end);
      if (sign === "'") quoted = !quoted;
      if (quoted) continue;
      if (sign === '(') depth++;
      if (sign === ')' && --depth === 0) break;
    }
    return `CHECK ${sql.slice(start, end + 1).replaceAll(/\s+/g, ' ')}`;
  });
}

/** Whether a check is the application's: on a boolean column, or that a time entry has a project or a client. */
function isApplicationCheck(check: string): boolean {
  return (
    /^CHECK \("?\w+"? IN \(0, ?1\)\)$/i.test(check) || /project_id IS NOT NULL OR client_id IS NOT NULL/i.test(check)
  );
}
