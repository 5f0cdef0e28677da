import { isUtf8 } from 'node:buffer';
import type { ExactValue } from '../../database/sqlite/row-reader.ts';
import type { Misfits } from '../../model/transfer.ts';
import type { Engine } from '../../model/engine.ts';
import { Failure } from '../../errors/failure.ts';
import { namesSecret } from '../../database/secret-columns.ts';
import type { Session } from '../../database/session.ts';
import { text } from '../../database/row-values.ts';
import type { Catalog } from '../../model/catalog.ts';
import { versionTable } from '../../schema/catalog.ts';
import { asideTableName } from '../../quarantine/names.ts';
import { reasonColumn } from '../../quarantine/rows.ts';
import { parseRule } from '../../repair/constraint-rules.ts';
import { openWriter, type RowWriter } from '../../database/sqlite/row-writer.ts';
import type { TableToFill } from './table-mapping.ts';
import { quoteName, quoteText } from '../../platform/sql-quoting.ts';
import { number, only, optionalText } from '../../database/row-values.ts';

/** The number of example rows that are shown for each reason. */
const shownRows = 3;
/** The number of characters that are shown of a value or a key. */
const shownLength = 40;

/** The options for loading rows, in both directions. */
export interface LoadOptions {
  /** Whether rows may be set aside. */
  readonly setAside: boolean;
  /** The names of the database and of the file, for messages. */
  readonly database: string;
  readonly archive: string;
  readonly signal: AbortSignal;
}

export function rowsDoNotFit(engine: Engine, misfits: readonly Misfits[], { database, archive }: LoadOptions): Failure {
  return new Failure({
    kind: 'restore-refused',
    database,
    obstacle: { kind: 'rows-do-not-fit', engine, archive, misfits },
  });
}

/** A value for a report; null if it may be a secret. */
export function shownValue(table: string, columns: readonly string[], value: string | null): string | null {
  if (table === 'settings' || columns.some(namesSecret)) return null;
  return value === null ? 'NULL' : shortened(value);
}

/** A text for a report: its first 40 characters. */
export function shortened(value: string): string {
  const characters = Array.from(value.slice(0, 2 * shownLength + 2));
  return characters.length > shownLength ? `${characters.slice(0, shownLength).join('')}…` : value;
}

/**
 * A value of SQLite as text; bytes that are not text in hexadecimal, as PostgreSQL writes them.
 * @param type of the column, as PostgreSQL prints it
 */
export function textOf(value: ExactValue, type: string): string | null {
  if (value === null) return null;
  const holdsText = /^(?:text|character varying|json)/.test(type);
  if (holdsText && Buffer.isBuffer(value) && isUtf8(value) && !value.includes(0)) return value.toString('utf8');
  return Buffer.isBuffer(value) || (typeof value === 'string' && value.includes('\0'))
    ? `\\x${Buffer.from(value).toString('hex')}`
    : String(value);
}

type MisfitKind = Omit<Misfits, 'rows' | 'examples'>;

/** The numbers of rows that do not fit, by table, columns and rule, each with some examples. */
export interface MisfitCounts {
  add(kind: MisfitKind, rows: number, examples: Misfits['examples']): void;
  /** Whether one more example would be shown. */
  wants(kind: MisfitKind): boolean;
  readonly found: readonly Misfits[];
}

export function openMisfitCounts(): MisfitCounts {
  const all = new Map<string, Misfits>();
  const keyOf = ({ table, columns, rule, expected }: MisfitKind): string =>
    JSON.stringify([table, columns, rule, expected]);
  return {
    add(kind, rows, examples) {
      const before = all.get(keyOf(kind)) ?? { ...kind, rows: 0, examples: [] };
      const together = { rows: before.rows + rows, examples: [...before.examples, ...examples].slice(0, shownRows) };
      all.set(keyOf(kind), { ...before, ...together });
    },
    wants: (kind) => (all.get(keyOf(kind))?.examples.length ?? 0) < shownRows,
    get found() {
      return [...all.values()];
    },
  };
}

/** A constraint of the schema that rows from SQLite may break. */
export interface ConstraintRule {
  readonly table: string;
  readonly kind: 'unique' | 'check' | 'reference';
  /** Its columns, as written in the definition. */
  readonly columns: readonly string[];
  readonly definition: string;
  /** The condition of a partial unique index. */
  readonly where: string | null;
  /** The target of a reference. */
  readonly target: { readonly table: string; readonly columns: readonly string[] } | null;
}

