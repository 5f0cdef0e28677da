import type { DatabaseFacts } from '../model/database-facts.ts';
import type { Engine } from '../model/engine.ts';
import type { ExpectedSchema } from '../schema/row-questions.ts';
import type { Condition } from '../model/repair.ts';
import { sequenceOf } from '../migration/schema-builder/catalog-sql.ts';
import { quoteName } from '../platform/sql-quoting.ts';
import { identifierOf, namesIn, tokenize } from '../migration/schema-builder/sql-tokens.ts';

/** The rule of a constraint or an index about rows. */
export type Rule =
  | {
      readonly kind: 'unique';
      readonly columns: readonly string[];
      readonly primary: boolean;
      /** The condition on the rows to which it applies; null for all rows. */
      readonly predicate: string | null;
    }
  | {
      readonly kind: 'reference';
      readonly columns: readonly string[];
      readonly target: string;
      readonly targets: readonly string[];
    }
  | { readonly kind: 'check'; readonly columns: readonly string[]; readonly expression: string }
  /** A plain index: it forbids no rows. */
  | { readonly kind: 'none'; readonly columns: readonly string[] };

/** Parses the definition of a constraint or an index from the catalog. */
export function parseRule(definition: string): Rule {
  const reference = /^FOREIGN KEY \(([^()]+)\) REFERENCES ("(?:[^"]|"")+"|[^\s(]+)\(([^()]+)\)/.exec(definition);
  if (reference !== null) {
    const [, columns = '', target = '', targets = ''] = reference;
    return {
      kind: 'reference',
      columns: namesOf(columns),
      target: namesOf(target).join(''),
      targets: namesOf(targets),
    };
  }
  const unique = /^(PRIMARY KEY|UNIQUE(?: btree)?) \(([^()]+)\)(?: WHERE (.+))?$/s.exec(definition);
  if (unique !== null) {
    const [, words = '', columns = '', predicate = null] = unique;
    return { kind: 'unique', columns: namesOf(columns), primary: words === 'PRIMARY KEY', predicate };
  }
  const check = /^CHECK (\(.+\))$/s.exec(definition)?.[1];
  if (check === undefined) return { kind: 'none', columns: [] };
  return { kind: 'check', columns: [...namesIn(tokenize(check))], expression: check };
}

function namesOf(list: string): readonly string[] {
  return list.split(', ').map((name) => tokenize(name).map(identifierOf).join(''));
}

/** The conditions on the rows of a table for adding a rule. */
export function conditionsOf(table: string, rule: Rule, context: RepairContext): readonly Condition[] {
  const predicate = rule.kind === 'unique' ? rule.predicate : null;
  const rows = rowsOf(table, [...rule.columns, ...namesIn(tokenize(predicate ?? ''))], context);
  switch (rule.kind) {
    case 'none':
      return [];
    case 'check':
      return [{ fault: 'violation', find: `SELECT * FROM ${rows} AS t WHERE NOT ${rule.expression}` }];
    case 'reference':
      return [{ fault: 'orphan', find: findOrphans(rows, rule, context) }];
    case 'unique': {
      const columns = rule.columns.map(quoteName);
      const filled = columns.map((column) => `${column} IS NOT NULL`);
      const where = [...filled, ...(predicate === null ? [] : [predicate])].join(' AND ');
      const list = columns.join(', ');
      const twice = `SELECT ${list}, count(*) AS rows_alike FROM ${rows} AS t WHERE ${where} GROUP BY ${list} HAVING count(*) > 1`;
      return [
        ...(rule.primary ? columns.map((column) => nullCondition(rows, column)) : []),
        { fault: 'duplicate', find: twice },
      ];
    }
  }
}

/** The condition that no row of another table refers to a missing table: such rows show that it was not empty. */
export function referencesTo(table: string, context: RepairContext): readonly Condition[] {
  const present = Object.keys(context.facts.catalog.tables);
  return Object.entries(context.head.tables)
    .filter(([name]) => present.includes(name))
    .flatMap(([name, { constraints }]) =>
      Object.values(constraints)
        .map(parseRule)
        .filter((rule) => rule.kind === 'reference' && rule.target === table)
        .flatMap((rule) => conditionsOf(name, rule, context)),
    );
}

export function noNulls(table: string, column: string): Condition {
  return nullCondition(quoteName(table), quoteName(column));
}

/** The condition that the table is empty: an existing row would have no value in the column. */
export function noRows(table: string): Condition {
  return { fault: 'no-value', find: `SELECT * FROM ${quoteName(table)}` };
}

function nullCondition(rows: string, column: string): Condition {
  return { fault: 'null', find: `SELECT * FROM ${rows} AS t WHERE ${column} IS NULL` };
}

function findOrphans(
  rows: string,
  { columns, target, targets }: Extract<Rule, { kind: 'reference' }>,
  context: RepairContext,
): string {
  const filled = columns.map((column) => `child.${quoteName(column)} IS NOT NULL`);
  const same = columns.map((column, index) => `parent.${quoteName(targets[index] ?? '')} = child.${quoteName(column)}`);
  const parents = rowsOf(target, targets, context);
  return `SELECT * FROM ${rows} AS child WHERE ${filled.join(' AND ')} AND NOT EXISTS (SELECT 1 FROM ${parents} AS parent WHERE ${same.join(' AND ')})`;
}

/** The rows of a table as they will be after the repair: with the added columns; no rows if the table is missing. */
function rowsOf(table: string, columns: readonly string[], { head, facts }: RepairContext): string {
  const headColumns = head.tables[table]?.columns ?? {};
  const found = facts.catalog.tables[table];
  const added = columns.flatMap((column) => {
    const expected = headColumns[column];
    if (expected === undefined || found?.columns[column] !== undefined) return [];
    const value = sequenceOf(expected.default) === null ? expected.default : null;
    return [`CAST(${value ?? 'NULL'} AS ${expected.type}) AS ${quoteName(column)}`];
  });
  if (found === undefined) return `(SELECT ${added.join(', ')} WHERE false)`;
  return added.length === 0 ? quoteName(table) : `(SELECT *, ${added.join(', ')} FROM ${quoteName(table)})`;
}

/** The input of a plan: the observed and the expected schema. */
export interface RepairContext extends ExpectedSchema {
  readonly facts: DatabaseFacts;
  readonly engine: Engine;
}
