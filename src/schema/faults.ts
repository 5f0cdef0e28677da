import {
  activeRowSecurity,
  type Question,
  type Answer,
  type Attachment,
  type RuntimeFacts,
  type TableSequence,
} from '../model/database-facts.ts';
import type { Engine } from '../model/engine.ts';
import type { Catalog, Table } from '../model/catalog.ts';
import type { Difference } from '../model/difference.ts';
import { quoteName, quoteText } from '../platform/sql-quoting.ts';
import type { SeedRows } from '../migration/baseline.ts';
import { isNeverTrue } from '../model/never-true.ts';
import { acceptedAlternative } from './known-divergences.ts';
import { defaultQueries, literalIn } from './default-rules.ts';
import { findCaseVariants, findDifferences, isWider, constraintEffect } from './comparison.ts';

export interface HealthFacts {
  readonly catalog: Catalog;
  readonly runtime: RuntimeFacts;
}

/** The schema of the last revision: its catalog, and the rows that the revisions insert. */
export interface ExpectedSchema extends Pick<Question, 'statements'> {
  readonly head: Catalog;
  readonly seed: SeedRows;
}

/**
 * Finds everything that prevents the application from working at the head: missing parts of the schema, objects that
 * refuse its writes, and rows that do not fit. Pure.
 */
export function findFaults({ head }: ExpectedSchema, seen: HealthFacts, engine: Engine): readonly Difference[] {
  const differences = findDifferences(head, seen.catalog, engine);
  const { answers } = seen.runtime;
  const inRows = answers.flatMap((answer) => faultOf(answer, head, seen));
  const empty = new Set(answers.flatMap(({ fault, table }) => (fault === 'seed' ? [table] : [])));
  // an enum type counts as one fault, even if several of its labels are used
  const types = new Set(differences.map((difference) => difference.kind === 'missing-enum' && difference.name));
  return [
    ...differences,
    ...attachmentsOn(head, seen, engine)
      .filter(({ refuses }) => refuses)
      .map((attachment) => ({ kind: 'obstruction', attachment }) as const),
    ...inRows.filter((fault) => {
      if (fault.kind !== 'missing-enum') return true;
      const isNew = !types.has(fault.name);
      types.add(fault.name);
      return isNew;
    }),
    ...requiredSeedTables
      .filter((table) => empty.has(table))
      .map((table) => ({ kind: 'missing-rows', table }) as const),
  ];
}

/**
 * Finds objects that are not the application's and may affect its writes without refusing them: reported as notes, not
 * as faults.
 * @param atHead whether the version rows are those of the head: earlier revisions have other defaults
 */
export function findNotes(head: Catalog, seen: HealthFacts, engine: Engine, atHead: boolean): readonly Attachment[] {
  return [
    ...(atHead ? changedDefaults(head, seen.catalog, engine) : []),
    ...attachmentsOn(head, seen, engine).filter(({ refuses }) => !refuses),
    ...(engine === 'sqlite' ? uncheckedReferences(head, seen.catalog) : widerColumnNotes(head, seen)),
  ];
}

/** The found and the expected columns of each table, without the tables that have exactly the expected columns. */
function tablesWithOtherColumns(
  head: Catalog,
  { tables }: Catalog,
): readonly { readonly table: string; readonly found: Table['columns']; readonly expected: Table['columns'] }[] {
  return Object.entries(head.tables).flatMap(([table, { columns: expected }]) => {
    const found = tables[table]?.columns;
    return found === undefined || found === expected ? [] : [{ table, found, expected }];
  });
}

