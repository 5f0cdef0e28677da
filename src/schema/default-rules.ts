import type { Catalog, Table } from '../model/catalog.ts';
import { quoteName, quoteText } from '../platform/sql-quoting.ts';
import { constraintEffect, withoutCasts } from './comparison.ts';

/** A number, text or boolean literal, as PostgreSQL or SQLite prints it in a default: with a cast or in parentheses. */
const literal = /^\(*(-?\d+(?:\.\d+)?|'(?:[^']|'')*'|true|false)\)*(?:::[\w ]+(?:\(\d+(?:,\d+)?\))?)?\)*$/i;

/** The value of a default that is a literal, in a form that is the same for all releases; null for other defaults. */
export function literalIn(standard: string | null): string | null {
  const [, value] = standard === null ? [] : (literal.exec(standard) ?? []);
  if (value === undefined) return null;
  return value.startsWith("'") ? value.slice(1, -1) : value.toLowerCase();
}

/**
 * Builds the queries that find constraints, added by the owner, which a new row violates with its defaults: a foreign
 * key whose default values reference no row, a NOT NULL foreign key to an empty table of the owner, and a check that
 * the defaults violate. PostgreSQL only: on SQLite the application does not enforce foreign keys.
 * @param readable whether a table of the application may be queried
 */
export function defaultQueries(
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

/** SQL for whether a foreign key refuses every new row; null for other constraints, and if it cannot be decided. */
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

/** The keywords of a check that can be evaluated: it compares with literals, calls no function and raises no error. */
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

/** SQL for whether defaults violate a check over only the owner's columns; null if that cannot be decided. */
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
