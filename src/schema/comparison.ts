import { acceptedAlternative } from './known-divergences.ts';
import type { Engine } from '../model/engine.ts';
import type { Catalog, Table } from '../model/catalog.ts';
import type { Difference, Extras } from '../model/difference.ts';
import { versionTable } from './catalog.ts';

/**
 * Finds the parts of the expected catalog that a database lacks. Additional tables, columns, indexes and constraints,
 * and columns of a wider type, belong to the owner and are no differences. A table that the role may not read is a
 * difference, because the application uses the same credentials.
 *
 * Constraints and indexes are compared by their effect, not by name: releases named them differently. Defaults are not
 * compared, because the application sends all values and the defaults differ between releases. Only the default of a
 * sequence is required: without it the application cannot insert rows.
 */
export function findDifferences(expected: Catalog, actual: Catalog, engine: Engine): readonly Difference[] {
  const differences: Difference[] = [];
  for (const [name, values] of Object.entries(expected.enums)) {
    const found = actual.enums[name];
    if (found === undefined || values.some((value) => !found.includes(value))) {
      differences.push({ kind: 'missing-enum', name, values });
    }
  }
  for (const [name, table] of Object.entries(expected.tables)) {
    if (name === versionTable) continue;
    const found = actual.tables[name];
    if (found === table) continue;
    if (found === undefined) {
      differences.push({ kind: 'missing-table', table: name });
      continue;
    }
    if (found.unreadable === true) differences.push({ kind: 'unreadable-table', table: name });
    differences.push(...columnDifferences(name, table, found, engine), ...ruleDifferences(name, table, found));
  }
  return differences;
}

/** Finds what a database has beyond the expected catalog: the owner's tables, columns and indexes. */
export function findExtras(expected: Catalog, actual: Catalog): Extras {
  const known = Object.entries(actual.tables).flatMap(([name, found]) => {
    const table = expected.tables[name];
    return table === undefined ? [] : [{ name, found, table }];
  });
  return {
    tables: Object.keys(actual.tables).filter((name) => name !== versionTable && !Object.hasOwn(expected.tables, name)),
    columns: known.flatMap(({ name, found, table }) =>
      Object.keys(found.columns)
        .filter((column) => !Object.hasOwn(table.columns, column))
        .map((column) => `${name}.${column}`),
    ),
    indexes: known.flatMap(({ name, found, table }) => {
      const rules = new Set([
        ...Object.values(table.constraints),
        ...Object.values(table.indexes).map(({ definition }) => definition),
      ]);
      return Object.entries(found.indexes)
        .filter(([, { definition }]) => !rules.has(definition) && !rules.has(constraintEffect(definition)))
        .map(([index]) => `${name}.${index}`);
    }),
  };
}

function columnDifferences(table: string, expected: Table, found: Table, engine: Engine): Difference[] {
  if (found.columns === expected.columns) return [];
  const differences: Difference[] = [];
  for (const [column, expectedColumn] of Object.entries(expected.columns)) {
    const actual = found.columns[column];
    if (actual === undefined) {
      differences.push({ kind: 'missing-column', table, column, expected: expectedColumn });
      continue;
    }
    const suits = isRowidAlias(column, expected, engine)
      ? actual.type.toUpperCase() === expectedColumn.type
      : satisfies(actual.type, expectedColumn.type, engine);
    if (!suits) {
      const kind =
        engine === 'postgresql' && holdsEveryValueOf(expectedColumn.type, actual.type)
          ? 'narrower-type'
          : 'different-type';
      differences.push({ kind, table, column, expected: expectedColumn.type, found: actual.type });
    }
    if (expectedColumn.notNull && !actual.notNull) differences.push({ kind: 'must-be-not-null', table, column });
    if (!expectedColumn.notNull && actual.notNull) differences.push({ kind: 'must-be-nullable', table, column });
    if (expectedColumn.default?.startsWith('nextval(') === true && actual.default === null) {
      differences.push({ kind: 'missing-sequence', table, column });
    }
  }
  return differences;
}

function ruleDifferences(table: string, expected: Table, found: Table): Difference[] {
  // fast path: nearly always a constraint or index equals the expected one; only the others are compared by effect
  const isKept = (name: string): boolean =>
    expected.constraints[name] !== undefined && expected.constraints[name] === found.constraints[name];
  const isIndexed = (name: string): boolean =>
    found.indexes[name]?.valid === true && found.indexes[name].definition === expected.indexes[name]?.definition;
  const wanted: readonly Extract<Difference, { kind: 'missing-constraint' | 'missing-index' }>[] = [
    ...Object.entries(expected.constraints)
      .filter(([name]) => !isKept(name))
      .map(([name, definition]) => ({ kind: 'missing-constraint', table, name, definition }) as const),
    ...Object.entries(expected.indexes)
      .filter(([name]) => !isIndexed(name))
      .map(([name, { definition }]) => ({ kind: 'missing-index', table, name, definition }) as const),
  ];
  if (wanted.length === 0) return [];
  const indexes = Object.entries(found.indexes);
  const held = [
    ...Object.entries(found.constraints)
      .filter(([name]) => !isKept(name))
      .map(([name, definition]) => ({ name, rule: constraintEffect(definition) })),
    ...indexes
      .filter(([name, { valid }]) => valid && !isIndexed(name))
      .map(([name, { definition }]) => ({ name, rule: constraintEffect(definition) })),
  ];
  // each expected constraint needs a separate match, because some are expected twice; equal names are matched first
  const nameless = withoutMatch(wanted, held, (want, { name }) => want.name === name);
  const unmet = withoutMatch(nameless, held, () => true);
  const stoodFor = (want: { readonly definition: string }): boolean => {
    const standIn = acceptedAlternative(table, constraintEffect(want.definition));
    return standIn !== null && held.some(({ rule }) => rule === standIn);
  };
  return unmet
    .filter((want) => !stoodFor(want))
    .map((want) =>
      indexes.some(([, { definition, valid }]) => !valid && definition === want.definition)
        ? { kind: 'invalid-index', table, name: want.name }
        : want,
    );
}