/** Defaults whose literal differs from the expected one. A missing default is harmless: the application sets values. */
function changedDefaults(head: Catalog, catalog: Catalog, engine: Engine): readonly Attachment[] {
  return tablesWithOtherColumns(head, catalog).flatMap(({ table, found: present, expected: columns }) =>
    Object.entries(present).flatMap(([name, { default: found }]) => {
      const expectedDefault = columns[name]?.default ?? null;
      if (found === null || expectedDefault === null) return [];
      const [value, expected] = [literalIn(found), literalIn(expectedDefault)];
      if (value === null || expected === null || sameValue(value, expected)) return [];
      const column = `ALTER TABLE ${quoteName(table)} ALTER COLUMN ${quoteName(name)}`;
      return [
        {
          table,
          what: 'changed default',
          name,
          detail: { kind: 'other-default', found, expected: expectedDefault },
          refuses: false,
          remedy:
            engine === 'postgresql'
              ? `${column} SET DEFAULT ${expectedDefault}`
              : `-- it is part of the statement of ${quoteName(table)}`,
        },
      ];
    }),
  );
}

/** Whether two literals are the same value: engines and releases print numbers and booleans differently. */
function sameValue(one: string, other: string): boolean {
  const truth: Readonly<Record<string, string>> = { true: '1', false: '0', t: '1', f: '0' };
  const [first, second] = [truth[one] ?? one, truth[other] ?? other];
  return first === second || (first !== '' && second !== '' && Number(first) === Number(second));
}

interface WiderColumn {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly expected: string;
}

/** Finds columns with a wider type. For PostgreSQL only: SQLite does not enforce the types of columns. */
function widerColumns(head: Catalog, catalog: Catalog): readonly WiderColumn[] {
  return tablesWithOtherColumns(head, catalog).flatMap(({ table, found, expected: columns }) =>
    Object.entries(found).flatMap(([column, { type }]) => {
      const expected = columns[column]?.type;
      return expected !== undefined && isWider(type, expected) ? [{ table, column, type, expected }] : [];
    }),
  );
}

function widerColumnNotes(head: Catalog, { catalog, runtime }: HealthFacts): readonly Attachment[] {
  const found = runtime.answers
    .filter(({ fault }) => fault === 'oversize')
    .map(({ table, value }) => [table, ...readPair(value)] as const);
  return widerColumns(head, catalog).map(({ table, column, type, expected }) => {
    const [, , larger = '0'] = found.find(([inTable, name]) => inTable === table && name === column) ?? [];
    return {
      table,
      what: 'wider column',
      name: column,
      detail: { kind: 'wider-type', type, expected, larger },
      refuses: false,
      remedy: `ALTER TABLE ${quoteName(table)} ALTER COLUMN ${quoteName(column)} TYPE ${expected}`,
    };
  });
}

/**
 * Finds foreign keys of the owner's tables that SQLite cannot check, because the referenced table is missing or the
 * referenced columns are not unique.
 */
function uncheckedReferences(head: Catalog, { tables }: Catalog): readonly Attachment[] {
  const byName = new Map(Object.entries(tables).map(([name, table]) => [name.toLowerCase(), table]));
  const isUnique = ({ constraints, indexes }: Table, columns: string): boolean =>
    [...Object.values(constraints), ...Object.values(indexes).map(({ definition }) => definition)].some((rule) => {
      const [, unique] = /^(?:PRIMARY KEY|UNIQUE(?: btree)?) \((.*)\)$/.exec(rule) ?? [];
      return unique !== undefined && columnsIn(unique) === columnsIn(columns);
    });
  return Object.entries(tables)
    .filter(([name]) => !Object.hasOwn(head.tables, name))
    .flatMap(([name, { constraints }]) =>
      Object.values(constraints).flatMap((rule) => {
        const [, target, columns] = /^FOREIGN KEY \(.*?\) REFERENCES (.*?)\((.*?)\)/.exec(rule) ?? [];
        if (target === undefined || columns === undefined) return [];
        const parent = byName.get(target.toLowerCase());
        if (parent !== undefined && isUnique(parent, columns)) return [];
        return [
          {
            table: null,
            what: 'foreign key of the table',
            name,
            detail: { kind: 'unchecked-reference', rule, target, columns: parent === undefined ? null : columns },
            refuses: false,
            remedy: `-- it is part of the statement of ${quoteName(name)}`,
          },
        ];
      }),
    );
}

/** Columns in a comparable form: order, case and collation do not matter for a foreign key. */
const columnsIn = (list: string): string =>
  list
    .toLowerCase()
    .replaceAll(/ collate \w+/g, '')
    .split(', ')
    .toSorted()
    .join();

