/** Compares the results of db-init's own migration and of the application's. Pure. */
import type { Engine } from '../../../src/model/engine.ts';
import type { Catalog, Column, Table } from '../../../src/model/catalog.ts';
import { affinity } from '../../../src/schema/comparison.ts';
import { applyChange, changeBetween } from '../../../src/schema/history.ts';
import type { Observation } from './databases.ts';
import type { Rows } from './renames.ts';
import { typeOf, unwrapped } from './sql-text.ts';

/** The observations before and after a revision on one engine. */
export interface ObservedRevision {
  readonly engine: Engine;
  readonly before: Observation;
  readonly after: Observation;
}

/** The differences of db-init's schema from the application's, as sentences. */
export function schemaDifferences(theirs: ObservedRevision, ours: ObservedRevision): string[] {
  const plain = theirs.engine === 'sqlite' ? normalizeSqlite : (catalog: Catalog) => catalog;
  return catalogDifferences(plain(theirs.after.catalog), plain(ours.after.catalog));
}

/**
 * The same with the application's result on the other engine. Only the parts that both engines have are compared: added,
 * removed and changed columns, kinds of types, keys and indexes.
 */
export function schemaDifferencesAcross(theirs: ObservedRevision, ours: ObservedRevision): string[] {
  const change = comparableCatalog(theirs.after.catalog, theirs.engine);
  const expected = applyChange(
    comparableCatalog(ours.before.catalog, ours.engine),
    changeBetween(comparableCatalog(theirs.before.catalog, theirs.engine), change),
  );
  return catalogDifferences(expected, comparableCatalog(ours.after.catalog, ours.engine));
}

/** The tables in which the number of rows changes in another way than on the other engine. */
export function countDifferences(theirs: ObservedRevision, ours: ObservedRevision): string[] {
  const gained = ({ before, after }: ObservedRevision, table: string): number =>
    (after.rows[table]?.length ?? 0) - (before.rows[table]?.length ?? 0);
  return [...new Set([...Object.keys(theirs.after.rows), ...Object.keys(ours.after.rows)])].flatMap((table) => {
    const [expected, found] = [gained(theirs, table), gained(ours, table)];
    return expected === found ? [] : [`${table} gains ${found} rows, and ${expected} on the other engine`];
  });
}

const partKinds = [
  ['columns', 'column'],
  ['constraints', 'constraint'],
  ['indexes', 'index'],
] as const;

function catalogDifferences(theirs: Catalog, ours: Catalog): string[] {
  const { tables = {}, enums = {} } = changeBetween(ours, theirs);
  return [
    ...Object.entries(tables).flatMap(([table, change]) => {
      if (change === null) return [`the table ${table} should be gone`];
      if (!Object.hasOwn(ours.tables, table)) return [`the table ${table} is missing`];
      return partKinds.flatMap(([kind, what]) =>
        Object.entries<unknown>(change[kind] ?? {}).map(([name, part]) =>
          part === null
            ? `${table}: the ${what} ${name} should be gone`
            : `${table}: the ${what} ${name} should be ${partText(part)}`,
        ),
      );
    }),
    ...Object.entries(enums).map(([name, labels]) =>
      labels === null
        ? `the type ${name} should be gone`
        : `the type ${name} should have the labels ${labels.join(', ')}`,
    ),
  ];
}

function partText(part: unknown): string {
  if (typeof part === 'string') return part;
  return JSON.stringify(part);
}

/** A catalog without differences that have no meaning on SQLite, or that depend on the form of a statement. */
function normalizeSqlite({ tables }: Catalog): Catalog {
  return {
    tables: mapTables(tables, (column) => ({
      ...column,
      type: affinity(column.type),
      default: normalizeDefault(column.default),
    })),
    enums: {},
  };
}

function mapTables(tables: Catalog['tables'], map: (column: Column) => Column): Catalog['tables'] {
  return Object.fromEntries(
    Object.entries(tables).map(([name, table]) => [
      name,
      {
        columns: Object.fromEntries(Object.entries(table.columns).map(([column, is]) => [column, map(is)])),
        constraints: table.constraints,
        indexes: Object.fromEntries(
          Object.entries(table.indexes).map(([index, is]) => [
            index,
            { ...is, definition: normalizeText(is.definition) },
          ]),
        ),
      },
    ]),
  );
}

