import type { Column } from '../../../src/model/catalog.ts';
/**
 * How a catalog's words become those of a migration: types, defaults, predicates. PostgreSQL prints expressions with
 * casts that nobody wrote and that SQLite does not read; without them it reads the same again, and a comparison of the
 * catalogs proves it.
 */
import { affinity } from '../../../src/schema/comparison.ts';

/** A piece of SQL that may have to be said differently on the two engines. */
export interface Sql {
  readonly postgresql: string;
  readonly sqlite: string;
}

export const both = (sql: string): Sql => ({ postgresql: sql, sqlite: sql });

/** Puts pieces behind each other with spaces between them, without those that are empty. */
export const joined = (...parts: readonly Sql[]): Sql => ({
  postgresql: parts.flatMap(({ postgresql }) => (postgresql === '' ? [] : [postgresql])).join(' '),
  sqlite: parts.flatMap(({ sqlite }) => (sqlite === '' ? [] : [sqlite])).join(' '),
});

const typeNames: Readonly<Record<string, string>> = {
  'timestamp without time zone': 'TIMESTAMP',
  'timestamp with time zone': 'TIMESTAMPTZ',
  'time without time zone': 'TIME',
};

/** What the schema builder makes of its words on SQLite (src/migration/schema-builder/sqlite-schema.ts). */
const onSqlite: Readonly<Record<string, string>> = {
  'DOUBLE PRECISION': 'FLOAT',
  JSONB: 'JSON',
  INTERVAL: 'DATETIME',
};

/**
 * The type of a column. One word serves both engines where SQLite keeps the same under it.
 * @param enums the enumeration types with their labels
 * @param sqlite the column as it was seen on SQLite, where it was
 */
export function typeOf(
  column: Column,
  enums: Readonly<Record<string, readonly string[]>>,
  sqlite: Column | undefined,
): Sql {
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
export function defaultOf(column: Column, sqlite: Column | undefined): Sql | null {
  if (column.default === null) return null;
  const text = plainDefault(column.default);
  if (/^(?:now\(\)|CURRENT_TIMESTAMP)$/i.test(text)) {
    return text === 'now()' ? { postgresql: text, sqlite: 'CURRENT_TIMESTAMP' } : both(text);
  }
  if (/^(?:'(?:[^']|'')*'|-?[\d.]+|TRUE|FALSE)$/.test(text)) return both(text);
  // a function: what SQLite has instead is what the application gave it
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

/** A predicate or rule as somebody would write it: without casts, `IN (…)` for `= ANY (ARRAY[…])`. */
export function withoutCasts(expression: string): string {
  const literals: string[] = [];
  // a word stands for each literal meanwhile: what it holds is no syntax
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

/** Takes one pair of parentheses away that holds the whole. */
export function unwrapped(text: string): string {
  if (!text.startsWith('(') || !text.endsWith(')')) return text;
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    depth += text[index] === '(' ? 1 : text[index] === ')' ? -1 : 0;
    if (depth === 0 && index < text.length - 1) return text;
  }
  return unwrapped(text.slice(1, -1));
}