/** Attachments of the tables and of the database, and columns, constraints and indexes that the owner added. */
function attachmentsOn(head: Catalog, { catalog, runtime }: HealthFacts, engine: Engine): readonly Attachment[] {
  return [
    ...runtime.attachments.filter(({ table }) => table === null || Object.hasOwn(head.tables, table)),
    ...Object.entries(head.tables).flatMap(([name, expected]) => {
      const found = catalog.tables[name];
      return found === undefined || found === expected
        ? []
        : [
            ...requiredOwnColumns(name, expected, found, engine),
            ...ownConstraints(name, expected, found, engine, brokenByDefaults(name, runtime)),
            ...ownSingleRowIndexes(name, expected, found),
          ];
    }),
  ];
}

/** Columns that the owner added as NOT NULL without a default: the application inserts no value into them. */
function requiredOwnColumns(table: string, expected: Table, found: Table, engine: Engine): readonly Attachment[] {
  if (found.columns === expected.columns) return [];
  return Object.entries(found.columns)
    .filter(([name, column]) => !Object.hasOwn(expected.columns, name) && column.notNull && column.default === null)
    .map(([name, { type }]) => ({
      table,
      what: 'column',
      name,
      detail: { kind: 'required-column', type },
      refuses: true,
      remedy: allowNullStatement(quoteName(table), name, type, engine),
    }));
}

function allowNullStatement(table: string, name: string, type: string, engine: Engine): string {
  const [column, copy] = [quoteName(name), quoteName(`${name}_copy`)];
  switch (engine) {
    case 'postgresql':
      return `ALTER TABLE ${table} ALTER COLUMN ${column} DROP NOT NULL`;
    case 'sqlite':
      return [
        `ALTER TABLE ${table} ADD COLUMN ${copy} ${type}`,
        `UPDATE ${table} SET ${copy} = ${column}`,
        `ALTER TABLE ${table} DROP COLUMN ${column}`,
        `ALTER TABLE ${table} RENAME COLUMN ${copy} TO ${column}`,
      ].join('; ');
  }
}

/** The names of the constraints of a table that a new row violates with the defaults of its columns (`defaultQueries`). */
const brokenByDefaults = (name: string, { answers }: RuntimeFacts): ReadonlySet<string> =>
  new Set(answers.flatMap(({ fault, table, value }) => (fault === 'default' && table === name ? [value] : [])));

/** Constraints that the owner added. One that is never true, or is false for the defaults, refuses every new row. */
function ownConstraints(
  table: string,
  expected: Table,
  found: Table,
  engine: Engine,
  broken: ReadonlySet<string>,
): readonly Attachment[] {
  const unlike = Object.entries(found.constraints).filter(
    ([name, definition]) => definition !== expected.constraints[name],
  );
  if (unlike.length === 0) return [];
  const known = new Set([
    ...Object.values(expected.constraints).flatMap((rule) => [
      constraintEffect(rule),
      acceptedAlternative(table, constraintEffect(rule)) ?? '',
    ]),
    ...Object.values(expected.indexes).map(({ definition }) => constraintEffect(definition)),
  ]);
  return unlike
    .filter(([, definition]) => !known.has(constraintEffect(definition.replace(/ NOT VALID$/, ''))))
    .filter(([, definition]) => !/^(?:PRIMARY KEY|NOT NULL)/.test(definition))
    .map(([name, definition]) => ({
      table,
      what: 'constraint',
      name,
      detail: broken.has(name) ? { kind: 'breaks-defaults', definition } : definition,
      refuses: broken.has(name) || isNeverTrue(definition),
      remedy:
        engine === 'postgresql'
          ? `ALTER TABLE ${quoteName(table)} DROP CONSTRAINT ${quoteName(name)}`
          : `-- it is part of the statement of ${quoteName(table)}`,
    }));
}

