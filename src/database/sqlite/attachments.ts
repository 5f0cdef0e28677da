import type { Attachment } from '../../schema/surroundings.ts';
import { quoteName } from '../quoting.ts';
import { optionalText, text } from '../rows.ts';
import type { Row } from '../session.ts';

/** What a stored definition (`type`, `name`, `table`, `sql`) attaches to a table: a trigger, or the checks of the table. */
export function readAttachments(row: Row): readonly Attachment[] {
  const sql = optionalText(row, 'sql');
  if (sql === null) return [];
  const [table, name] = [text(row, 'table'), text(row, 'name')];
  if (text(row, 'type') === 'trigger') {
    const remedy = `DROP TRIGGER ${quoteName(name)}`;
    return [{ table, what: 'trigger', name, detail: sql, refuses: isRefusing(sql), remedy }];
  }
  return checksOf(sql)
    .filter((check) => !isApplications(check))
    .map((check) => ({
      table,
      what: 'check',
      name: table,
      detail: check,
      refuses: /^CHECK \(+\s*(?:false|0|1 = 0)\s*\)+$/i.test(check),
      remedy: `-- copy the rows of ${quoteName(table)} into a table of the same statement without ${check}, which then takes its name`,
    }));
}

/** A trigger that does nothing but raise, whatever the row. */
function isRefusing(sql: string): boolean {
  const [, head = '', body = ''] = /^([^]*?)\bBEGIN\b([^]*)$/i.exec(sql) ?? [];
  return !/\bWHEN\b/i.test(head) && /^\s*SELECT\s+RAISE\s*\((?:[^()']|'(?:[^']|'')*')*\)\s*;/i.test(body);
}

/** The checks in a CREATE TABLE, each with its parentheses. */
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

/** Those that the application's own statements make: of truth values, and of what a time entry is for. */
function isApplications(check: string): boolean {
  return (
    /^CHECK \("?\w+"? IN \(0, ?1\)\)$/i.test(check) || /project_id IS NOT NULL OR client_id IS NOT NULL/i.test(check)
  );
}