const normalizeText = (text: string): string =>
  text.replaceAll(/[\s"]+/g, ' ').replaceAll(/\( | \)/g, (end) => end.trim());

function normalizeDefault(expression: string | null): string | null {
  if (expression === null) return null;
  const text = unwrapped(expression);
  if (/^(?:true|false)$/i.test(text)) return /^t/i.test(text) ? '1' : '0';
  return /^'-?\d+(?:\.\d+)?'$/.test(text) ? text.slice(1, -1) : text;
}

/** The parts of a catalog that both engines have. */
function comparableCatalog({ tables, enums }: Catalog, engine: Engine): Catalog {
  const kind = (column: Column): string =>
    affinity(
      engine === 'sqlite' ? column.type : typeOf(column, enums, undefined).sqlite.replace('DOUBLE PRECISION', 'FLOAT'),
    );
  const rules = ({ constraints }: Table): string[] =>
    Object.values(constraints).filter((rule) => /^(?:PRIMARY|UNIQUE|FOREIGN)/.test(rule));
  return {
    tables: Object.fromEntries(
      Object.entries(tables).map(([name, table]) => [
        name,
        {
          columns: Object.fromEntries(
            Object.entries(table.columns).map(([column, is]) => [
              column,
              { type: kind(is), notNull: is.notNull, default: null },
            ]),
          ),
          constraints: Object.fromEntries(rules(table).map((rule) => [normalizeText(rule), normalizeText(rule)])),
          indexes: Object.fromEntries(
            Object.entries(table.indexes).map(([index, { definition, valid }]) => [
              index,
              { definition: normalizeText(definition.replace(/ WHERE .*/s, '')), valid },
            ]),
          ),
        },
      ]),
    ),
    enums: {},
  };
}

/** The tables whose rows differ, with an example. All times of the run count as equal. */
export function rowDifferences(
  { before: { at: since }, after: theirs }: ObservedRevision,
  { after: ours }: ObservedRevision,
): string[] {
  const until = `${theirs.at > ours.at ? theirs.at : ours.at}~`;
  const steady = (value: string | null): string | null =>
    value !== null && value >= since.slice(0, 19) && value <= until ? '<now>' : value;
  const tables = [...new Set([...Object.keys(theirs.rows), ...Object.keys(ours.rows)])].toSorted();
  return tables.flatMap((table) => {
    const [expected, found] = [theirs.rows[table] ?? [], ours.rows[table] ?? []];
    const texts = (rows: Rows[string]): string[] =>
      rows.map((row) =>
        JSON.stringify(
          Object.entries(row)
            .map(([name, value]) => [name, steady(value)])
            .toSorted(byName),
        ),
      );
    const [wanted, held] = [texts(expected), texts(found)];
    const missing = unmatched(wanted, held);
    const extra = unmatched(held, wanted);
    return missing.length + extra.length === 0 ? [] : [describeRows(table, missing, extra)];
  });
}

const byName = ([a]: readonly unknown[], [b]: readonly unknown[]): number => (String(a) < String(b) ? -1 : 1);

function unmatched(rows: readonly string[], others: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const row of others) counts.set(row, (counts.get(row) ?? 0) + 1);
  return rows.filter((row) => {
    const left = counts.get(row) ?? 0;
    counts.set(row, left - 1);
    return left <= 0;
  });
}

function describeRows(table: string, missing: readonly string[], extra: readonly string[]): string {
  const cells = (row: string | undefined): Map<string, unknown> => new Map(row === undefined ? [] : parsedRow(row));
  if (missing.length === 0) return `${table}: ${extra.length} rows should be gone`;
  if (extra.length === 0)
    return `${table}: ${missing.length} rows should be added, such as ${exampleOf(cells(missing[0]))}`;
  // the two rows with the most equal cells count as one changed row
  const [first] = missing.map(cells);
  const candidates = extra.map(cells);
  const alike = (other: Map<string, unknown>): number =>
    [...other].filter(([name, value]) => first?.get(name) === value).length;
  const former = candidates.toSorted((a, b) => alike(b) - alike(a))[0] ?? new Map<string, unknown>();
  const changed = [...(first ?? [])].filter(([name, value]) => former.get(name) !== value);
  const columns = changed
    .slice(0, 5)
    .map(([name, value]) => `${name} is ${literal(value)} where the steps leave ${literal(former.get(name))}`);
  return `${table}: ${missing.length} rows hold something else, such as one whose ${columns.join(', ')}`;
}

function parsedRow(text: string): [string, unknown][] {
  const cells: unknown = JSON.parse(text);
  return Array.isArray(cells)
    ? cells.map((cell: unknown) => (Array.isArray(cell) ? [String(cell[0]), cell[1]] : ['', null]))
    : [];
}

const exampleOf = (row: ReadonlyMap<string, unknown>): string =>
  [...row]
    .filter(([, value]) => value !== null)
    .slice(0, 6)
    .map(([name, value]) => `${name} ${literal(value)}`)
    .join(', ');

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return `'${text.length > 60 ? `${text.slice(0, 60)}…` : text}'`;
}