/** The constraints of a catalog that rows from SQLite may break: foreign keys come after all others. Pure. */
export function constraintRulesOf({ tables }: Catalog): readonly ConstraintRule[] {
  const rules = Object.entries(tables)
    .filter(([name]) => name !== versionTable)
    .flatMap(([table, { constraints, indexes }]) =>
      [...Object.values(constraints), ...Object.values(indexes).map(({ definition }) => definition)].flatMap(
        (definition) => constraintRuleOf(table, definition) ?? [],
      ),
    );
  return [...rules.filter(({ kind }) => kind !== 'reference'), ...rules.filter(({ kind }) => kind === 'reference')];
}

function constraintRuleOf(table: string, definition: string): ConstraintRule | null {
  const parsed = parseRule(definition);
  const rule = { table, definition, where: null, target: null };
  switch (parsed.kind) {
    case 'unique':
      return { ...rule, kind: 'unique', columns: parsed.columns, where: parsed.predicate };
    case 'reference':
      return {
        ...rule,
        kind: 'reference',
        columns: parsed.columns,
        target: { table: parsed.target, columns: parsed.targets },
      };
    // its definition names the columns
    case 'check':
      return { ...rule, kind: 'check', columns: [] };
    case 'none':
      return null;
  }
}

/** The tables for rows that are set aside: in a schema of their own, with the application's names, all columns text. */
export interface AsideTables {
  /** The schema, as SQL writes its name. */
  readonly schema: string;
  /** Whether it already holds rows of a table. */
  holds(table: string): boolean;
  /** Makes the table for the rows of an application table, if it does not exist yet. */
  open(table: string): Promise<void>;
}

/**
 * Moves all rows that break a constraint into the tables for rows that are set aside; then the rows that refer to them,
 * until no row breaks a constraint. Of the rows with the same unique value, the one with the lowest key stays.
 * PostgreSQL only.
 * @param given `columns` returns the columns of a table, `keys` those of its primary key
 */
export async function setViolatorsAside(
  session: Session,
  rules: readonly ConstraintRule[],
  given: {
    readonly aside: AsideTables;
    readonly misfitCounts: MisfitCounts;
    readonly columns: (table: string) => readonly string[];
    readonly keys: (table: string) => readonly string[];
  },
): Promise<void> {
  const { aside, misfitCounts, columns, keys } = given;
  const move = async (rule: ConstraintRule, as: Misfits['rule'], broken: string): Promise<number> => {
    const table = quoteName(rule.table);
    const found = only(await session.query(`SELECT count(*) AS rows FROM ${table} t WHERE ${broken}`));
    const rows = number(found, 'rows');
    if (rows === 0) return 0;
    const kind = { table: rule.table, columns: rule.columns, rule: as, expected: rule.definition };
    const examples = await session.query(
      `SELECT ${textOfColumns(keys(rule.table))} AS key, ${textOfColumns(rule.columns)} AS value
       FROM ${table} t WHERE ${broken} ORDER BY ctid LIMIT 3`,
    );
    misfitCounts.add(
      kind,
      rows,
      examples.map((row) => ({
        key: shortened(text(row, 'key')),
        value: shownValue(rule.table, rule.columns, optionalText(row, 'value')),
      })),
    );
    await aside.open(rule.table);
    const names = columns(rule.table).map(quoteName);
    await session.query(
      `WITH gone AS (DELETE FROM ${table} t WHERE ${broken} RETURNING t.*)
       INSERT INTO ${aside.schema}.${table} (${reasonColumn}, ${names.join(', ')})
       SELECT $1, ${names.map((name) => `${name}::text`).join(', ')} FROM gone`,
      [`${as}: ${rule.definition}`],
    );
    return rows;
  };

  for (const rule of rules.filter(({ kind }) => kind === 'check')) {
    await move(rule, 'check', `NOT ${rule.definition.slice('CHECK '.length)}`);
  }
  for (const rule of rules.filter(({ kind }) => kind === 'unique')) {
    await move(rule, 'unique', repeatsUniqueValue(rule, keys(rule.table)));
  }
  const references = rules.filter(({ kind }) => kind === 'reference');
  for (let moved = 1; moved > 0;) {
    moved = 0;
    for (const rule of references) {
      const { target } = rule;
      if (target === null) continue;
      const dangling = referencesNoRow(rule, target);
      if (aside.holds(target.table))
        moved += await move(rule, 'follows', `${dangling} AND ${referencesAsideRow(rule, aside)}`);
      moved += await move(rule, 'reference', dangling);
    }
  }
}

const textOfColumns = (columns: readonly string[]): string =>
  columns.length === 0 ? 'NULL' : `concat_ws(', ', ${columns.map((name) => `${quoteName(name)}::text`).join(', ')})`;

