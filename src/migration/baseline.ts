import type { Engine } from '../database/session.ts';
import type { Catalog, Column, Table } from '../schema/catalog.ts';
import { versionTable } from '../schema/catalog.ts';

/** The rows that the migrations leave in an empty database, by table; the time of the run stands as `<now>`. */
export type SeedRows = Readonly<Record<string, readonly Readonly<Record<string, SeedValue>>[]>>;

export type SeedValue = string | number | boolean | null;

/** What stands for the time of the run in `SeedRows`. */
export const runTime = '<now>';

/**
 * The statements that make the head of the schema in an empty database at once, instead of revision by revision.
 * Everything is derived from the catalog that the head promises; a test holds the result equal to the chain's.
 */
export function renderBaseline(head: Catalog, seed: SeedRows, engine: Engine): readonly string[] {
  const tables = Object.entries(head.tables).filter(([name]) => name !== versionTable);
  return [
    ...Object.entries(head.enums).map(
      ([name, values]) => `CREATE TYPE ${name} AS ENUM (${values.map(literal).join(', ')})`,
    ),
    ...tables.flatMap(([name, table]) => createTable(name, table, engine)),
    ...Object.entries(seed).map(([name, rows]) => insertRows(name, rows)),
    ...tables.flatMap(([name, table]) => [
      ...createIndexes(name, table, engine),
      ...(engine === 'postgresql' ? addForeignKeys(name, table) : []),
    ]),
    ...(engine === 'postgresql' ? Object.keys(seed).flatMap((name) => advanceSequence(name, head.tables[name])) : []),
  ];
}

const isForeignKey = (definition: string): boolean => definition.startsWith('FOREIGN KEY');

function createTable(name: string, table: Table, engine: Engine): string[] {
  const inline = Object.entries(table.constraints).filter(([, rule]) => engine === 'sqlite' || !isForeignKey(rule));
  const lines = [
    ...Object.entries(table.columns).map(([column, definition]) => `${quote(column)} ${columnText(definition)}`),
    ...inline.map(([rule, definition]) =>
      rule === definition ? definition : `CONSTRAINT ${quote(rule)} ${definition}`,
    ),
  ];
  const sequences = Object.entries(table.columns).flatMap(([column, { default: expression }]) => {
    const sequence = sequenceOf(expression);
    return sequence === null ? [] : [{ sequence, owner: `${quote(name)}.${quote(column)}` }];
  });
  return [
    ...sequences.map(({ sequence }) => `CREATE SEQUENCE ${sequence} AS integer`),
    `CREATE TABLE ${quote(name)} (${lines.join(', ')})`,
    ...sequences.map(({ sequence, owner }) => `ALTER SEQUENCE ${sequence} OWNED BY ${owner}`),
  ];
}

function columnText({ type, notNull, default: expression }: Column): string {
  return `${type}${notNull ? ' NOT NULL' : ''}${expression === null ? '' : ` DEFAULT ${bracketed(expression)}`}`;
}

/** SQLite takes an expression only in parentheses, and shows it without. */
function bracketed(expression: string): string {
  return /^[\w']+$|^'.*'$|::/.test(expression) ? expression : `(${expression})`;
}

function createIndexes(name: string, table: Table, engine: Engine): string[] {
  return Object.entries(table.indexes).map(([index, { definition }]) => {
    const unique = definition.startsWith('UNIQUE ') ? 'UNIQUE ' : '';
    const rest = definition.slice(unique.length);
    const body = engine === 'sqlite' ? rest.replace(/^\w+ /, '') : `USING ${rest}`;
    return `CREATE ${unique}INDEX ${quote(index)} ON ${quote(name)} ${body}`;
  });
}

function addForeignKeys(name: string, { constraints }: Table): string[] {
  const keys = Object.entries(constraints).filter(([, definition]) => isForeignKey(definition));
  if (keys.length === 0) return [];
  const actions = keys.map(([rule, definition]) => `ADD CONSTRAINT ${quote(rule)} ${definition}`);
  return [`ALTER TABLE ${quote(name)} ${actions.join(', ')}`];
}

function insertRows(name: string, rows: SeedRows[string]): string {
  const columns = Object.keys(rows[0] ?? {});
  const tuples = rows.map((row) => `(${columns.map((column) => valueText(row[column] ?? null)).join(', ')})`);
  return `INSERT INTO ${quote(name)} (${columns.map(quote).join(', ')}) VALUES ${tuples.join(', ')}`;
}

function valueText(value: SeedValue): string {
  if (value === runTime) return 'CURRENT_TIMESTAMP';
  return typeof value === 'string' ? literal(value) : String(value ?? 'NULL').toUpperCase();
}

/** Rows with explicit ids leave a sequence where it was: the next id has to be free. */
function advanceSequence(name: string, table: Table | undefined): string[] {
  return Object.entries(table?.columns ?? {}).flatMap(([column, { default: expression }]) => {
    const sequence = sequenceOf(expression);
    return sequence === null
      ? []
      : [`SELECT setval('${sequence}', (SELECT max(${quote(column)}) FROM ${quote(name)}))`];
  });
}

function sequenceOf(expression: string | null): string | null {
  return /^nextval\('([^']+)'::regclass\)$/.exec(expression ?? '')?.[1] ?? null;
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
