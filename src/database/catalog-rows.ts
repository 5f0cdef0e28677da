import type { Column, Index, Table } from '../model/catalog.ts';
import { someDefault } from '../model/database-facts.ts';
import type { Engine, Row } from '../model/engine.ts';
import { flag, text } from './row-values.ts';

type Columns = Table['columns'];

/** The separator between the values of a JSON array, as each engine prints it. */
const separators: Readonly<Record<Engine, string>> = { postgresql: ', ', sqlite: ',' };

/**
 * The columns of a table, from one JSON text for all of them. An expected table has most of the columns of a healthy
 * database: if the texts are equal, so are the columns, and the text is not parsed.
 * @param columns a JSON array of `[name, type, not null, default]`; the default is `identity`, one of
 *   `generated`, `someDefault` or null
 * @param defaults the texts of defaults that were read, by the names of their columns
 * @param expected the columns that the table probably has: returned themselves if it has them
 */
export function readColumns(
  columns: string,
  defaults: Readonly<Record<string, string>>,
  expected: Columns | undefined,
  engine: Engine,
): Columns {
  if (expected !== undefined && columns === textOf(expected, separators[engine])) {
    const known = Object.entries(defaults).every(([name, printed]) => expected[name]?.default === printed);
    if (known) return expected;
  }
  const parsed: unknown = JSON.parse(columns);
  return Object.fromEntries(
    listIn(parsed).map((values): [string, Column] => {
      const [name, type, notNull, standard] = listIn(values);
      const row = { name, type, notNull, standard };
      const column = text(row, 'name');
      const shown = standard === null ? null : (defaults[column] ?? text(row, 'standard'));
      return [column, { type: text(row, 'type'), notNull: flag(row, 'notNull'), default: shown }];
    }),
  );
}

function listIn(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError('the columns of a table are not a list');
  return value;
}

/**
 * The JSON text that a database prints for columns. Names are not escaped: for a name that needs escapes the texts
 * differ, and the caller parses the text.
 */
function textOf(columns: Columns, separator: string): string {
  const texts = Object.entries(columns).map(([name, { type, notNull, default: standard }]) => {
    const shown = standard === null ? 'null' : standard === 'identity' ? '"identity"' : `"${someDefault}"`;
    return `["${name}"${separator}"${type}"${separator}${notNull}${separator}${shown}]`;
  });
  return `[${texts.join(separator)}]`;
}

/** Reads an object whose values are texts, from JSON; null counts as an empty object. @throws TypeError */
export function textsByName(value: unknown): Readonly<Record<string, string>> {
  if (value === null) return {};
  if (!isTexts(value)) throw new TypeError('not an object of texts');
  return value;
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return isObject(value) && Object.values(value).every((entry) => typeof entry === 'string');
}

/** Reads the indexes of a table by their names, from JSON. @throws TypeError */
export function indexesByName(value: unknown): Readonly<Record<string, Index>> {
  if (!areIndexes(value)) throw new TypeError('not an object of indexes');
  return value;
}

function areIndexes(value: unknown): value is Readonly<Record<string, Index>> {
  return (
    isObject(value) &&
    Object.values(value).every(
      (entry) => isObject(entry) && typeof entry['definition'] === 'string' && typeof entry['valid'] === 'boolean',
    )
  );
}

const isObject = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value);
