import type { Column } from '../../../src/model/catalog.ts';
/**
 * Translates types, defaults and predicates of a catalog to the text of a migration. PostgreSQL prints expressions with
 * casts that SQLite does not know. Without them PostgreSQL reads the same expression; the import compares the catalogs to
 * check that.
 */
import { affinity } from '../../../src/schema/comparison.ts';

/** A piece of SQL, which may differ between the engines. */
export interface EngineSql {
  readonly postgresql: string;
  readonly sqlite: string;
}

export const both = (sql: string): EngineSql => ({ postgresql: sql, sqlite: sql });

/** Joins the pieces that are not empty with spaces. */
export const joined = (...parts: readonly EngineSql[]): EngineSql => ({
  postgresql: parts.flatMap(({ postgresql }) => (postgresql === '' ? [] : [postgresql])).join(' '),
  sqlite: parts.flatMap(({ sqlite }) => (sqlite === '' ? [] : [sqlite])).join(' '),
});

const typeNames: Readonly<Record<string, string>> = {
  'timestamp without time zone': 'TIMESTAMP',
  'timestamp with time zone': 'TIMESTAMPTZ',
  'time without time zone': 'TIME',
};

/** The types that the schema builder replaces on SQLite (src/migration/schema-builder/sqlite-schema.ts). */
const onSqlite: Readonly<Record<string, string>> = {
  'DOUBLE PRECISION': 'FLOAT',
  JSONB: 'JSON',
  INTERVAL: 'DATETIME',
};

/**
 * The type of a column. Both engines get the same word if it has the same meaning on SQLite.
 * @param enums the enumeration types with their labels
 * @param sqlite the column as observed on SQLite; undefined if it was not observed
 */
export function typeOf(
  column: Column,
  enums: Readonly<Record<string, readonly string[]>>,
  sqlite: Column | undefined,
): EngineSql {
  const labels = enums[column.type.replaceAll('"', '')];
  const postgresql = labels === undefined ? typeWord(column.type) : column.type;
  const fallback =
    labels === undefined ? postgresql : `VARCHAR(${Math.max(1, ...labels.map((label) => label.length))})`;
  const other = sqlite?.type ?? fallback;
  const same = affinity(onSqlite[postgresql] ?? postgresql) === affinity(other);
  return same && labels === undefined ? both(postgresql) : { postgresql, sqlite: other };
}

function typeWord(type: string): string {
  const known = typeNames[type];
  if (known !== undefined) return known;
  return type
    .replace(/^character varying/, 'VARCHAR')
    .replace(/^character\(/, 'CHAR(')
    .replace(/,(?=\d)/, ', ')
    .toUpperCase();
}

/** The default of a column as a migration writes it, or null for none. */
export function defaultOf(column: Column, sqlite: Column | undefined): EngineSql | null {
  if (column.default === null) return null;
  const text = plainDefault(column.default);
  if (/^(?:now\(\)|CURRENT_TIMESTAMP)$/i.test(text)) {
    return text === 'now()' ? { postgresql: text, sqlite: 'CURRENT_TIMESTAMP' } : both(text);
  }
  if (/^(?:'(?:[^']|'')*'|-?[\d.]+|TRUE|FALSE)$/.test(text)) return both(text);
  // a function: SQLite gets the default that the application uses there
  return { postgresql: text, sqlite: sqlite?.default ?? text };
}

function plainDefault(expression: string): string {
  const [, literal, type = ''] = /^'((?:[^']|'')*)'::([\w ."]+(?:\(\d+(?:,\d+)?\))?(?:\[\])?)$/.exec(expression) ?? [];
  if (literal !== undefined) {
    return /^(?:integer|bigint|smallint|numeric)/.test(type) ? literal : `'${literal}'`;
  }
  if (expression === 'true' || expression === 'false') return expression.toUpperCase();
  const [, negative] = /^\((-[\d.]+)\)(?:::[\w ]+)?$/.exec(expression) ?? [];
  return negative ?? expression;
}

/** A predicate or constraint as a person writes it: without casts, `IN (…)` instead of `= ANY (ARRAY[…])`. */
export function withoutCasts(expression: string): string {
  const literals: string[] = [];
  // replace each literal by a word first, because its content is no syntax
  let text = expression.replaceAll(/'(?:[^']|'')*'/g, (literal) => `literal_${literals.push(literal) - 1}_`);
  text = text.replaceAll(cast, '');
  for (let before = ''; before !== text;) {
    before = text;
    text = text
      .replaceAll(/(?<![\w"]|\bIN )\(("?[\w.]+"?|-[\d.]+)\)/g, '$1')
      .replaceAll(
        /= ANY \((?:\(ARRAY\[([^\]]*)\]\)|ARRAY\[([^\]]*)\])\)/g,
        (_, one?: string, other?: string) => `IN (${one ?? other ?? ''})`,
      )
      .replaceAll(
        /<> ALL \((?:\(ARRAY\[([^\]]*)\]\)|ARRAY\[([^\]]*)\])\)/g,
        (_, one?: string, other?: string) => `NOT IN (${one ?? other ?? ''})`,
      );
  }
  return text.replaceAll(/literal_(\d+)_/g, (_, at: string) => literals[Number(at)] ?? '');
}

const cast =
  /::(?:"[^"]+"|character varying|double precision|time(?:stamp)? with(?:out)? time zone|\w+)(?:\([\d,]+\))?(?:\[\])?/g;

/** Removes a pair of parentheses around the whole text. */
export function unwrapped(text: string): string {
  if (!text.startsWith('(') || !text.endsWith(')')) return text;
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    depth += text[index] === '(' ? 1 : text[index] === ')' ? -1 : 0;
    if (depth === 0 && index < text.length - 1) return text;
  }
  return unwrapped(text.slice(1, -1));
}
