import { type RepairContext, noNulls, noRows, parseRule, referencesTo } from './constraint-rules.ts';
import type { Catalog, Column, Table } from '../model/catalog.ts';
import type { Difference } from '../model/difference.ts';
import type { Unsafe } from '../model/repair.ts';
import { renderColumn, renderEnum, renderTable, sequenceOf } from '../migration/schema-builder/catalog-sql.ts';
import { type EnumColumn, relabelEnum } from '../migration/schema-builder/relabel-enum.ts';
import { quoteName, quoteText } from '../platform/sql-quoting.ts';
import { type SeedRows, seedStatements } from '../migration/baseline.ts';
import { isRowidAlias } from '../schema/comparison.ts';
import { findColumnInOtherCase, findUnderOtherName, renameStatements } from '../schema/other-names.ts';
import { alter, type Change, type DecisionContext, statement, step, type Step, unsafe } from './repair-step.ts';
import { decideConstraint, decideIndex, decideInvalidIndex, primaryKeyOf } from './constraint-decisions.ts';

type Of<Kind extends Difference['kind']> = Extract<Difference, { kind: Kind }>;

/** Decides how a difference is repaired, or why it is not. */
export function decide(difference: Difference, circumstances: DecisionContext): Step | Unsafe {
  switch (difference.kind) {
    case 'missing-enum':
      return step(difference, enumChanges(difference, circumstances));
    case 'missing-table':
      return decideTable(difference, circumstances);
    case 'missing-column':
      return decideColumn(difference, circumstances);
    case 'unreadable-table': {
      const remedy = `ALTER TABLE ${quoteName(difference.table)} OWNER TO the user in DATABASE_URL`;
      return unsafe(difference, { kind: 'rights' }, [`-- as its owner or a superuser: ${remedy}`]);
    }
    case 'different-type':
      return decideType(difference, circumstances);
    case 'narrower-type': {
      const { table, column, expected } = difference;
      const widen = `ALTER TABLE ${quoteName(table)} ALTER COLUMN ${quoteName(column)} TYPE ${expected}`;
      return step(difference, [statement('column', widen)]);
    }
    case 'must-be-not-null': {
      const { table, column } = difference;
      return step(difference, [alter('column', table, { kind: 'setNotNull', column })], [noNulls(table, column)]);
    }
    case 'must-be-nullable':
      return decideNullable(difference, circumstances);
    case 'missing-sequence':
      return step(difference, numberRows(difference, expectedColumn(difference, circumstances), circumstances));
    case 'missing-constraint':
      return decideConstraint(difference, circumstances);
    case 'missing-index':
      return decideIndex(difference, difference.definition, [], circumstances);
    case 'unknown-label': {
      const { table, column, label } = difference;
      const [target, name] = [quoteName(table), quoteName(column)];
      const values = circumstances.head.enums[expectedTable(table, circumstances).columns[column]?.type ?? ''] ?? [];
      return unsafe(difference, { kind: 'owners' }, [
        `SELECT * FROM ${target} WHERE ${name} = ${quoteText(label)}`,
        `-- give each a label that the application knows (${values.join(', ')}): UPDATE ${target} SET ${name} = ... WHERE ${name} = ${quoteText(label)}`,
      ]);
    }
    case 'sequence-behind':
      return step(
        difference,
        advanceSequence(difference, circumstances).map((sql) => statement('column', sql)),
      );
    case 'missing-rows':
      return unsafeByMissingRows(difference, circumstances.seed, circumstances.facts.catalog);
    case 'obstruction':
      return unsafeByAttachment(difference);
    case 'invalid-index':
      return decideInvalidIndex(difference, circumstances);
  }
}

/**
 * Refuses a foreign object on a table. Shows the statements that remove it, and its definition as comments, line by
 * line.
 */
export function unsafeByAttachment(difference: Of<'obstruction'>): Unsafe {
  const { remedy, definition } = difference.attachment;
  if (definition === undefined) return unsafe(difference, { kind: 'owners' }, [remedy]);
  const lines = `${definition};`.split(/\r?\n/).map((line) => line.replace(/^\t+/, (tabs) => '  '.repeat(tabs.length)));
  const again = ['to create it again later, once it can work:', ...lines].map((line) => `-- ${line}`);
  return unsafe(difference, { kind: 'owners' }, [remedy, ...again]);
}

/** Refuses a table that has lost all its seed rows. Shows the statements that insert them, with the columns that it has. */
export function unsafeByMissingRows(difference: Of<'missing-rows'>, seed: SeedRows, { tables }: Catalog): Unsafe {
  const { table } = difference;
  const columns = tables[table]?.columns ?? {};
  const rows = (seed[table] ?? []).map((row) =>
    Object.fromEntries(Object.entries(row).filter(([column]) => Object.hasOwn(columns, column))),
  );
  return unsafe(difference, { kind: 'not-made' }, seedStatements(table, { ...seed, [table]: rows }));
}

