import type { Catalog, Column, Table } from '../../../src/model/catalog.ts';
/**
 * From the difference of two catalogs to the steps of a migration. Pure: what the steps bring about is proven by
 * running them, so here the likely is good enough, and what has no step is said.
 */
import { applyRenames, type Renames } from './renames.ts';
import { both, defaultOf, joined, type Sql, typeOf, unwrapped, withoutCasts } from './sql-text.ts';

/** One call of the schema builder, or a statement where it has none. */
export type Step =
  | { readonly kind: 'createEnum' | 'relabelEnum'; readonly name: string; readonly labels: readonly string[] }
  | { readonly kind: 'dropEnum'; readonly name: string }
  | { readonly kind: 'renameTable'; readonly from: string; readonly to: string }
  | { readonly kind: 'renameColumn'; readonly table: string; readonly from: string; readonly to: string }
  | { readonly kind: 'createTable'; readonly table: string; readonly columns: Parts; readonly constraints: Parts }
  | { readonly kind: 'addColumns'; readonly table: string; readonly columns: Parts }
  | { readonly kind: 'setType' | 'setDefault'; readonly table: string; readonly column: string; readonly to: Sql }
  | { readonly kind: 'setNotNull' | 'dropNotNull' | 'dropDefault'; readonly table: string; readonly column: string }
  | {
      readonly kind: 'addIndex';
      readonly table: string;
      readonly name: string;
      readonly columns: readonly string[];
      readonly unique: boolean;
      readonly where: Sql | null;
    }
  | { readonly kind: 'dropIndex'; readonly name: string }
  | { readonly kind: 'addConstraint'; readonly table: string; readonly name: string; readonly definition: Sql }
  | { readonly kind: 'dropConstraint'; readonly table: string; readonly name: string }
  | { readonly kind: 'dropForeignKeys' | 'dropColumn'; readonly table: string; readonly column: string }
  | { readonly kind: 'dropTable'; readonly table: string }
  | { readonly kind: 'run'; readonly sql: Sql };

type Parts = readonly (readonly [name: string, definition: Sql])[];

/** What was seen of a revision's effect on the schema. */
export interface Seen {
  readonly before: Catalog;
  readonly after: Catalog;
  /** The same on SQLite; null where the application did not get there. It says what PostgreSQL's words are there. */
  readonly sqlite: Catalog | null;
  readonly renames: Renames;
  /** By `table.column`: what new columns of existing rows were filled with before their default went again. */
  readonly fillings: ReadonlyMap<string, string>;
}

export interface Derived {
  readonly steps: readonly Step[];
  /** What no step can express, as sentences. */
  readonly inexpressible: readonly string[];
}

/** What a difference is taken apart with: the catalogs after the renames, and a place for what has no step. */
interface Work extends Seen {
  readonly inexpressible: string[];
}

/** The steps in the order of CONTRIBUTING: rename and add, then constraints, then drop. */
export function deriveSteps(seen: Seen): Derived {
  const work: Work = { ...seen, before: applyRenames(seen.before, seen.renames), inexpressible: [] };
  const { before, after } = work;
  const kept = Object.keys(after.tables).filter((name) => Object.hasOwn(before.tables, name));
  const steps = [
    ...enumSteps(work),
    ...seen.renames.tables.map(({ from, to }): Step => ({ kind: 'renameTable', from, to })),
    ...seen.renames.columns.map(({ table, from, to }): Step => ({ kind: 'renameColumn', table, from, to })),
    ...kept.flatMap((table) => goingRules(work, table)),
    ...createTables(work),
    ...kept.flatMap((table) => changeTable(work, table)),
    ...kept.flatMap((table) => goingColumns(work, table)),
    ...inOrderOfDropping(before, after),
    ...missingIn(after.enums, before.enums).map((name): Step => ({ kind: 'dropEnum', name })),
  ];
  return { steps, inexpressible: work.inexpressible };
}

const missingIn = (parts: Readonly<Record<string, unknown>>, others: Readonly<Record<string, unknown>>): string[] =>
  Object.keys(others).filter((name) => !Object.hasOwn(parts, name));

