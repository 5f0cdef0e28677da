import type { Catalog, Column, Table } from '../../../src/model/catalog.ts';
/**
 * Derives the steps of a migration from the difference of two catalogs. Pure. The steps need not be right in every case,
 * because the import runs them and compares the result. Differences without a step are reported.
 */
import { applyRenames, type Renames } from './renames.ts';
import { both, defaultOf, joined, type EngineSql, typeOf, unwrapped, withoutCasts } from './sql-text.ts';

/** One call of the schema builder, or a statement if the builder has no method for it. */
export type Step =
  | { readonly kind: 'createEnum' | 'relabelEnum'; readonly name: string; readonly labels: readonly string[] }
  | { readonly kind: 'dropEnum'; readonly name: string }
  | { readonly kind: 'renameTable'; readonly from: string; readonly to: string }
  | { readonly kind: 'renameColumn'; readonly table: string; readonly from: string; readonly to: string }
  | { readonly kind: 'createTable'; readonly table: string; readonly columns: Parts; readonly constraints: Parts }
  | { readonly kind: 'addColumns'; readonly table: string; readonly columns: Parts }
  | { readonly kind: 'setType' | 'setDefault'; readonly table: string; readonly column: string; readonly to: EngineSql }
  | { readonly kind: 'setNotNull' | 'dropNotNull' | 'dropDefault'; readonly table: string; readonly column: string }
  | {
      readonly kind: 'addIndex';
      readonly table: string;
      readonly name: string;
      readonly columns: readonly string[];
      readonly unique: boolean;
      readonly where: EngineSql | null;
    }
  | { readonly kind: 'dropIndex'; readonly name: string }
  | { readonly kind: 'addConstraint'; readonly table: string; readonly name: string; readonly definition: EngineSql }
  | { readonly kind: 'dropConstraint'; readonly table: string; readonly name: string }
  | { readonly kind: 'dropForeignKeys' | 'dropColumn'; readonly table: string; readonly column: string }
  | { readonly kind: 'dropTable'; readonly table: string }
  | { readonly kind: 'run'; readonly sql: EngineSql };

type Parts = readonly (readonly [name: string, definition: EngineSql])[];

/** The observed effect of a revision on the schema. */
export interface ObservedChange {
  readonly before: Catalog;
  readonly after: Catalog;
  /** The catalog afterwards on SQLite; null if the application failed there. It shows the SQLite form of expressions. */
  readonly sqlite: Catalog | null;
  readonly renames: Renames;
  /** By `table.column`: the values of new columns in existing rows, whose default was dropped afterwards. */
  readonly initialValues: ReadonlyMap<string, string>;
}

export interface DerivedSteps {
  readonly steps: readonly Step[];
  /** Differences that no step can express, as sentences. */
  readonly inexpressible: readonly string[];
}

/** The catalogs after the renames, and a list for differences without a step. */
interface WorkingChange extends ObservedChange {
  readonly inexpressible: string[];
}

/** Derives the steps, in the order that CONTRIBUTING.md demands: rename and add, then constraints, then drop. */
export function deriveSteps(seen: ObservedChange): DerivedSteps {
  const work: WorkingChange = { ...seen, before: applyRenames(seen.before, seen.renames), inexpressible: [] };
  const { before, after } = work;
  const kept = Object.keys(after.tables).filter((name) => Object.hasOwn(before.tables, name));
  const steps = [
    ...enumSteps(work),
    ...seen.renames.tables.map(({ from, to }): Step => ({ kind: 'renameTable', from, to })),
    ...seen.renames.columns.map(({ table, from, to }): Step => ({ kind: 'renameColumn', table, from, to })),
    ...kept.flatMap((table) => dropRules(work, table)),
    ...createTables(work),
    ...kept.flatMap((table) => changeTable(work, table)),
    ...kept.flatMap((table) => dropColumns(work, table)),
    ...inOrderOfDropping(before, after),
    ...missingIn(after.enums, before.enums).map((name): Step => ({ kind: 'dropEnum', name })),
  ];
  return { steps, inexpressible: work.inexpressible };
}

const missingIn = (parts: Readonly<Record<string, unknown>>, others: Readonly<Record<string, unknown>>): string[] =>
  Object.keys(others).filter((name) => !Object.hasOwn(parts, name));

