import type { Engine } from '../../model/engine.ts';
import type { Column, Table } from '../../model/catalog.ts';
import { quoteName, quoteText } from '../../platform/sql-quoting.ts';

/** The statements for a table of the catalog: the table and its sequences, its indexes, its foreign keys. */
export interface TableStatements {
  readonly create: readonly string[];
  readonly indexes: readonly string[];
  /** Empty on SQLite: there foreign keys are part of the table, and may refer to a table that does not exist yet. */
  readonly foreignKeys: readonly string[];
}

/**
 * Renders the statements for a table of the catalog.
 * @param present tables that exist before this one. Foreign keys to them become part of CREATE TABLE, so PostgreSQL
 *   does not check rows, which takes half of the time of adding a foreign key
 */
export function renderTable(
  name: string,
  table: Table,
  engine: Engine,
  present: ReadonlySet<string> = new Set(),
): TableStatements {
  const comesWithTable = ([, rule]: [string, string]): boolean => {
    const target = targetOf(rule);
    return engine === 'sqlite' || target === null || present.has(target);
  };
  const constraints = Object.entries(table.constraints);
  return {
    create: createTable(name, table, constraints.filter(comesWithTable)),
    indexes: Object.entries(table.indexes).map(([index, { definition }]) =>
      renderIndex(name, index, definition, engine),
    ),
    foreignKeys: addConstraints(
      name,
      constraints.filter((constraint) => !comesWithTable(constraint)),
    ),
  };
}

function createTable(name: string, table: Table, inline: readonly [string, string][]): string[] {
  const lines = [
    ...Object.entries(table.columns).map(([column, definition]) => `${quoteName(column)} ${renderColumn(definition)}`),
    ...inline.map(([rule, definition]) =>
      rule === definition ? definition : `CONSTRAINT ${quoteName(rule)} ${definition}`,
    ),
  ];
  const sequences = Object.entries(table.columns).flatMap(([column, { default: expression }]) => {
    const sequence = sequenceOf(expression);
    return sequence === null ? [] : [{ sequence, owner: `${quoteName(name)}.${quoteName(column)}` }];
  });
  return [
    ...sequences.map(({ sequence }) => `CREATE SEQUENCE ${sequence} AS integer`),
    `CREATE TABLE ${quoteName(name)} (${lines.join(', ')})`,
    ...sequences.map(({ sequence, owner }) => `ALTER SEQUENCE ${sequence} OWNED BY ${owner}`),
  ];
}

/** The definition after the name of a column: `integer NOT NULL DEFAULT 0`. */
export function renderColumn({ type, notNull, default: expression }: Column): string {
  return `${type}${notNull ? ' NOT NULL' : ''}${expression === null ? '' : ` DEFAULT ${bracketed(expression)}`}`;
}

/** SQLite accepts an expression as a default only in parentheses, and returns it without them. */
function bracketed(expression: string): string {
  return /^[\w']+$|^'.*'$|::/.test(expression) ? expression : `(${expression})`;
}

/** The statement that creates an index. @param definition as in the catalog: `UNIQUE btree (code) WHERE (…)` */
export function renderIndex(table: string, name: string, definition: string, engine: Engine): string {
  const unique = definition.startsWith('UNIQUE ') ? 'UNIQUE ' : '';
  const rest = definition.slice(unique.length);
  const body = engine === 'sqlite' ? rest.replace(/^\w+ /, '') : `USING ${rest}`;
  return `CREATE ${unique}INDEX ${quoteName(name)} ON ${quoteName(table)} ${body}`;
}

/** The statement that adds constraints to a table; an empty list if there are none. */
export function addConstraints(name: string, constraints: readonly [string, string][]): string[] {
  if (constraints.length === 0) return [];
  const actions = constraints.map(([rule, definition]) => `ADD CONSTRAINT ${quoteName(rule)} ${definition}`);
  return [`ALTER TABLE ${quoteName(name)} ${actions.join(', ')}`];
}

/** The table that a foreign key refers to; null for any other constraint. */
export function targetOf(rule: string): string | null {
  return /^FOREIGN KEY .* REFERENCES (\w+)\(/.exec(rule)?.[1] ?? null;
}

/** The statement that creates an enum type with these labels. */
export function renderEnum(name: string, values: readonly string[]): string {
  return `CREATE TYPE ${quoteName(name)} AS ENUM (${values.map(quoteText).join(', ')})`;
}

/** The sequence in a default `nextval('…'::regclass)`, as the server prints it; null for any other default. */
export function sequenceOf(expression: string | null): string | null {
  return /^nextval\('([^']+)'::regclass\)$/.exec(expression ?? '')?.[1] ?? null;
}