function enumChanges({ name, values }: Of<'missing-enum'>, { facts }: DecisionContext): readonly Change[] {
  const found = facts.catalog.enums[name];
  if (found === undefined) return [statement('type', renderEnum(name, values))];
  const statements = relabelEnum(name, found, values, enumColumns(name, facts.catalog));
  return statements.map((sql) => statement('type', sql));
}

/** The columns whose values are labels of a type. */
function enumColumns(name: string, { tables }: Catalog): readonly EnumColumn[] {
  const type = /^[a-z_][a-z0-9_$]*$/.test(name) ? name : quoteName(name);
  return Object.entries(tables).flatMap(([table, { columns }]) =>
    Object.entries(columns)
      .filter(([, column]) => column.type === type || column.type === `${type}[]`)
      .map(([column, { type: found, default: expression }]) => ({
        table,
        column,
        list: found !== type,
        default: expression,
      })),
  );
}

/**
 * Sets a sequence to the number after the highest one in the column. A descending sequence would reach used numbers
 * again, so it becomes ascending. A sequence that numbers other tables too is never set back.
 */
function advanceSequence({ table, column }: Of<'sequence-behind'>, { facts }: DecisionContext): readonly string[] {
  const numbering = facts.runtime.sequences.find((each) => each.table === table && each.column === column);
  if (numbering === undefined) throw new Error(`no sequence numbers ${table}.${column}`);
  const sequence = quoteName(numbering.sequence);
  return [
    ...(numbering.increment > 0 ? [] : [`ALTER SEQUENCE ${sequence} INCREMENT BY 1`]),
    `SELECT setval(${quoteText(sequence)}, greatest((SELECT max(${quoteName(column)}) FROM ${quoteName(table)}), (SELECT last_value FROM ${sequence})))`,
  ];
}

function decideTable(difference: Of<'missing-table'>, circumstances: DecisionContext): Step | Unsafe {
  const { facts, engine } = circumstances;
  const { table } = difference;
  const other = facts.relations.find(({ name }) => name === table);
  if (other !== undefined) {
    const rename = `ALTER TABLE ${quoteName(table)} RENAME TO ${quoteName(`${table}_before`)}`;
    const remedy = engine === 'postgresql' ? rename : `-- keep its definition, then: DROP VIEW ${quoteName(table)}`;
    return unsafe(difference, { kind: 'name-taken', by: other.kind }, [remedy]);
  }
  const found = findUnderOtherName(table, circumstances.head, facts.catalog);
  if (found !== null) return unsafeByOtherName(difference, found);
  const { create, indexes, foreignKeys } = renderTable(table, withAllocatedNames(table, circumstances), engine);
  const changes = [
    ...create.map((sql) => statement('table', sql)),
    ...indexes.map((sql) => statement('index', sql)),
    ...foreignKeys.map((sql) => statement('reference', sql)),
  ];
  // on PostgreSQL the references were dropped with the table, and are separate differences
  return step(difference, changes, engine === 'sqlite' ? referencesTo(table, circumstances) : []);
}

/** Refuses to create a table whose rows are in one with another name. */
export function unsafeByOtherName(difference: Of<'missing-table'>, found: string): Unsafe {
  return unsafe(difference, { kind: 'under-other-name', name: found }, renameStatements(found, difference.table));
}

/** The expected table, with other names for its objects if the expected names are taken. */
function withAllocatedNames(table: string, circumstances: DecisionContext): Table {
  const { columns, constraints, indexes } = expectedTable(table, circumstances);
  const { names } = circumstances;
  const mapped = <Value>(of: Readonly<Record<string, Value>>, map: (name: string, value: Value) => [string, Value]) =>
    Object.fromEntries(Object.entries(of).map(([name, value]) => map(name, value)));
  return {
    columns: mapped(columns, (name, column) => {
      const sequence = sequenceOf(column.default);
      return [name, sequence === null ? column : { ...column, default: nextvalOf(names.claim(sequence)) }];
    }),
    constraints: mapped(constraints, (name, rule) => [name === rule ? name : names.claimRule(table, name, rule), rule]),
    indexes: mapped(indexes, (name, index) => [names.claim(name), index]),
  };
}

function decideColumn(difference: Of<'missing-column'>, circumstances: DecisionContext): Step | Unsafe {
  const { table, column, expected } = difference;
  const found = findColumnInOtherCase(table, column, circumstances.head, circumstances.facts.catalog);
  if (found !== null) {
    const rename = `ALTER TABLE ${quoteName(table)} RENAME COLUMN ${quoteName(found)} TO ${quoteName(column)}`;
    return unsafe(difference, { kind: 'under-other-name', name: found }, [rename]);
  }
  const numbered = sequenceOf(expected.default) !== null;
  // the rows are not renumbered: other rows may refer to the lost numbers
  const plain = numbered ? { ...expected, default: null } : expected;
  const add = alter('column', table, { kind: 'addColumn', column, definition: renderColumn(plain) });
  const number = numbered ? numberRows(difference, expected, circumstances) : [];
  if (!plain.notNull || plain.default !== null) return step(difference, [add, ...number]);
  const remedy = [
    `ALTER TABLE ${quoteName(table)} ADD COLUMN ${quoteName(column)} ${expected.type}`,
    `-- then give each row its value: UPDATE ${quoteName(table)} SET ${quoteName(column)} = ...`,
  ];
  return step(difference, [add, ...number], [{ ...noRows(table), remedy }]);
}

