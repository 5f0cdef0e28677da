import type { Engine } from '../database/session.ts';
import type { Column, Table } from '../schema/catalog.ts';
import { quoteName } from './sql-tokens.ts';

/** What a promised table consists of, as statements: the table and its sequences, its indexes, its foreign keys. */
export interface TableStatements {
  readonly create: readonly string[];
  readonly indexes: readonly string[];
  /** Empty on SQLite, where foreign keys are part of the table and may refer to one that does not exist yet. */
  readonly foreignKeys: readonly string[];
}

/** Renders a table from its catalog. */
export function renderTable(name: string, table: Table, engine: Engine): TableStatements {
  return {
    create: createTable(name, table, engine),
    indexes: Object.entries(table.indexes).map(([index, { definition }]) =>
      renderIndex(name, index, definition, engine),
    ),
    foreignKeys: engine === 'postgresql' ? addForeignKeys(name, table) : [],
  };
}

function createTable(name: string, table: Table, engine: Engine): string[] {
  const inline = Object.entries(table.constraints).filter(([, rule]) => engine === 'sqlite' || !isForeignKey(rule));
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

/** What stands behind a column's name: `integer NOT NULL DEFAULT 0`. */
export function renderColumn({ type, notNull, default: expression }: Column): string {
  return `${type}${notNull ? ' NOT NULL' : ''}${expression === null ? '' : ` DEFAULT ${bracketed(expression)}`}`;
}

/** SQLite takes an expression only in parentheses, and shows it without. */
function bracketed(expression: string): string {
  return /^[\w']+$|^'.*'$|::/.test(expression) ? expression : `(${expression})`;
}

/** @param definition as the catalog has it: `UNIQUE btree (code) WHERE (…)` */
export function renderIndex(table: string, name: string, definition: string, engine: Engine): string {
  const unique = definition.startsWith('UNIQUE ') ? 'UNIQUE ' : '';
  const rest = definition.slice(unique.length);
  const body = engine === 'sqlite' ? rest.replace(/^\w+ /, '') : `USING ${rest}`;
  return `CREATE ${unique}INDEX ${quoteName(name)} ON ${quoteName(table)} ${body}`;
}

function addForeignKeys(name: string, { constraints }: Table): string[] {
  const keys = Object.entries(constraints).filter(([, definition]) => isForeignKey(definition));
  if (keys.length === 0) return [];
  const actions = keys.map(([rule, definition]) => `ADD CONSTRAINT ${quoteName(rule)} ${definition}`);
  return [`ALTER TABLE ${quoteName(name)} ${actions.join(', ')}`];
}

const isForeignKey = (definition: string): boolean => definition.startsWith('FOREIGN KEY');

export function renderEnum(name: string, values: readonly string[]): string {
  return `CREATE TYPE ${quoteName(name)} AS ENUM (${values.map(literal).join(', ')})`;
}

/** The sequence from which a default takes the next number, as the server prints it; null for any other default. */
export function sequenceOf(expression: string | null): string | null {
  return /^nextval\('([^']+)'::regclass\)$/.exec(expression ?? '')?.[1] ?? null;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
