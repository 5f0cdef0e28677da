import {
  activeRowSecurity,
  type Question,
  type Answer,
  type Attachment,
  type Surroundings,
  type Numbering,
} from '../model/database-facts.ts';
import type { Engine } from '../model/engine.ts';
import type { Catalog, Table } from '../model/catalog.ts';
import type { Difference } from '../model/difference.ts';
import { quoteName, quoteText } from '../database/quoting.ts';
import type { SeedRows } from '../migration/baseline.ts';
import { isNeverTrue } from '../model/never-true.ts';
import { standInFor } from './known-divergences.ts';
import { findCaseVariants, findDifferences, isWider, ruleMeaning } from './comparison.ts';

/** What was seen of a database, as far as its health is concerned. */
export interface Seen {
  readonly catalog: Catalog;
  readonly surroundings: Surroundings;
}

/** What the last revision promises: its catalog, and the rows that revisions make. */
export interface ExpectedSchema {
  readonly head: Catalog;
  readonly seed: SeedRows;
}

/**
 * Everything that keeps the application from working at the head: what the schema lacks, what refuses its writes, and
 * rows that do not fit. Pure.
 */
export function findFaults({ head }: ExpectedSchema, seen: Seen, engine: Engine): readonly Difference[] {
  const differences = findDifferences(head, seen.catalog, engine);
  const { answers } = seen.surroundings;
  const inRows = answers.flatMap((answer) => faultOf(answer, head, seen));
  const empty = new Set(answers.flatMap(({ fault, table }) => (fault === 'seed' ? [table] : [])));
  // a type is one fault, however many of its labels are used
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

/** What is there beyond the application's and may change what it writes, though it does not have to: for people to know. */
export function findNotes(head: Catalog, seen: Seen, engine: Engine): readonly Attachment[] {
  return [
    ...attachmentsOn(head, seen, engine).filter(({ refuses }) => !refuses),
    ...(engine === 'sqlite' ? unkeptReferences(head, seen.catalog) : wideColumns(head, seen)),
  ];
}

/** A column that its owner gave a type that holds more than the promised one. */
interface WiderColumn {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly promised: string;
}

/** SQLite does not hold its columns to their types. */
function widerColumns(head: Catalog, { tables }: Catalog): readonly WiderColumn[] {
  return Object.entries(head.tables).flatMap(([table, { columns }]) =>
    Object.entries(tables[table]?.columns ?? {}).flatMap(([column, { type }]) => {
      const promised = columns[column]?.type;
      return promised !== undefined && isWider(type, promised) ? [{ table, column, type, promised }] : [];
    }),
  );
}

function wideColumns(head: Catalog, { catalog, surroundings }: Seen): readonly Attachment[] {
  const found = surroundings.answers
    .filter(({ fault }) => fault === 'oversize')
    .map(({ table, value }) => [table, ...readPair(value)] as const);
  return widerColumns(head, catalog).map(({ table, column, type, promised }) => {
    const [, , rows = '0'] = found.find(([inTable, name]) => inTable === table && name === column) ?? [];
    const beyond = rows === '0' ? '' : `; ${rows} of its values would not fit into that`;
    return {
      table,
      what: 'wider column',
      name: column,
      detail: `it is ${type}, and holds all that ${promised} does${beyond}`,
      refuses: false,
      remedy: `ALTER TABLE ${quoteName(table)} ALTER COLUMN ${quoteName(column)} TYPE ${promised}`,
    };
  });
}

/** Foreign keys of the owner's tables that SQLite lets be declared and can never check: they refer to nothing unique. */
function unkeptReferences(head: Catalog, { tables }: Catalog): readonly Attachment[] {
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
        const why = parent === undefined ? `there is no table ${target}` : `${target} (${columns}) is not unique`;
        return [
          {
            table: null,
            what: 'foreign key of the table',
            name,
            detail: `${rule}: ${why}, so that SQLite cannot check it`,
            refuses: false,
            remedy: `-- it is part of the statement of ${quoteName(name)}`,
          },
        ];
      }),
    );
}

/** Their order, capitals and collations do not matter to a foreign key. */
const columnsIn = (list: string): string =>
  list
    .toLowerCase()
    .replaceAll(/ collate \w+/g, '')
    .split(', ')
    .toSorted()
    .join();

