import type { Catalog, Table } from '../model/catalog.ts';
import { quoteName, quoteText } from '../platform/sql-quoting.ts';
import { constraintEffect, withoutCasts } from './comparison.ts';

/** A number, a text or a truth value, as PostgreSQL or SQLite prints it as a default: with a cast, or in brackets. */
const literal = /^\(*(-?\d+(?:\.\d+)?|'(?:[^']|'')*'|true|false)\)*(?:::[\w ]+(?:\(\d+(?:,\d+)?\))?)?\)*$/i;

/** The value of a default that is a literal, comparable between releases; null for another default. */
export function literalIn(standard: string | null): string | null {
  const [, value] = standard === null ? [] : (literal.exec(standard) ?? []);
  if (value === undefined) return null;
  return value.startsWith("'") ? value.slice(1, -1) : value.toLowerCase();
}

/**
 * Questions about the owner's rules that a row breaks for which the application gives no other value: a foreign key
 * whose default refers to nothing, or that has to refer to a row of an empty table of the owner's, and a check that the
 * defaults do not pass. PostgreSQL only: on SQLite the application does not enforce foreign keys.
 * @param readable whether a table of the application may be asked
 */
export function askDefaults(
  head: Catalog,
  { tables }: Catalog,
  readable: (table: string) => boolean,
): readonly string[] {
  return Object.entries(head.tables).flatMap(([name, expected]) => {
    const found = tables[name];
    if (found === undefined || !readable(name)) return [];
    const unlike = Object.entries(found.constraints).filter(([key, rule]) => expected.constraints[key] !== rule);
    if (unlike.length === 0) return [];
    const known = new Set(Object.values(expected.constraints).map(constraintEffect));
    return unlike
      .filter(([, rule]) => !known.has(constraintEffect(rule)) && !rule.endsWith(' NOT ENFORCED'))
      .flatMap(([constraint, rule]) => {
        const broken = brokenCheck(rule, expected, found) ?? danglingReference(rule, found, { head, tables });
        return broken === null
          ? []
          : [
              `SELECT 'default' AS fault, ${quoteText(name)} AS "table", ${quoteText(constraint)} AS value WHERE ${broken}`,
            ];
      });
  });
}

/** SQL for whether a foreign key refuses every row; null if it is none, or is not judged. */
function danglingReference(
  rule: string,
  found: Table,
  { head, tables }: { readonly head: Catalog; readonly tables: Catalog['tables'] },
): string | null {
  const [, columns, target, keys] = /^FOREIGN KEY \((.*?)\) REFERENCES (.*?)\((.*?)\)/.exec(rule) ?? [];
  if (columns === undefined || target === undefined || keys === undefined) return null;
  const parent = tables[unquoted(target)];
  if (parent === undefined || parent.unreadable === true) return null;
  const referring = columns.split(', ').map((column) => found.columns[unquoted(column)]);
  const values = referring.map((column) => column?.default ?? null);
  if (values.every((value) => literalIn(value) !== null)) {
    const pairs = keys.split(', ').map((key, index) => `${key} = ${values[index] ?? 'NULL'}`);
    return `NOT EXISTS (SELECT FROM ${target} WHERE ${pairs.join(' AND ')})`;
  }
  const needsValue = referring.every((column) => column?.notNull === true);
  return needsValue && !Object.hasOwn(head.tables, unquoted(target)) ? `NOT EXISTS (SELECT FROM ${target})` : null;
}

/** What a check may consist of to be judged: comparisons with literals. It calls nothing, and raises no error. */
const keywords = new Set([
  'and',
  'or',
  'not',
  'is',
  'null',
  'any',
  'all',
  'array',
  'true',
  'false',
  'distinct',
  'from',
]);

/** SQL for whether the defaults of the owner's columns break a check over only these; null if it is not judged. */
function brokenCheck(rule: string, expected: Table, found: Table): string | null {
  const [, check] = /^CHECK (\(.*\))(?: NOT VALID)?$/s.exec(rule) ?? [];
  if (check === undefined) return null;
  const tokens = withoutCasts(check).match(/'(?:[^']|'')*'|"(?:[^"]|"")*"|[a-z_]\w*|[\d.]+|\S/gi) ?? [];
  const isName = (token: string): boolean => /^[a-z_"]/i.test(token) && !keywords.has(token.toLowerCase());
  const names = tokens.filter(isName).map(unquoted);
  // a function may have the name of a column
  const calls = tokens.some((token, index) => isName(token) && tokens[index + 1] === '(');
  if (calls || names.length === 0 || tokens.some((token) => /^[^\w'"=<>!~()[\],.-]/.test(token))) return null;
  const values = [...new Set(names)].map((name) => {
    const column = Object.hasOwn(expected.columns, name) ? undefined : found.columns[name];
    if (column === undefined || (column.default !== null && literalIn(column.default) === null)) return null;
    return `CAST(${column.default ?? 'NULL'} AS ${column.type}) AS ${quoteName(name)}`;
  });
  if (values.includes(null)) return null;
  return `NOT (SELECT ${check} FROM (SELECT ${values.join(', ')}) AS defaults)`;
}

const unquoted = (name: string): string => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name);