function enumSteps({ before, after, inexpressible }: Work): Step[] {
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

// Tables that come and go

function createTables(work: Work): Step[] {
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
    // in a circle one of the keys has to wait
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

function createTable(work: Work, name: string, table: Table): Step[] {
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

/** A table goes before those that it refers to. */
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
  /** What stands behind the column: `REFERENCES users(id)`, `UNIQUE`, `PRIMARY KEY`. */
  readonly clause: string;
}

/** The rules of one column each that have the name PostgreSQL gives them where they stand behind their column. */
function inlineRules(table: string, { constraints }: Table): ReadonlyMap<string, readonly InlineRule[]> {
  const rules = new Map<string, InlineRule[]>();
  for (const [name, definition] of Object.entries(constraints)) {
    const own = ownRule(definition);
    if (own === null || name !== defaultName(table, own)) continue;
    rules.set(own.column, [...(rules.get(own.column) ?? []), { name, clause: own.clause }]);
  }
  return rules;
}

/** A rule over one column as it stands behind it; null for every other rule. */
function ownRule(definition: string): { column: string; clause: string; ending: string } | null {
  const [, key = '', references = ''] = /^FOREIGN KEY \(("?\w+"?)\) (REFERENCES .*)$/.exec(definition) ?? [];
  if (key !== '') return { column: plain(key), clause: references, ending: `${plain(key)}_fkey` };
  const [, kind = '', column = ''] = /^(UNIQUE|PRIMARY KEY) \(("?\w+"?)\)$/.exec(definition) ?? [];
  if (kind === '') return null;
  return { column: plain(column), clause: kind, ending: kind === 'UNIQUE' ? `${plain(column)}_key` : 'pkey' };
}

const defaultName = (table: string, { ending }: { ending: string }): string => `${table}_${ending}`;
const plain = (name: string): string => name.replaceAll('"', '');

function columnSql(work: Work, table: string, column: string, definition: Column, rules: readonly InlineRule[]): Sql {
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
  const filling = work.fillings.get(`${table}.${column}`);
  const expression =
    filling === undefined ? defaultOf(definition, other) : defaultOf({ ...definition, default: filling }, undefined);
  return joined(
    typeOf(definition, after.enums, other),
    both(definition.notNull && !isKey ? 'NOT NULL' : ''),
    expression === null ? both('') : joined(both('DEFAULT'), expression),
    ...clauses,
  );
}

/** What a table that stays gains, and what changes in it. */
function changeTable(work: Work, name: string): Step[] {
  const [was, is] = [work.before.tables[name], work.after.tables[name]];
  if (was === undefined || is === undefined) return [];
  const added = missingIn(was.columns, is.columns);
  // a rule over an added column stands behind it, whatever its name
  const behind = new Map<string, InlineRule[]>();
  const rules: Step[] = [];
  for (const [rule, definition] of Object.entries(is.constraints)) {
    if (sameRule(was.constraints[rule], definition)) continue;
    const own = ownRule(definition);
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
      .filter((column) => work.fillings.has(`${name}.${column}`) && is.columns[column]?.default === null)
      .map((column): Step => ({ kind: 'dropDefault', table: name, column })),
    ...Object.keys(is.columns).flatMap((column) => alterColumn(work, name, column)),
    ...rules,
    ...indexes,
  ];
}

function alterColumn(work: Work, table: string, column: string): Step[] {
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

/** PostgreSQL prints a rule with other casts after a column of it has got another type. */
const sameRule = (was: string | undefined, is: string): boolean =>
  was !== undefined && (was === is || withoutCasts(was) === withoutCasts(is));

function addConstraint(work: Work, table: string, name: string, definition: string): Step {
  return { kind: 'addConstraint', table, name, definition: ruleSql(work, table, definition) };
}

function ruleSql({ inexpressible }: Work, table: string, definition: string): Sql {
  if (definition.startsWith('EXCLUDE')) inexpressible.push(`${table} has the constraint ${definition}`);
  const [, check, rest = ''] = /^CHECK \((.*)\)( NOT VALID)?$/.exec(definition) ?? [];
  return both(check === undefined ? definition : `CHECK (${unwrapped(withoutCasts(check))})${rest}`);
}

/** `UNIQUE btree (a, b) WHERE (…)`, taken apart; the keys as they stand there. */
const indexPattern = /^(UNIQUE )?(\w+) \((.*?)\)(?: WHERE \((.*)\))?$/;

function addIndex(work: Work, table: string, name: string, definition: string): Step[] {
  const [, unique, method = '', keys = '', predicate] = indexPattern.exec(definition) ?? [];
  if (method !== 'btree') {
    work.inexpressible.push(`${table} gains the index ${name}: ${definition}`);
    return [];
  }
  // as somebody wrote it, where SQLite kept that
  const written = indexPattern.exec(work.sqlite?.tables[table]?.indexes[name]?.definition ?? '')?.[4];
  const where = predicate === undefined ? null : both(unwrapped(written ?? withoutCasts(predicate)));
  const columns = keys.split(', ').map(plain);
  const owner = work.after.tables[table];
  if (columns.every((column) => Object.hasOwn(owner?.columns ?? {}, column))) {
    return [{ kind: 'addIndex', table, name, columns, unique: unique !== undefined, where }];
  }
  // an expression, or another order than the usual one
  const start = `CREATE ${unique ?? ''}INDEX IF NOT EXISTS ${name} ON ${table}`;
  const end = where === null ? '' : ` WHERE ${where.postgresql}`;
  return [{ kind: 'run', sql: both(`${start} (${withoutCasts(keys)})${end}`) }];
}

/** Rules and indexes that go or change, but for those that go with a column. */
function goingRules(work: Work, name: string): Step[] {
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
      const own = ownRule(definition);
      if (/^(?:PRIMARY KEY|EXCLUDE)/.test(definition)) {
        work.inexpressible.push(`${name} loses the constraint ${rule}: ${definition}`);
        return [];
      }
      // by its column: on SQLite keys have no dependable names
      if (own !== null && definition.startsWith('FOREIGN')) {
        return [{ kind: 'dropForeignKeys', table: name, column: own.column }];
      }
      return [{ kind: 'dropConstraint', table: name, name: rule }];
    });
  return [...indexes, ...rules];
}

function goingColumns({ before, after }: Work, name: string): Step[] {
  return missingIn(after.tables[name]?.columns ?? {}, before.tables[name]?.columns ?? {}).map((column): Step => ({
    kind: 'dropColumn',
    table: name,
    column,
  }));
}