function enumSteps({ before, after, inexpressible }: WorkingChange): Step[] {
  return Object.entries(after.enums).flatMap(([name, labels]): Step[] => {
    const former = before.enums[name];
    if (former === undefined) return [{ kind: 'createEnum', name, labels }];
    if (former.join('\n') === labels.join('\n')) return [];
    const gone = former.filter((label) => !labels.some((other) => other.toLowerCase() === label.toLowerCase()));
    if (gone.length > 0) {
      inexpressible.push(`type ${name} loses ${gone.join(', ')}: its labels are now ${labels.join(', ')}`);
      return [];
    }
    return [{ kind: 'relabelEnum', name, labels }];
  });
}

// Created and dropped tables

function createTables(work: WorkingChange): Step[] {
  const { before, after } = work;
  const open = missingIn(before.tables, after.tables);
  const steps: Step[] = [];
  const later: Step[] = [];
  while (open.length > 0) {
    const ready = open.find((name) =>
      targetsOf(after.tables[name]).every((target) => target === name || !open.includes(target)),
    );
    const name = ready ?? open[0] ?? '';
    open.splice(open.indexOf(name), 1);
    const table = after.tables[name];
    if (table === undefined) continue;
    // if tables refer to each other in a cycle, one of the keys is added later
    const waiting = ready === undefined ? keysTo(table, open) : [];
    steps.push(...createTable(work, name, without(table, waiting)));
    later.push(...waiting.map((rule) => addConstraint(work, name, rule, table.constraints[rule] ?? '')));
  }
  return [...steps, ...later];
}

