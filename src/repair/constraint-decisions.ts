import type { Catalog } from '../model/catalog.ts';
import type { Difference } from '../model/difference.ts';
import type { Unsafe } from '../model/repair.ts';
import { renderIndex } from '../migration/schema-builder/catalog-sql.ts';
import { quoteName } from '../platform/sql-quoting.ts';
import { alter, type Change, type DecisionContext, statement, step, type Step, unsafe } from './repair-step.ts';
import { conditionsOf, parseRule } from './constraint-rules.ts';

type Of<Kind extends Difference['kind']> = Extract<Difference, { kind: Kind }>;

/** Decides how a missing primary key, unique rule, foreign key or check is repaired, or why it is not. */
export function decideConstraint(difference: Of<'missing-constraint'>, circumstances: DecisionContext): Step | Unsafe {
  const { table, name, definition } = difference;
  const { facts, engine, names } = circumstances;
  const rule = parseRule(definition);
  const key = primaryKeyOf(facts.catalog, table);
  if (rule.kind === 'unique' && rule.primary && key !== undefined) {
    const alteration = `ALTER TABLE ${quoteName(table)}`;
    const remedy = [`${alteration} DROP CONSTRAINT ${quoteName(key.name)}`, `${alteration} ADD ${definition}`];
    return unsafe(difference, { kind: 'other-key', key: key.definition }, engine === 'postgresql' ? remedy : []);
  }
  const phase = rule.kind === 'unique' ? 'key' : 'reference';
  const unproven = Object.entries(facts.catalog.tables[table]?.constraints ?? {}).find(
    ([, found]) => found === `${definition} NOT VALID`,
  );
  const change =
    unproven === undefined
      ? alter(phase, table, { kind: 'addConstraint', name: names.claimRule(table, name, definition), definition })
      : statement(phase, `ALTER TABLE ${quoteName(table)} VALIDATE CONSTRAINT ${quoteName(unproven[0])}`);
  return decideRule(difference, definition, [change], circumstances);
}

/** Decides about the step that creates an index. @param before changes to make first */
export function decideIndex(
  difference: Of<'missing-index' | 'missing-constraint' | 'invalid-index'>,
  definition: string,
  before: readonly Change[],
  circumstances: DecisionContext,
): Step | Unsafe {
  const name = circumstances.names.claim(difference.name);
  const create = statement('index', renderIndex(difference.table, name, definition, circumstances.engine));
  return decideRule(difference, definition, [...before, create], circumstances);
}

/** Replaces the invalid index of an interrupted CREATE INDEX CONCURRENTLY. It may have any name. */
export function decideInvalidIndex(difference: Of<'invalid-index'>, circumstances: DecisionContext): Step | Unsafe {
  const { facts, head, names } = circumstances;
  const definition = head.tables[difference.table]?.indexes[difference.name]?.definition;
  if (definition === undefined) throw new Error(`the head has no index ${difference.name}`);
  const remains = Object.entries(facts.catalog.tables[difference.table]?.indexes ?? {}).filter(
    ([, index]) => !index.valid && index.definition === definition,
  );
  for (const [name] of remains) names.release(name);
  const drops = remains.map(([name]) => statement('key', `DROP INDEX ${quoteName(name)}`));
  return decideIndex(difference, definition, drops, circumstances);
}

/** The step that adds a rule, with the conditions on the rows; unsafe if a column or table of the rule must be corrected first. */
function decideRule(
  difference: Of<'missing-index' | 'missing-constraint' | 'invalid-index'>,
  definition: string,
  changes: readonly Change[],
  circumstances: DecisionContext,
): Step | Unsafe {
  const rule = parseRule(definition);
  const involved = [
    ...rule.columns.map((column) => `${difference.table}.${column}`),
    ...(rule.kind === 'reference' ? [rule.target, ...rule.targets.map((column) => `${rule.target}.${column}`)] : []),
  ];
  const name = involved.find((each) => circumstances.faulty.has(each));
  if (name !== undefined) return unsafe(difference, { kind: 'waits-for', name });
  return step(difference, changes, conditionsOf(difference.table, rule, circumstances));
}

/** The primary key of a table; undefined if it has none. */
export function primaryKeyOf({ tables }: Catalog, table: string): { name: string; definition: string } | undefined {
  return Object.entries(tables[table]?.constraints ?? {})
    .map(([name, definition]) => ({ name, definition }))
    .find(({ definition }) => definition.startsWith('PRIMARY KEY'));
}