function decideNullable(difference: Of<'must-be-nullable'>, { facts }: DecisionContext): Step | Unsafe {
  const { table, column } = difference;
  const key = primaryKeyOf(facts.catalog, table);
  if (key !== undefined && parseRule(key.definition).columns.includes(column)) {
    return unsafe(difference, { kind: 'part-of-key', key: key.definition });
  }
  return step(difference, [alter('column', table, { kind: 'dropNotNull', column })]);
}

/**
 * Gives a column a sequence that continues after the highest number. An existing sequence of the expected name is used
 * if this column owns it, or no column does, because a default can be lost without its sequence.
 */
function numberRows(
  { table, column }: { readonly table: string; readonly column: string },
  expected: Column,
  { facts, names }: DecisionContext,
): readonly Change[] {
  const wanted = sequenceOf(expected.default) ?? '';
  const isFree = facts.relations.some(({ name, kind }) => name === wanted && kind === 'sequence');
  const sequence = isFree ? wanted : names.claim(wanted);
  const [target, name] = [quoteName(table), quoteName(column)];
  const next = `greatest(nextval('${sequence}'), (SELECT coalesce(max(${name}), 0) + 1 FROM ${target}))`;
  return [
    `CREATE SEQUENCE IF NOT EXISTS ${sequence} AS integer`,
    `SELECT setval('${sequence}', ${next}, false)`,
    `ALTER SEQUENCE ${sequence} OWNED BY ${target}.${name}`,
    `ALTER TABLE ${target} ALTER COLUMN ${name} SET DEFAULT nextval('${sequence}')`,
  ].map((sql) => statement('column', sql));
}

const nextvalOf = (sequence: string): string => `nextval('${sequence}'::regclass)`;

function decideType(difference: Of<'different-type'>, circumstances: DecisionContext): Unsafe {
  const { table, column } = difference;
  if (!isRowidAlias(column, expectedTable(table, circumstances), circumstances.engine)) {
    return unsafe(difference, { kind: 'type' }, retype(difference, circumstances));
  }
  const remedy = `-- copy its rows into a table of the same statement with ${quoteName(column)} INTEGER, which then takes its name`;
  return unsafe(difference, { kind: 'key-type' }, [remedy]);
}

function retype(difference: Of<'different-type'>, circumstances: DecisionContext): readonly string[] {
  const { table, column, expected } = difference;
  const [target, name, former] = [quoteName(table), quoteName(column), quoteName(`${column}_before`)];
  switch (circumstances.engine) {
    case 'postgresql':
      return retypeOnPostgres(difference, circumstances);
    case 'sqlite':
      return [
        `ALTER TABLE ${target} RENAME COLUMN ${name} TO ${former}`,
        `ALTER TABLE ${target} ADD COLUMN ${name} ${expected}`,
        `UPDATE ${target} SET ${name} = ${former}`,
      ];
  }
}

/**
 * The statements that change a type. The server converts no default with the column, and many types only by their text:
 * `smallint` to `boolean`, one enum type to another, `real` to `numeric` with all of its digits.
 */
function retypeOnPostgres(
  { table, column, expected, found }: Of<'different-type'>,
  circumstances: DecisionContext,
): readonly string[] {
  const name = quoteName(column);
  const labels = circumstances.head.enums[expected];
  const isTypeMissing = labels !== undefined && circumstances.facts.catalog.enums[expected] === undefined;
  const isDirect = found === 'boolean' || /^(?:smallint|integer|bigint)$/.test(expected);
  const standard = circumstances.facts.catalog.tables[table]?.columns[column]?.default ?? null;
  const wanted = expectedTable(table, circumstances).columns[column]?.default ?? null;
  const kept = standard?.startsWith('nextval(') === true ? standard : wanted;
  const changes = [
    ...(standard === null ? [] : [`ALTER COLUMN ${name} DROP DEFAULT`]),
    `ALTER COLUMN ${name} TYPE ${expected} USING ${name}::${isDirect ? '' : 'text::'}${expected}`,
    ...(standard === null || kept === null ? [] : [`ALTER COLUMN ${name} SET DEFAULT ${kept}`]),
  ];
  return [
    ...(isTypeMissing ? [renderEnum(expected, labels)] : []),
    `ALTER TABLE ${quoteName(table)} ${changes.join(', ')}`,
  ];
}

function expectedTable(table: string, { head }: RepairContext): Table {
  const expected = head.tables[table];
  if (expected === undefined) throw new Error(`the head has no table ${table}`);
  return expected;
}

function expectedColumn({ table, column }: Of<'missing-sequence'>, context: RepairContext): Column {
  const expected = expectedTable(table, context).columns[column];
  if (expected === undefined) throw new Error(`the head has no column ${table}.${column}`);
  return expected;
}