const targetOf = (rule: string): string | undefined => /^FOREIGN KEY .* REFERENCES "?(\w+)"?\(/.exec(rule)?.[1];
const targetsOf = (table: Table | undefined): string[] =>
  Object.values(table?.constraints ?? {}).flatMap((rule) => targetOf(rule) ?? []);
const keysTo = ({ constraints }: Table, tables: readonly string[]): string[] =>
  Object.keys(constraints).filter((name) => tables.includes(targetOf(constraints[name] ?? '') ?? ''));
const without = (table: Table, rules: readonly string[]): Table => ({
  ...table,
  constraints: Object.fromEntries(Object.entries(table.constraints).filter(([name]) => !rules.includes(name))),
});

function createTable(work: WorkingChange, name: string, table: Table): Step[] {
  const inline = inlineRules(name, table);
  const columns = Object.entries(table.columns).map(
    ([column, definition]) => [column, columnSql(work, name, column, definition, inline.get(column) ?? [])] as const,
  );
  const within = new Set([...inline.values()].flat().map(({ name: rule }) => rule));
  const constraints = Object.entries(table.constraints)
    .filter(([rule]) => !within.has(rule))
    .map(([rule, definition]) => [rule, ruleSql(work, name, definition)] as const);
  const indexes = Object.entries(table.indexes).flatMap(([index, { definition }]) =>
    addIndex(work, name, index, definition),
  );
  return [{ kind: 'createTable', table: name, columns, constraints }, ...indexes];
}

/** A table is dropped before the tables that it refers to. */
function inOrderOfDropping(before: Catalog, after: Catalog): Step[] {
  const open = missingIn(after.tables, before.tables);
  const steps: Step[] = [];
  while (open.length > 0) {
    const free = open.find(
      (name) => !open.some((other) => other !== name && targetsOf(before.tables[other]).includes(name)),
    );
    const table = free ?? open[0] ?? '';
    open.splice(open.indexOf(table), 1);
    steps.push({ kind: 'dropTable', table });
  }
  return steps;
}

// Columns

interface InlineRule {
  readonly name: string;
  /** The clause after the column: `REFERENCES users(id)`, `UNIQUE`, `PRIMARY KEY`. */
  readonly clause: string;
}

/** Constraints over one column with the default name of a column constraint: they can be written after the column. */
function inlineRules(table: string, { constraints }: Table): ReadonlyMap<string, readonly InlineRule[]> {
  const rules = new Map<string, InlineRule[]>();
  for (const [name, definition] of Object.entries(constraints)) {
    const own = inlineClause(definition);
    if (own === null || name !== defaultName(table, own)) continue;
    rules.set(own.column, [...(rules.get(own.column) ?? []), { name, clause: own.clause }]);
  }
  return rules;
}

/** A constraint over one column as a column constraint; null for every other one. */
function inlineClause(definition: string): { column: string; clause: string; ending: string } | null {
  const [, key = '', references = ''] = /^FOREIGN KEY \(("?\w+"?)\) (REFERENCES .*)$/.exec(definition) ?? [];
  if (key !== '') return { column: plain(key), clause: references, ending: `${plain(key)}_fkey` };
  const [, kind = '', column = ''] = /^(UNIQUE|PRIMARY KEY) \(("?\w+"?)\)$/.exec(definition) ?? [];
  if (kind === '') return null;
  return { column: plain(column), clause: kind, ending: kind === 'UNIQUE' ? `${plain(column)}_key` : 'pkey' };
}

const defaultName = (table: string, { ending }: { ending: string }): string => `${table}_${ending}`;
const plain = (name: string): string => name.replaceAll('"', '');

function columnSql(
  work: WorkingChange,
  table: string,
  column: string,
  definition: Column,
  rules: readonly InlineRule[],
): EngineSql {
  const { after, sqlite, inexpressible } = work;
  const other = sqlite?.tables[table]?.columns[column];
  const isKey = rules.some(({ clause }) => clause === 'PRIMARY KEY');
  const clauses = rules.map(({ clause }) => both(clause));
  if (definition.default?.startsWith('nextval(') === true) {
    if (definition.type === 'integer' && isKey) return joined(both('SERIAL'), ...clauses);
    inexpressible.push(`${table}.${column} numbers itself and is ${definition.type}${isKey ? '' : ' and no key'}`);
  } else if (definition.default === 'identity') {
    inexpressible.push(`${table}.${column} is an identity column`);
  }
  const filling = work.initialValues.get(`${table}.${column}`);
  const expression =
    filling === undefined ? defaultOf(definition, other) : defaultOf({ ...definition, default: filling }, undefined);
  return joined(
    typeOf(definition, after.enums, other),
    both(definition.notNull && !isKey ? 'NOT NULL' : ''),
    expression === null ? both('') : joined(both('DEFAULT'), expression),
    ...clauses,
  );
}

/** The additions and changes in an existing table. */
function changeTable(work: WorkingChange, name: string): Step[] {
  const [was, is] = [work.before.tables[name], work.after.tables[name]];
  if (was === undefined || is === undefined) return [];
  const added = missingIn(was.columns, is.columns);
  // a constraint over an added column is written after the column, with any name
  const behind = new Map<string, InlineRule[]>();
  const rules: Step[] = [];
  for (const [rule, definition] of Object.entries(is.constraints)) {
    if (sameRule(was.constraints[rule], definition)) continue;
    const own = inlineClause(definition);
    if (/^(?:PRIMARY KEY|EXCLUDE)/.test(definition) && own?.clause !== 'UNIQUE') {
      work.inexpressible.push(`${name} gains the constraint ${rule}: ${definition}`);
    } else if (own !== null && added.includes(own.column)) {
      const clause = rule === defaultName(name, own) ? own.clause : `CONSTRAINT ${rule} ${own.clause}`;
      behind.set(own.column, [...(behind.get(own.column) ?? []), { name: rule, clause }]);
    } else {
      rules.push(addConstraint(work, name, rule, definition));
    }
  }
  const columns = added.flatMap((column) => {
    const definition = is.columns[column];
    return definition === undefined
      ? []
      : [[column, columnSql(work, name, column, definition, behind.get(column) ?? [])] as const];
  });
  const indexes = Object.entries(is.indexes)
    .filter(([index, { definition }]) => !sameRule(was.indexes[index]?.definition, definition))
    .flatMap(([index, { definition }]) => addIndex(work, name, index, definition));
  return [
    ...(columns.length > 0 ? [{ kind: 'addColumns', table: name, columns } as const] : []),
    ...added
      .filter((column) => work.initialValues.has(`${name}.${column}`) && is.columns[column]?.default === null)
      .map((column): Step => ({ kind: 'dropDefault', table: name, column })),
    ...Object.keys(is.columns).flatMap((column) => alterColumn(work, name, column)),
    ...rules,
    ...indexes,
  ];
}

function alterColumn(work: WorkingChange, table: string, column: string): Step[] {
  const was = work.before.tables[table]?.columns[column];
  const is = work.after.tables[table]?.columns[column];
  if (was === undefined || is === undefined) return [];
  const other = work.sqlite?.tables[table]?.columns[column];
  const steps: Step[] = [];
  if (was.type !== is.type) {
    steps.push({ kind: 'setType', table, column, to: typeOf(is, work.after.enums, other) });
  }
  if (was.default !== is.default) {
    const expression = defaultOf(is, other);
    if (/^nextval\(|^identity$/.test(is.default ?? '')) {
      work.inexpressible.push(`${table}.${column} numbers itself from now on`);
    } else if (expression === null) {
      steps.push({ kind: 'dropDefault', table, column });
    } else {
      steps.push({ kind: 'setDefault', table, column, to: expression });
    }
  }
  if (was.notNull !== is.notNull) steps.push({ kind: is.notNull ? 'setNotNull' : 'dropNotNull', table, column });
  return steps;
}

// Indexes and constraints

/** PostgreSQL prints a constraint with other casts after the type of its column has changed. */
const sameRule = (was: string | undefined, is: string): boolean =>
  was !== undefined && (was === is || withoutCasts(was) === withoutCasts(is));

function addConstraint(work: WorkingChange, table: string, name: string, definition: string): Step {
  return { kind: 'addConstraint', table, name, definition: ruleSql(work, table, definition) };
}

function ruleSql({ inexpressible }: WorkingChange, table: string, definition: string): EngineSql {
  if (definition.startsWith('EXCLUDE')) inexpressible.push(`${table} has the constraint ${definition}`);
  const [, check, rest = ''] = /^CHECK \((.*)\)( NOT VALID)?$/.exec(definition) ?? [];
  return both(check === undefined ? definition : `CHECK (${unwrapped(withoutCasts(check))})${rest}`);
}

/** Parses `UNIQUE btree (a, b) WHERE (…)`. */
const indexPattern = /^(UNIQUE )?(\w+) \((.*?)\)(?: WHERE \((.*)\))?$/;

function addIndex(work: WorkingChange, table: string, name: string, definition: string): Step[] {
  const [, unique, method = '', keys = '', predicate] = indexPattern.exec(definition) ?? [];
  if (method !== 'btree') {
    work.inexpressible.push(`${table} gains the index ${name}: ${definition}`);
    return [];
  }
  // the original text, if SQLite has stored it
  const written = indexPattern.exec(work.sqlite?.tables[table]?.indexes[name]?.definition ?? '')?.[4];
  const where = predicate === undefined ? null : both(unwrapped(written ?? withoutCasts(predicate)));
  const columns = keys.split(', ').map(plain);
  const owner = work.after.tables[table];
  if (columns.every((column) => Object.hasOwn(owner?.columns ?? {}, column))) {
    return [{ kind: 'addIndex', table, name, columns, unique: unique !== undefined, where }];
  }
  // an expression, or a descending order
  const start = `CREATE ${unique ?? ''}INDEX IF NOT EXISTS ${name} ON ${table}`;
  const end = where === null ? '' : ` WHERE ${where.postgresql}`;
  return [{ kind: 'run', sql: both(`${start} (${withoutCasts(keys)})${end}`) }];
}

/** Drops constraints and indexes that are removed or changed, except those that are dropped with their column. */
function dropRules(work: WorkingChange, name: string): Step[] {
  const [was, is] = [work.before.tables[name], work.after.tables[name]];
  if (was === undefined || is === undefined) return [];
  const dropped = missingIn(is.columns, was.columns);
  const stays = (definition: string): boolean =>
    dropped.every((column) => !new RegExp(String.raw`\b${column}\b`).test(definition.replace(/ REFERENCES .*/, '')));
  const indexes = Object.entries(was.indexes)
    .filter(([index, { definition }]) => !sameRule(is.indexes[index]?.definition, definition) && stays(definition))
    .map(([index]): Step => ({ kind: 'dropIndex', name: index }));
  const rules = Object.entries(was.constraints)
    .filter(([rule, definition]) => !sameRule(is.constraints[rule], definition) && stays(definition))
    .flatMap(([rule, definition]): Step[] => {
      const own = inlineClause(definition);
      if (/^(?:PRIMARY KEY|EXCLUDE)/.test(definition)) {
        work.inexpressible.push(`${name} loses the constraint ${rule}: ${definition}`);
        return [];
      }
      // by its column, because foreign keys have no reliable names on SQLite
      if (own !== null && definition.startsWith('FOREIGN')) {
        return [{ kind: 'dropForeignKeys', table: name, column: own.column }];
      }
      return [{ kind: 'dropConstraint', table: name, name: rule }];
    });
  return [...indexes, ...rules];
}

function dropColumns({ before, after }: WorkingChange, name: string): Step[] {
  return missingIn(after.tables[name]?.columns ?? {}, before.tables[name]?.columns ?? {}).map((column): Step => ({
    kind: 'dropColumn',
    table: name,
    column,
  }));
}
