import type { Catalog, Table } from '../../../src/model/catalog.ts';

/** The tables and columns that a revision renames. */
export interface Renames {
  readonly tables: readonly { readonly from: string; readonly to: string }[];
  /** With the name of the table after the revision. */
  readonly columns: readonly { readonly table: string; readonly from: string; readonly to: string }[];
}

/** The rows of each table, each row as column → text or null. */
export type Rows = Readonly<Record<string, readonly Readonly<Record<string, string | null>>[]>>;

interface Evidence {
  readonly before: Catalog;
  readonly after: Catalog;
  readonly rowsBefore: Rows;
  readonly rowsAfter: Rows;
  /** The statements that the server has logged. */
  readonly statements: readonly string[];
}

/**
 * Finds renamed tables and columns: a statement renames them, or the rows have the same values under the new name, and no
 * other new name has these values.
 */
export function findRenames(evidence: Evidence): Renames {
  const tables = renamedTables(evidence);
  const before = applyRenames(evidence.before, { tables, columns: [] });
  const rows = Object.fromEntries(
    Object.entries(evidence.rowsBefore).map(([name, held]) => [
      tables.find(({ from }) => from === name)?.to ?? name,
      held,
    ]),
  );
  const columns = Object.keys(evidence.after.tables).flatMap((table) =>
    renamedColumns({ ...evidence, before, rowsBefore: rows }, table),
  );
  return { tables, columns };
}

function renamedTables({ before, after, rowsBefore, rowsAfter, statements }: Evidence): Renames['tables'] {
  const gone = Object.keys(before.tables).filter((name) => !Object.hasOwn(after.tables, name));
  const come = Object.keys(after.tables).filter((name) => !Object.hasOwn(before.tables, name));
  const said = new Map(
    statements.flatMap((statement) => {
      const [, from, to] = /^\s*ALTER TABLE (?:IF EXISTS )?(\S+) RENAME TO (\S+?);?\s*$/i.exec(statement) ?? [];
      return from === undefined || to === undefined ? [] : [[plain(from), plain(to)] as const];
    }),
  );
  return matchNames(gone, come, (from, to) => {
    if (said.get(from) === to) return 'stated';
    const held = rowsBefore[from] ?? [];
    return held.length > 0 && sameContent(held, rowsAfter[to] ?? []) ? 'proven' : null;
  });
}

function renamedColumns(evidence: Evidence, table: string): Renames['columns'] {
  const [was, is] = [evidence.before.tables[table], evidence.after.tables[table]];
  if (was === undefined || is === undefined) return [];
  const gone = Object.keys(was.columns).filter((name) => !Object.hasOwn(is.columns, name));
  const come = Object.keys(is.columns).filter((name) => !Object.hasOwn(was.columns, name));
  const said = new Set(
    evidence.statements.flatMap((statement) => {
      const [, owner, from, to] =
        /^\s*ALTER TABLE (?:IF EXISTS )?(\S+) RENAME (?:COLUMN )?(?!TO\s)(\S+) TO (\S+?);?\s*$/i.exec(statement) ?? [];
      return owner === undefined ? [] : [[owner, from, to].map((name) => plain(name ?? '')).join('.')];
    }),
  );
  const held = (rows: Rows, column: string): (string | null)[] => (rows[table] ?? []).map((row) => row[column] ?? null);
  return matchNames(gone, come, (from, to) => {
    if (said.has(`${table}.${from}.${to}`)) return 'stated';
    if (was.columns[from]?.type !== is.columns[to]?.type) return null;
    const [former, present] = [held(evidence.rowsBefore, from), held(evidence.rowsAfter, to)];
    const telling = new Set(former.filter((value) => value !== null)).size > 1;
    return telling && sameValues(former, present) ? 'proven' : null;
  }).map(({ from, to }) => ({ table, from, to }));
}

type Verdict = 'stated' | 'proven' | null;

/** Matches former and new names. A name with several candidates is not matched. */
function matchNames(
  gone: readonly string[],
  come: readonly string[],
  judge: (from: string, to: string) => Verdict,
): { from: string; to: string }[] {
  const likely = gone.flatMap((from) => come.map((to) => ({ from, to, verdict: judge(from, to) })));
  const said = likely.filter(({ verdict }) => verdict === 'stated');
  const proven = likely.filter(
    ({ from, to, verdict }) =>
      verdict === 'proven' &&
      likely.filter((other) => other.verdict !== null && (other.from === from || other.to === to)).length === 1,
  );
  return [...said, ...proven].map(({ from, to }) => ({ from, to }));
}

const inOrder = (values: readonly (string | null)[]): readonly string[] =>
  values.map((value) => JSON.stringify(value)).toSorted((a, b) => (a < b ? -1 : 1));

const sameValues = (one: readonly (string | null)[], other: readonly (string | null)[]): boolean =>
  JSON.stringify(inOrder(one)) === JSON.stringify(inOrder(other));

const sameContent = (one: Rows[string], other: Rows[string]): boolean =>
  sameValues(
    one.map((row) => JSON.stringify(sorted(row))),
    other.map((row) => JSON.stringify(sorted(row))),
  );
const sorted = (row: Rows[string][number]): unknown => Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1));

const plain = (name: string): string => name.replace(/^(?:"?public"?\.)?"?(.*?)"?$/, '$1');

/** Applies the renames to a catalog, also within its constraints and indexes. */
export function applyRenames(catalog: Catalog, { tables, columns }: Renames): Catalog {
  const nameOf = (table: string): string => tables.find(({ from }) => from === table)?.to ?? table;
  const renamed = Object.fromEntries(
    Object.entries(catalog.tables).map(([name, table]) => {
      const owner = nameOf(name);
      const own = columns.filter((rename) => rename.table === owner);
      return [owner, renameIn(table, own, (rule) => retargeted(rule, tables, columns))] as const;
    }),
  );
  return { tables: renamed, enums: catalog.enums };
}

function renameIn(table: Table, columns: Renames['columns'], retarget: (rule: string) => string): Table {
  const word = (text: string): string =>
    columns.reduce((result, { from, to }) => result.replaceAll(new RegExp(String.raw`\b${from}\b`, 'g'), to), text);
  const rule = (text: string): string => {
    const at = text.search(/ REFERENCES /);
    return at < 0 ? word(text) : retarget(word(text.slice(0, at)) + text.slice(at));
  };
  return {
    ...table,
    columns: Object.fromEntries(
      Object.entries(table.columns).map(([name, column]) => [
        columns.find(({ from }) => from === name)?.to ?? name,
        column,
      ]),
    ),
    constraints: Object.fromEntries(Object.entries(table.constraints).map(([name, text]) => [name, rule(text)])),
    indexes: Object.fromEntries(
      Object.entries(table.indexes).map(([name, index]) => [name, { ...index, definition: word(index.definition) }]),
    ),
  };
}

function retargeted(rule: string, tables: Renames['tables'], columns: Renames['columns']): string {
  return rule.replace(/ REFERENCES (\w+)\(([^)]*)\)/, (_whole, table: string, keys: string) => {
    const target = tables.find(({ from }) => from === table)?.to ?? table;
    const renamed = keys
      .split(', ')
      .map((key) => columns.find((rename) => rename.table === target && rename.from === key)?.to ?? key);
    return ` REFERENCES ${target}(${renamed.join(', ')})`;
  });
}
