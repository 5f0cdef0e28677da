import type { Catalog, Index, Table } from '../../src/model/catalog.ts';
import type { Engine } from '../../src/model/engine.ts';
/**
 * The facts about the application's history, with which the tests compare the migrations: test/fixtures/history. One
 * entry for each revision, with its changes to an empty database.
 */
import { isDeepStrictEqual } from 'node:util';

/** A revision's entry. */
export interface RevisionFacts {
  readonly revision: string;
  readonly downRevisions: readonly string[];
  readonly summary?: string;
  readonly changes: readonly object[];
}

/** A row in the facts: without NULL cells, and with `<now>` for the time of the run. */
export type FactRow = Readonly<Record<string, unknown>>;

/** The rows of an empty database that a revision adds and removes, by table. */
export type RowFacts = Readonly<
  Record<string, { readonly added: readonly FactRow[]; readonly gone: readonly FactRow[] }>
>;

/** The changes of a revision, in the format of the facts. Pure. */
export function changesOf(before: Catalog, after: Catalog, engine: Engine, rows: RowFacts = {}): readonly object[] {
  const shape = engine === 'postgresql' ? postgresShape : sqliteShape;
  const tables = Object.keys({ ...after.tables, ...before.tables }).flatMap((name): object[] => {
    const [was, is] = [before.tables[name], after.tables[name]];
    if (is === undefined) return [{ dropTable: name }];
    const now = shape(name, is);
    return was === undefined ? [{ createTable: name, ...now }] : tableChanges(name, shape(name, was), now);
  });
  const enums = Object.entries(after.enums)
    .filter(([name, values]) => !isDeepStrictEqual(before.enums[name], values))
    .map(([createEnum, values]) => ({ createEnum, values }));
  const seeds = Object.entries(rows).map(([table, { added, gone }]) => ({ rows: table, added, gone }));
  return [...enums, ...tables, ...seeds];
}

type Parts = Readonly<Record<string, unknown>>;
interface Shape {
  readonly columns: Parts;
  readonly constraints?: Parts;
  readonly indexes: Parts;
  readonly fks?: readonly (readonly string[])[];
}

function tableChanges(table: string, was: Shape, is: Shape): object[] {
  const part = (kind: 'Column' | 'Constraint' | 'Index', before: Parts = {}, after: Parts = {}): object[] =>
    Object.keys({ ...after, ...before }).flatMap((name): object[] => {
      const path = `${table}.${name}`;
      if (!Object.hasOwn(after, name)) return [{ [`drop${kind}`]: path }];
      if (!Object.hasOwn(before, name)) return [{ [`add${kind}`]: path, is: after[name] }];
      if (isDeepStrictEqual(before[name], after[name])) return [];
      return [{ [`alter${kind}`]: path, was: before[name], is: after[name] }];
    });
  const keys =
    is.fks === undefined || isDeepStrictEqual(was.fks, is.fks)
      ? []
      : [{ foreignKeys: table, was: was.fks, is: is.fks }];
  return [
    ...part('Column', was.columns, is.columns),
    ...part('Constraint', was.constraints, is.constraints),
    ...part('Index', was.indexes, is.indexes),
    ...keys,
  ];
}

function postgresShape(table: string, { columns, constraints, indexes }: Table): Shape {
  const definition = (name: string, { definition: text }: Index): string => {
    const unique = text.startsWith('UNIQUE ');
    return `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${name} ON public.${table} USING ${text.slice(unique ? 7 : 0)}`;
  };
  return {
    columns,
    constraints,
    indexes: Object.fromEntries(Object.entries(indexes).map(([name, index]) => [name, definition(name, index)])),
  };
}

function sqliteShape(table: string, { columns, constraints, indexes }: Table): Shape {
  const rules = Object.values(constraints);
  const keys = rules.flatMap((rule) => /^PRIMARY KEY \((.*)\)$/.exec(rule)?.[1]?.split(', ') ?? []);
  const unique = rules.flatMap((rule) => /^UNIQUE \((.*)\)$/.exec(rule)?.[1] ?? []);
  const fks = rules.flatMap((rule) => {
    const [, from = '', target = '', to = '', rest = ''] =
      /^FOREIGN KEY \((.*)\) REFERENCES "?(\w+)"?\((.*?)\)(.*)$/.exec(rule) ?? [];
    return target === '' ? [] : [[target, from, to, / ON DELETE (\w+(?: \w+)?)/.exec(rest)?.[1] ?? 'NO ACTION']];
  });
  return {
    columns: Object.fromEntries(
      Object.entries(columns).map(([name, column]) => [name, { ...column, pk: keys.indexOf(name) + 1 }]),
    ),
    indexes: Object.fromEntries<object>([
      ...Object.entries(indexes).map(([name, { definition }]) => {
        const text = /\((.*?)\)(?: WHERE |$)/.exec(definition)?.[1] ?? '';
        return [name, { unique: definition.startsWith('UNIQUE '), origin: 'c', columns: text.split(', ') }] as const;
      }),
      ...unique.map((text, index) => {
        const name = `sqlite_autoindex_${table}_${index + 1}`;
        return [name, { unique: true, origin: 'u', columns: text.split(', ') }] as const;
      }),
    ]),
    fks: fks.toSorted((a, b) => (a.join() < b.join() ? -1 : 1)),
  };
}