/** Unique indexes that the owner added over a constant: they limit the table to one row. */
function ownSingleRowIndexes(table: string, expected: Table, found: Table): readonly Attachment[] {
  return Object.entries(found.indexes)
    .filter(([name, { definition }]) => !Object.hasOwn(expected.indexes, name) && isIndexOfConstant(definition))
    .map(([name, { definition }]) => ({
      table,
      what: 'unique index',
      name,
      detail: { kind: 'single-row', definition },
      refuses: true,
      remedy: `DROP INDEX ${quoteName(name)}`,
    }));
}

const isIndexOfConstant = (definition: string): boolean =>
  /^UNIQUE (?:btree )?\(\(+(?:-?\d+|'[^']*'(?:::\w+)?|true|false)\)+\)$/.test(definition);

/** Builds the queries about the rows of a database that may be at the head: sequences, labels, defaults, seed rows. */
export function createRowQuestion({ head, statements, seed }: ExpectedSchema, engine: Engine): Question {
  const aboutRows: Question['aboutRows'] = ({ catalog, runtime }) => {
    // row security may hide rows of a table, so such a table is not queried
    const filtered = new Set(
      runtime.attachments.flatMap(({ table, what }) => (what === activeRowSecurity ? [table] : [])),
    );
    const readable = (table: string): boolean => {
      const found = catalog.tables[table];
      return (
        Object.hasOwn(head.tables, table) && found !== undefined && found.unreadable !== true && !filtered.has(table)
      );
    };
    const numbered = runtime.sequences.filter(
      ({ table, column }) => readable(table) && Object.hasOwn(head.tables[table]?.columns ?? {}, column),
    );
    return [
      ...numbered.map(sequenceQuery),
      ...(engine === 'postgresql' ? labelQueries(head, catalog, readable) : []),
      ...(engine === 'postgresql' ? widerColumns(head, catalog) : [])
        .filter(({ table }) => readable(table))
        .flatMap(oversizeQuery),
      ...(engine === 'postgresql' ? defaultQueries(head, catalog, readable) : []),
      ...Object.entries(seed)
        .filter(([table]) => readable(table))
        .flatMap(([table, rows]) => seedQuery(table, rows, catalog)),
    ];
  };
  return { expected: head, statements, aboutRows };
}

/**
 * Asks whether the next value of a sequence is not beyond the values in its column, in the direction in which the
 * sequence counts. A sequence that was never called returns last_value itself next, so the query reads `is_called`.
 */
function sequenceQuery({ table, column, sequence, increment }: TableSequence): string {
  const name = quoteName(column);
  const [order, isTaken] = increment > 0 ? ['DESC', '>='] : ['ASC', '<='];
  return `SELECT 'sequence' AS fault, ${quoteText(table)} AS "table", ${quoteText(column)} AS value FROM (
    SELECT ${name} AS farthest FROM ${quoteName(table)} ORDER BY ${name} ${order} NULLS LAST LIMIT 1) AS rows, ${quoteName(sequence)} s
    WHERE farthest ${isTaken} CASE WHEN s.is_called THEN s.last_value + ${increment} ELSE s.last_value END`;
}

/** The query that counts the values of a wider column that the expected type cannot hold; empty if none applies. */
function oversizeQuery({ table, column, expected }: WiderColumn): readonly string[] {
  const beyond = outOfRangeCondition(expected, quoteName(column));
  if (beyond === null) return [];
  return [
    `SELECT 'oversize' AS fault, ${quoteText(table)} AS "table", to_json(ARRAY[${quoteText(column)}, rows::text])::text AS value
    FROM (SELECT count(*) AS rows FROM ${quoteName(table)} WHERE ${beyond}) AS found WHERE rows > 0`,
  ];
}

/** The SQL condition for values that a type cannot hold unchanged; null for types that are not checked. */
function outOfRangeCondition(type: string, value: string): string | null {
  const [, width] = /^character varying\((\d+)\)$/.exec(type) ?? [];
  if (width !== undefined) return `char_length(${value}) > ${width}`;
  const [, precision, scale] = /^numeric\((\d+),(\d+)\)$/.exec(type) ?? [];
  if (precision !== undefined && scale !== undefined) {
    const limit = `1e${Number(precision) - Number(scale)}`;
    return `${value} <> 'NaN' AND (abs(${value}) >= ${limit} OR ${value} <> round(${value}, ${scale}))`;
  }
  const bits = { smallint: 15, integer: 31 }[type];
  return bits === undefined ? null : `${value} NOT BETWEEN ${-(2 ** bits)} AND ${2 ** bits - 1}`;
}

/** Builds the queries for unexpected labels that rows or a default use; only for enum types with unexpected labels. */
function labelQueries(head: Catalog, catalog: Catalog, readable: (table: string) => boolean): readonly string[] {
  const surplus = Object.entries(head.enums).filter(([name, labels]) =>
    catalog.enums[name]?.some((label) => !labels.includes(label)),
  );
  return surplus.flatMap(([name, labels]) =>
    Object.entries(catalog.tables)
      .filter(([table]) => readable(table))
      .flatMap(([table, { columns }]) =>
        Object.entries(columns)
          .filter(([, { type }]) => type === name)
          .map(([column]) => labelQuery(table, column, labels)),
      ),
  );
}

function labelQuery(table: string, column: string, labels: readonly string[]): string {
  const standard = `substring(pg_get_expr(d.adbin, d.adrelid) FROM '^''(.*)''::')`;
  return `SELECT 'label' AS fault, ${quoteText(table)} AS "table", to_json(ARRAY[${quoteText(column)}, label])::text AS value FROM (
    SELECT ${quoteName(column)}::text AS label FROM ${quoteName(table)} GROUP BY 1
    UNION SELECT ${standard} FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    WHERE d.adrelid = ${quoteText(quoteName(table))}::regclass AND a.attname = ${quoteText(column)}) AS labels
    WHERE label NOT IN (${labels.map(quoteText).join(', ')})`;
}

/** The column that identifies seed rows; in other tables any row counts. */
const seedKeys: Readonly<Record<string, string>> = {
  expense_categories: 'code',
  kanban_columns: 'key',
  leave_types: 'code',
  permissions: 'name',
  roles: 'name',
};

/** Asks whether a table has none of its seed rows. If some are missing, the owner may have deleted or renamed them. */
function seedQuery(table: string, rows: SeedRows[string], catalog: Catalog): readonly string[] {
  const key = seedKeys[table];
  const keyed = key !== undefined && Object.hasOwn(catalog.tables[table]?.columns ?? {}, key);
  const values = keyed ? rows.map((row) => quoteText(String(row[key]))).join(', ') : '';
  const among = keyed ? ` WHERE ${quoteName(key)} IN (${values})` : '';
  const found = `SELECT 1 FROM ${quoteName(table)}${among}`;
  return [`SELECT 'seed' AS fault, ${quoteText(table)} AS "table", '' AS value WHERE NOT EXISTS (${found})`];
}

/**
 * Tables that need their seed rows: without them no user has any permission. In other tables the owner may have deleted
 * all rows. The table that refers to the others comes last.
 */
export const requiredSeedTables: readonly string[] = ['permissions', 'roles', 'role_permissions'];

function faultOf({ fault, table, value }: Answer, head: Catalog, { catalog }: HealthFacts): readonly Difference[] {
  switch (fault) {
    case 'sequence':
      return [{ kind: 'sequence-behind', table, column: value }];
    case 'seed':
    case 'oversize':
    case 'default':
      return [];
    case 'label': {
      const [column, label] = readPair(value);
      const name = head.tables[table]?.columns[column]?.type ?? '';
      const values = head.enums[name] ?? [];
      return findCaseVariants(catalog.enums[name] ?? [], values).has(label)
        ? [{ kind: 'missing-enum', name, values }]
        : [{ kind: 'unknown-label', table, column, label }];
    }
    default:
      throw new Error(`no question about ${fault} was asked`);
  }
}

function readPair(json: string): readonly [string, string] {
  const pair: unknown = JSON.parse(json);
  if (!Array.isArray(pair)) throw new Error('the answer is no list');
  return [String(pair[0]), String(pair[1])];
}