function repeatsUniqueValue({ table, columns, where }: ConstraintRule, key: readonly string[]): string {
  const names = columns.map(quoteName);
  const conditions = [...names.map((name) => `${name} IS NOT NULL`), ...(where === null ? [] : [where])];
  const order = [...key.map(quoteName), 'ctid'].join(', ');
  return `t.ctid IN (SELECT ctid FROM (
    SELECT ctid, row_number() OVER (PARTITION BY ${names.join(', ')} ORDER BY ${order}) AS place
    FROM ${quoteName(table)} WHERE ${conditions.join(' AND ')}) AS alike WHERE place > 1)`;
}

function referencesNoRow(
  { columns }: ConstraintRule,
  target: { readonly table: string; readonly columns: readonly string[] },
): string {
  const set = columns.map((name) => `t.${quoteName(name)} IS NOT NULL`);
  const same = columns.map((name, index) => `p.${quoteName(target.columns[index] ?? 'id')} = t.${quoteName(name)}`);
  return `${set.join(' AND ')} AND NOT EXISTS (SELECT FROM ${quoteName(target.table)} p WHERE ${same.join(' AND ')})`;
}

function referencesAsideRow({ columns, target }: ConstraintRule, { schema }: AsideTables): string {
  const same = columns.map(
    (name, index) => `q.${quoteName(target?.columns[index] ?? 'id')} = t.${quoteName(name)}::text`,
  );
  return `EXISTS (SELECT FROM ${schema}.${quoteName(target?.table ?? '')} q WHERE ${same.join(' AND ')})`;
}

/** Moves the rows that refer to a row that was set aside as well, until no row refers to one. SQLite only. */
export function setReferringRowsAside(
  file: string,
  tables: Iterable<TableToFill>,
  misfitCounts: MisfitCounts,
  prefix: string,
): void {
  const all = [...tables];
  const writer = openWriter(file);
  try {
    for (let moved = 1; moved > 0;) {
      moved = 0;
      for (const table of all) moved += moveRowsThatReferToAside(table, { writer, misfitCounts, aside: prefix });
    }
    writer.commit();
  } finally {
    writer.close();
  }
}

function moveRowsThatReferToAside(
  { name, columns, key, expected }: TableToFill,
  { writer, misfitCounts, aside }: InsertContext,
): number {
  const names = columns.map((column) => column.name);
  const into = asideTableName(aside, name);
  const asText = (column: string): string => `CAST(${quoteName(column)} AS TEXT)`;
  let moved = 0;
  for (const definition of Object.values(expected?.constraints ?? {})) {
    const rule = parseRule(definition);
    if (rule.kind !== 'reference' || !rule.columns.every((column) => names.includes(column))) continue;
    const held = asideTableName(aside, rule.target);
    if (!writer.holdsTable(held)) continue;
    const pairs = rule.columns.map((column, index) => [quoteName(column), quoteName(rule.targets[index] ?? 'id')]);
    const where = [
      ...pairs.map(([column]) => `t.${column} IS NOT NULL`),
      `NOT EXISTS (SELECT 1 FROM ${quoteName(rule.target)} p WHERE ${pairs.map(([column, target]) => `p.${target} = t.${column}`).join(' AND ')})`,
      `EXISTS (SELECT 1 FROM ${quoteName(held)} q WHERE ${pairs.map(([column, target]) => `q.${target} = CAST(t.${column} AS TEXT)`).join(' AND ')})`,
    ].join(' AND ');
    const from = `FROM ${quoteName(name)} AS t WHERE ${where}`;
    const found = writer.texts(`SELECT ${[...key, ...rule.columns].map(asText).join(', ')} ${from}`);
    if (found.length === 0) continue;
    const kind = { table: name, columns: rule.columns, rule: 'follows', expected: definition } as const;
    const examples = found.slice(0, 3).map((row) => ({
      key: shortened(row.slice(0, key.length).join(', ')),
      value: shownValue(name, rule.columns, row.slice(key.length).join(', ')),
    }));
    misfitCounts.add(kind, found.length, examples);
    if (!writer.holdsTable(into)) createAsideTable(writer, into, names);
    writer.run(
      `INSERT INTO ${quoteName(into)} SELECT ${quoteText(`follows: ${definition}`)}, ${names.map(asText).join(', ')} ${from};
       DELETE ${from}`,
    );
    moved += found.length;
  }
  return moved;
}

export interface InsertContext {
  readonly writer: RowWriter;
  readonly misfitCounts: MisfitCounts;
  /** The prefix of the tables for rows that do not fit. */
  readonly aside: string;
}

export function createAsideTable(
  writer: RowWriter,
  table: string,
  columns: readonly string[],
): ReturnType<RowWriter['into']> {
  const names = [reasonColumn, ...columns];
  writer.run(`CREATE TABLE ${quoteName(table)} (${names.map((name) => `${quoteName(name)} TEXT`).join(', ')})`);
  return writer.into(table, names);
}
