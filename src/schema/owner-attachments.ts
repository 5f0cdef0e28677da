import { type Attachment, generated, type HealthFacts, type RuntimeFacts } from '../model/database-facts.ts';
import type { Engine } from '../model/engine.ts';
import type { Catalog, Table } from '../model/catalog.ts';
import { quoteName } from '../platform/sql-quoting.ts';
import { isNeverTrue } from '../model/never-true.ts';
import { acceptedAlternative } from './known-divergences.ts';
import { literalIn } from './default-rules.ts';
import { constraintEffect } from './comparison.ts';
import { readPair, tablesWithOtherColumns, widerColumns } from './row-questions.ts';

/**
 * Finds foreign keys of the owner's tables that SQLite cannot check, because the referenced table is missing or the
 * referenced columns are not unique.
 */
export function uncheckedReferences(head: Catalog, { tables }: Catalog): readonly Attachment[] {
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
export function attachmentsOn(head: Catalog, { catalog, runtime }: HealthFacts, engine: Engine): readonly Attachment[] {
  return [
    ...runtime.attachments.filter(({ table }) => table === null || Object.hasOwn(head.tables, table)),
    ...generatedColumns(head, catalog, engine),
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

/** Columns of the application that the owner has replaced by generated ones: they take no values. */
export function generatedColumns(head: Catalog, catalog: Catalog, engine: Engine): readonly Attachment[] {
  return tablesWithOtherColumns(head, catalog).flatMap(({ table, found, expected }) =>
    Object.entries(expected).flatMap(([name, { type }]) => {
      const kind = found[name]?.default;
      if (kind !== generated.stored && kind !== generated.virtual) return [];
      const remedy =
        engine === 'postgresql' && kind === generated.stored
          ? `ALTER TABLE ${quoteName(table)} ALTER COLUMN ${quoteName(name)} DROP EXPRESSION`
          : ordinaryColumn(quoteName(table), name, type);
      return [{ table, what: 'column', name, detail: { kind: 'generated-column' }, refuses: true, remedy }];
    }),
  );
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
  switch (engine) {
    case 'postgresql':
      return `ALTER TABLE ${table} ALTER COLUMN ${quoteName(name)} DROP NOT NULL`;
    case 'sqlite':
      return ordinaryColumn(table, name, type);
  }
}

/** Replaces a column by one that has the same values, allows NULL and is not generated. */
function ordinaryColumn(table: string, name: string, type: string): string {
  const [column, copy] = [quoteName(name), quoteName(`${name}_copy`)];
  return [
    `ALTER TABLE ${table} ADD COLUMN ${copy} ${type}`,
    `UPDATE ${table} SET ${copy} = ${column}`,
    `ALTER TABLE ${table} DROP COLUMN ${column}`,
    `ALTER TABLE ${table} RENAME COLUMN ${copy} TO ${column}`,
  ].join('; ');
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

/** Defaults whose literal differs from the expected one. A missing default is harmless: the application sets values. */
export function changedDefaults(head: Catalog, catalog: Catalog, engine: Engine): readonly Attachment[] {
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

export function widerColumnNotes(head: Catalog, { catalog, runtime }: HealthFacts): readonly Attachment[] {
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