/**
 * Removes from `held` what matches an expected constraint or index, and returns those without a match. A unique
 * constraint is matched by a unique index, too: releases and engines differ there.
 */
function withoutMatch<Want extends { readonly definition: string }, Held extends { readonly rule: string }>(
  wanted: readonly Want[],
  held: Held[],
  suits: (want: Want, have: Held) => boolean,
): readonly Want[] {
  return wanted.filter((want) => {
    const rule = constraintEffect(want.definition);
    const match = held.findIndex((have) => have.rule === rule && suits(want, have));
    if (match >= 0) held.splice(match, 1);
    return match < 0;
  });
}

/** Labels that are expected in another case: the label found → the expected one. */
export function findCaseVariants(found: readonly string[], expected: readonly string[]): ReadonlyMap<string, string> {
  const wanted = new Map(expected.map((label) => [label.toLowerCase(), label]));
  return new Map(
    found.flatMap((label) => {
      const target = wanted.get(label.toLowerCase());
      return target === undefined || expected.includes(label) ? [] : [[label, target] as const];
    }),
  );
}

const cast = /::(?:character varying|double precision|timestamp with(?:out)? time zone|\w+)(?:\(\d+\))?(?:\[\])?/g;

/** An expression of PostgreSQL without its casts, `::text`. */
export const withoutCasts = (expression: string): string => expression.replaceAll(cast, '');

/**
 * The effect of a constraint or an index, independent of how PostgreSQL prints it for the types of its columns:
 * `UNIQUE (a, b)` for a plain unique index, a check without its casts, otherwise the definition itself.
 */
export function constraintEffect(definition: string): string {
  if (!definition.startsWith('CHECK ')) return definition.replace(/^UNIQUE btree (\([^()]*\))$/, 'UNIQUE $1');
  const bare = withoutCasts(definition);
  // parentheses that remain after removing casts: `(source)`, `((ARRAY['a']))`
  const simple = bare.replaceAll(/(?<!\w)\((\w+)\)/g, '$1').replaceAll(/\(\(([^()]*)\)\)/g, '($1)');
  return simple === definition ? definition : constraintEffect(simple);
}

/**
 * Whether SQLite numbers new rows by this column. It does so only for a primary key of exactly the type INTEGER: with
 * BIGINT, a row without an id cannot be inserted (https://sqlite.org/lang_createtable.html#rowid).
 */
export function isRowidAlias(column: string, { columns, constraints }: Table, engine: Engine): boolean {
  const isKey = Object.values(constraints).includes(`PRIMARY KEY (${column})`);
  return engine === 'sqlite' && isKey && columns[column]?.type === 'INTEGER';
}

/** Whether a PostgreSQL type differs from the expected one, and holds all of its values. */
export function isWider(found: string, expected: string): boolean {
  return found !== expected && satisfies(found, expected, 'postgresql');
}

function satisfies(found: string, expected: string, engine: Engine): boolean {
  if (found === expected) return true;
  switch (engine) {
    case 'postgresql':
      return holdsEveryValueOf(found, expected) || (found.startsWith('timestamp') && found === withZone(expected));
    case 'sqlite':
      return affinity(found) === affinity(expected);
  }
}

/** Whether a PostgreSQL type holds every value of another one unchanged. */
function holdsEveryValueOf(wide: string, narrow: string): boolean {
  if (textWidth(narrow) > 0) return textWidth(wide) >= textWidth(narrow);
  const [integers, others] = [integerTypes.indexOf(wide), integerTypes.indexOf(narrow)];
  if (others >= 0) return integers >= others;
  const [more, less] = [digitsOf(wide), digitsOf(narrow)];
  if (more === null || less === null) return wide === 'double precision' && narrow === 'real';
  return more.before >= less.before && more.after >= less.after;
}

/** In ascending order of size. */
const integerTypes: readonly string[] = ['smallint', 'integer', 'bigint'];

/** The number of digits before and after the decimal point of a `numeric`; null for another type. */
function digitsOf(type: string): { readonly before: number; readonly after: number } | null {
  if (type === 'numeric') return { before: Infinity, after: Infinity };
  const [, precision, scale] = /^numeric\((\d+),(\d+)\)$/.exec(type) ?? [];
  return precision === undefined ? null : { before: Number(precision) - Number(scale), after: Number(scale) };
}

/** The timestamp type with time zone for one without. */
const withZone = (type: string): string => type.replace('without time zone', 'with time zone');

/** The number of characters that a PostgreSQL text type holds: Infinity for `text`, 0 for another type. */
function textWidth(type: string): number {
  if (type === 'text' || type === 'character varying') return Infinity;
  return Number(/^character varying\((\d+)\)$/.exec(type)?.[1] ?? 0);
}

/** The column affinity of a declared type (https://sqlite.org/datatype3.html#determination_of_column_affinity). */
export function affinity(declared: string): 'INTEGER' | 'TEXT' | 'BLOB' | 'REAL' | 'NUMERIC' {
  const type = declared.toUpperCase();
  if (type.includes('INT')) return 'INTEGER';
  if (/CHAR|CLOB|TEXT/.test(type)) return 'TEXT';
  if (type === '' || type.includes('BLOB')) return 'BLOB';
  if (/REAL|FLOA|DOUB/.test(type)) return 'REAL';
  return 'NUMERIC';
}