/** What is attached to the application's tables and to the database, and what the owner added to the tables. */
function attachmentsOn(head: Catalog, { catalog, surroundings }: Seen, engine: Engine): readonly Attachment[] {
  return [
    ...surroundings.attachments.filter(({ table }) => table === null || Object.hasOwn(head.tables, table)),
    ...Object.entries(head.tables).flatMap(([name, promised]) => {
      const found = catalog.tables[name];
      return found === undefined
        ? []
        : [
            ...ownColumns(name, promised, found, engine),
            ...ownRules(name, promised, found, engine),
            ...ownUniques(name, promised, found),
          ];
    }),
  ];
}

/** A column that the application does not know needs a value that it does not give. */
function ownColumns(table: string, promised: Table, found: Table, engine: Engine): readonly Attachment[] {
  return Object.entries(found.columns)
    .filter(([name, column]) => !Object.hasOwn(promised.columns, name) && column.notNull && column.default === null)
    .map(([name, { type }]) => ({
      table,
      what: 'column',
      name,
      detail: `${type} NOT NULL without a default, which the application does not fill`,
      refuses: true,
      remedy: freeColumn(quoteName(table), name, type, engine),
    }));
}

function freeColumn(table: string, name: string, type: string, engine: Engine): string {
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

/** Keys and checks of the owner's. One that no value can pass refuses every row. */
function ownRules(table: string, promised: Table, found: Table, engine: Engine): readonly Attachment[] {
  const unlike = Object.entries(found.constraints).filter(
    ([name, definition]) => definition !== promised.constraints[name],
  );
  if (unlike.length === 0) return [];
  const known = new Set([
    ...Object.values(promised.constraints).flatMap((rule) => [
      ruleMeaning(rule),
      standInFor(table, ruleMeaning(rule)) ?? '',
    ]),
    ...Object.values(promised.indexes).map(({ definition }) => ruleMeaning(definition)),
  ]);
  return unlike
    .filter(([, definition]) => !known.has(ruleMeaning(definition.replace(/ NOT VALID$/, ''))))
    .filter(([, definition]) => !/^(?:PRIMARY KEY|NOT NULL)/.test(definition))
    .map(([name, definition]) => ({
      table,
      what: 'constraint',
      name,
      detail: definition,
      refuses: isNeverTrue(definition),
      remedy:
        engine === 'postgresql'
          ? `ALTER TABLE ${quoteName(table)} DROP CONSTRAINT ${quoteName(name)}`
          : `-- it is part of the statement of ${quoteName(table)}`,
    }));
}

/** A unique index of the owner's over nothing but a constant: there can be one row in all. */
function ownUniques(table: string, promised: Table, found: Table): readonly Attachment[] {
  return Object.entries(found.indexes)
    .filter(([name, { definition }]) => !Object.hasOwn(promised.indexes, name) && isOfConstant(definition))
    .map(([name, { definition }]) => ({
      table,
      what: 'unique index',
      name,
      detail: `${definition}, which a second row cannot pass`,
      refuses: true,
      remedy: `DROP INDEX ${quoteName(name)}`,
    }));
}

const isOfConstant = (definition: string): boolean =>
  /^UNIQUE (?:btree )?\(\(+(?:-?\d+|'[^']*'(?:::\w+)?|true|false)\)+\)$/.test(definition);

/** What is asked of the rows of a database that may be at the head. */
export function rowQuestions({ head, seed }: ExpectedSchema, engine: Engine): Question {
  return ({ catalog, surroundings }) => {
    // nothing can be told of rows that may be hidden
    const filtered = new Set(
      surroundings.attachments.flatMap(({ table, what }) => (what === activeRowSecurity ? [table] : [])),
    );
    const readable = (table: string): boolean => {
      const found = catalog.tables[table];
      return (
        Object.hasOwn(head.tables, table) && found !== undefined && found.unreadable !== true && !filtered.has(table)
      );
    };
    const numbered = surroundings.numberings.filter(
      ({ table, column }) => readable(table) && Object.hasOwn(head.tables[table]?.columns ?? {}, column),
    );
    return [
      ...numbered.map(askSequence),
      ...(engine === 'postgresql' ? askLabels(head, catalog, readable) : []),
      ...(engine === 'postgresql' ? widerColumns(head, catalog) : [])
        .filter(({ table }) => readable(table))
        .flatMap(askOversize),
      ...Object.entries(seed)
        .filter(([table]) => readable(table))
        .flatMap(([table, rows]) => askSeed(table, rows, catalog)),
    ];
  };
}

/**
 * A table whose sequence will come to numbers that are taken: it is behind them, or counts downwards to them. What was
 * never called gives its own value next, which a server tells nowhere else.
 */
function askSequence({ table, column, sequence, increment }: Numbering): string {
  const name = quoteName(column);
  const [order, isTaken] = increment > 0 ? ['DESC', '>='] : ['ASC', '<='];
  return `SELECT 'sequence' AS fault, ${quoteText(table)} AS "table", ${quoteText(column)} AS value FROM (
    SELECT ${name} AS farthest FROM ${quoteName(table)} ORDER BY ${name} ${order} NULLS LAST LIMIT 1) AS rows, ${quoteName(sequence)} s
    WHERE farthest ${isTaken} CASE WHEN s.is_called THEN s.last_value + ${increment} ELSE s.last_value END`;
}

/** How many values of a wider column the promised type could not hold: a column that is as promised is not looked at. */
function askOversize({ table, column, promised }: WiderColumn): readonly string[] {
  const beyond = outsideOf(promised, quoteName(column));
  if (beyond === null) return [];
  return [
    `SELECT 'oversize' AS fault, ${quoteText(table)} AS "table", to_json(ARRAY[${quoteText(column)}, rows::text])::text AS value
    FROM (SELECT count(*) AS rows FROM ${quoteName(table)} WHERE ${beyond}) AS found WHERE rows > 0`,
  ];
}

/** The condition of values that a type cannot hold unchanged; null where there are none in a type that holds more. */
function outsideOf(type: string, value: string): string | null {
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

/** Labels beyond the promised ones, where rows or a default use them. Healthy types have none. */
function askLabels(head: Catalog, catalog: Catalog, readable: (table: string) => boolean): readonly string[] {
  const surplus = Object.entries(head.enums).filter(([name, labels]) =>
    catalog.enums[name]?.some((label) => !labels.includes(label)),
  );
  return surplus.flatMap(([name, labels]) =>
    Object.entries(catalog.tables)
      .filter(([table]) => readable(table))
      .flatMap(([table, { columns }]) =>
        Object.entries(columns)
          .filter(([, { type }]) => type === name)
          .map(([column]) => askLabelsOf(table, column, labels)),
      ),
  );
}

function askLabelsOf(table: string, column: string, labels: readonly string[]): string {
  const standard = `substring(pg_get_expr(d.adbin, d.adrelid) FROM '^''(.*)''::')`;
  return `SELECT 'label' AS fault, ${quoteText(table)} AS "table", to_json(ARRAY[${quoteText(column)}, label])::text AS value FROM (
    SELECT ${quoteName(column)}::text AS label FROM ${quoteName(table)} GROUP BY 1
    UNION SELECT ${standard} FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    WHERE d.adrelid = ${quoteText(quoteName(table))}::regclass AND a.attname = ${quoteText(column)}) AS labels
    WHERE label NOT IN (${labels.map(quoteText).join(', ')})`;
}

/** By which column the rows that revisions make are known; those of other tables by being there. */
const seedKeys: Readonly<Record<string, string>> = {
  expense_categories: 'code',
  kanban_columns: 'key',
  leave_types: 'code',
  permissions: 'name',
  roles: 'name',
};

/** A table that has none of the rows that a revision makes. Its owner may have deleted or renamed some of them. */
function askSeed(table: string, rows: SeedRows[string], catalog: Catalog): readonly string[] {
  const key = seedKeys[table];
  const keyed = key !== undefined && Object.hasOwn(catalog.tables[table]?.columns ?? {}, key);
  const values = keyed ? rows.map((row) => quoteText(String(row[key]))).join(', ') : '';
  const among = keyed ? ` WHERE ${quoteName(key)} IN (${values})` : '';
  const found = `SELECT 1 FROM ${quoteName(table)}${among}`;
  return [`SELECT 'seed' AS fault, ${quoteText(table)} AS "table", '' AS value WHERE NOT EXISTS (${found})`];
}

/**
 * Without these rows nobody may do anything; of other tables the owner may have deleted all rows. What refers to others
 * comes last.
 */
export const requiredSeedTables: readonly string[] = ['permissions', 'roles', 'role_permissions'];

function faultOf({ fault, table, value }: Answer, head: Catalog, { catalog }: Seen): readonly Difference[] {
  switch (fault) {
    case 'sequence':
      return [{ kind: 'sequence-behind', table, column: value }];
    case 'seed':
    case 'oversize':
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
