import { quoteName } from '../../platform/sql-quoting.ts';
import type { Session } from '../../database/session.ts';
import { number, only, optionalText, text } from '../../database/row-values.ts';
import type { Catalog } from '../../model/catalog.ts';
import type { Misfits } from '../../model/transfer.ts';
import { versionTable } from '../../schema/catalog.ts';
import { reasonColumn } from '../../quarantine/rows.ts';
import { parseRule } from '../../repair/constraint-rules.ts';
import { type MisfitLedger, shortened, shownValue } from './misfits.ts';

/** A constraint of the schema that rows from SQLite may break. */
export interface Rule {
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

/** The constraints of a catalog: keys and unique rules, checks, then references. Pure. */
export function rulesOf({ tables }: Catalog): readonly Rule[] {
  const rules = Object.entries(tables)
    .filter(([name]) => name !== versionTable)
    .flatMap(([table, { constraints, indexes }]) =>
      [...Object.values(constraints), ...Object.values(indexes).map(({ definition }) => definition)].flatMap(
        (definition) => ruleOf(table, definition) ?? [],
      ),
    );
  return [...rules.filter(({ kind }) => kind !== 'reference'), ...rules.filter(({ kind }) => kind === 'reference')];
}

function ruleOf(table: string, definition: string): Rule | null {
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

/** Tables with the application's names in another schema, which store rows as text. */
export interface Aside {
  /** The schema, as SQL writes its name. */
  readonly schema: string;
  /** Whether it already holds rows of a table. */
  holds(table: string): boolean;
  /** Makes the table for the rows of an application table, if it does not exist yet. */
  open(table: string): Promise<void>;
}

/**
 * Moves out all rows that break a rule, then the rows that refer to those, until none is left. Of rows with the same
 * unique value, the one with the lowest key stays.
 * @param columns the columns of each table, and the columns of its key
 */
export async function setViolatorsAside(
  session: Session,
  rules: readonly Rule[],
  given: {
    readonly aside: Aside;
    readonly ledger: MisfitLedger;
    readonly columns: (table: string) => readonly string[];
    readonly keys: (table: string) => readonly string[];
  },
): Promise<void> {
  const { aside, ledger, columns, keys } = given;
  const move = async (rule: Rule, as: Misfits['rule'], broken: string): Promise<number> => {
    const table = quoteName(rule.table);
    const found = only(await session.query(`SELECT count(*) AS rows FROM ${table} t WHERE ${broken}`));
    const rows = number(found, 'rows');
    if (rows === 0) return 0;
    const kind = { table: rule.table, columns: rule.columns, rule: as, promised: rule.definition };
    const shown = await session.query(
      `SELECT ${textOfColumns(keys(rule.table))} AS key, ${textOfColumns(rule.columns)} AS value
       FROM ${table} t WHERE ${broken} ORDER BY ctid LIMIT 3`,
    );
    ledger.add(
      kind,
      rows,
      shown.map((row) => ({
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
    await move(rule, 'unique', repeated(rule, keys(rule.table)));
  }
  const references = rules.filter(({ kind }) => kind === 'reference');
  for (let moved = 1; moved > 0;) {
    moved = 0;
    for (const rule of references) {
      const { target } = rule;
      if (target === null) continue;
      const dangling = notFound(rule, target);
      if (aside.holds(target.table)) moved += await move(rule, 'follows', `${dangling} AND ${isAside(rule, aside)}`);
      moved += await move(rule, 'reference', dangling);
    }
  }
}

const textOfColumns = (columns: readonly string[]): string =>
  columns.length === 0 ? 'NULL' : `concat_ws(', ', ${columns.map((name) => `${quoteName(name)}::text`).join(', ')})`;

function repeated({ table, columns, where }: Rule, key: readonly string[]): string {
  const names = columns.map(quoteName);
  const conditions = [...names.map((name) => `${name} IS NOT NULL`), ...(where === null ? [] : [where])];
  const order = [...key.map(quoteName), 'ctid'].join(', ');
  return `t.ctid IN (SELECT ctid FROM (
    SELECT ctid, row_number() OVER (PARTITION BY ${names.join(', ')} ORDER BY ${order}) AS place
    FROM ${quoteName(table)} WHERE ${conditions.join(' AND ')}) AS alike WHERE place > 1)`;
}

function notFound({ columns }: Rule, target: { readonly table: string; readonly columns: readonly string[] }): string {
  const set = columns.map((name) => `t.${quoteName(name)} IS NOT NULL`);
  const same = columns.map((name, index) => `p.${quoteName(target.columns[index] ?? 'id')} = t.${quoteName(name)}`);
  return `${set.join(' AND ')} AND NOT EXISTS (SELECT FROM ${quoteName(target.table)} p WHERE ${same.join(' AND ')})`;
}

function isAside({ columns, target }: Rule, { schema }: Aside): string {
  const same = columns.map(
    (name, index) => `q.${quoteName(target?.columns[index] ?? 'id')} = t.${quoteName(name)}::text`,
  );
  return `EXISTS (SELECT FROM ${schema}.${quoteName(target?.table ?? '')} q WHERE ${same.join(' AND ')})`;
}
