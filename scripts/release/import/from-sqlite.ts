import type { Catalog, Column, Table } from '../../../src/model/catalog.ts';
import { applyChange, type CatalogChange, changeBetween } from '../../../src/schema/history.ts';

/**
 * PostgreSQL's catalog after a revision that succeeded only on SQLite: the catalog before, with SQLite's changes translated
 * to PostgreSQL. Constraints get the default names of PostgreSQL, because SQLite does not report their names.
 */
export function toPostgresCatalog(
  before: Catalog,
  sqlite: { readonly before: Catalog; readonly after: Catalog },
): Catalog {
  const { tables = {} } = changeBetween(sqlite.before, sqlite.after);
  const translated = Object.entries(tables).map(([name, change]): [string, TableChange] => {
    const table = sqlite.after.tables[name];
    if (change === null || table === undefined) return [name, null];
    const { columns = {}, constraints = {}, indexes = {} } = change;
    return [
      name,
      {
        columns: Object.fromEntries(
          Object.entries(columns).map(([column, is]) => [
            column,
            is === null ? null : translateColumn(name, column, is, table),
          ]),
        ),
        constraints: Object.fromEntries(
          Object.entries(constraints).map(([definition, is]) =>
            is === null ? [nameIn(before.tables[name], definition), null] : [defaultName(name, definition), definition],
          ),
        ),
        indexes,
      },
    ];
  });
  return applyChange(before, { tables: Object.fromEntries(translated) });
}

type TableChange = NonNullable<CatalogChange['tables']>[string];

function translateColumn(
  table: string,
  name: string,
  { type, notNull, default: expression }: Column,
  { constraints }: Table,
): Column {
  if (/^integer$/i.test(type) && Object.values(constraints).includes(`PRIMARY KEY (${name})`)) {
    return { type: 'integer', notNull: true, default: `nextval('${table}_${name}_seq'::regclass)` };
  }
  const postgresType = typeWord(type.toLowerCase());
  const isTruth = postgresType === 'boolean' && expression !== null && /^'?[01]'?$/.test(expression);
  return { type: postgresType, notNull, default: isTruth ? String(expression.includes('1')) : expression };
}

function typeWord(type: string): string {
  if (/^(?:datetime|timestamp)$/.test(type)) return 'timestamp without time zone';
  if (/^(?:float|real|double)/.test(type)) return 'double precision';
  return type
    .replace(/^varchar/, 'character varying')
    .replace(/^decimal/, 'numeric')
    .replace(/, (?=\d)/, ',');
}

function defaultName(table: string, definition: string): string {
  if (definition.startsWith('PRIMARY')) return `${table}_pkey`;
  const columns = /\(([^)]*)\)/.exec(definition)?.[1]?.split(', ').join('_') ?? '';
  return `${table}_${columns}_${definition.startsWith('FOREIGN') ? 'fkey' : 'key'}`;
}

const nameIn = (table: Table | undefined, definition: string): string =>
  Object.entries(table?.constraints ?? {}).find(([, is]) => is === definition)?.[0] ?? definition;
