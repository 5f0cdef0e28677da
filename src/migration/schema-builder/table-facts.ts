import type { Row } from '../../model/engine.ts';
import type { Session } from '../../database/session.ts';
import { text } from './inventory.ts';
import { quoteName } from '../../platform/sql-quoting.ts';
import type { TableChange } from './table-text.ts';

/** One property of a table, or of another object that a rebuild could change. */
export interface Fact {
  readonly about: 'column' | 'type' | 'not null' | 'default' | 'key' | 'other';
  /** The columns of the property. */
  readonly columns: readonly string[];
  readonly text: string;
}

/** The properties of a table by SQLite's pragmas, its number of rows, and all other definitions of the file. */
export async function tableFacts(session: Session, table: string): Promise<readonly Fact[]> {
  return [
    ...(await columnFacts(session, table)),
    ...(await foreignKeyFacts(session, table)),
    ...(await indexFacts(session, table)),
    ...(await otherFacts(session, table)),
  ];
}

/** The facts that were lost or gained, and that the requested change does not explain. */
export function unaskedDifferences(before: readonly Fact[], after: readonly Fact[], change: TableChange): string[] {
  const { lost, gained } = askedFor(change);
  return [
    ...subtract(before, after)
      .filter((fact) => !lost(fact))
      .map((fact) => `lost ${fact.text}`),
    ...subtract(after, before)
      .filter((fact) => !gained(fact))
      .map((fact) => `gained ${fact.text}`),
  ];
}

type Allows = (fact: Fact) => boolean;

/** Which facts may be lost and gained by a change. */
function askedFor(change: TableChange): { lost: Allows; gained: Allows } {
  const none: Allows = () => false;
  switch (change.kind) {
    case 'addColumn':
      return { lost: none, gained: (fact) => concerns(fact, change.column) };
    case 'dropColumn':
      return { lost: (fact) => concerns(fact, change.column), gained: none };
    case 'addConstraint':
      return { lost: none, gained: (fact) => fact.about === 'key' };
    case 'dropForeignKeys':
      return { lost: (fact) => fact.text.startsWith('foreign key') && concerns(fact, change.column), gained: none };
    case 'setType':
      return either((fact) => fact.about === 'type' && concerns(fact, change.column));
    case 'setNotNull':
    case 'dropNotNull':
      return either((fact) => fact.about === 'not null' && concerns(fact, change.column));
    case 'setDefault':
    case 'dropDefault':
      return either((fact) => fact.about === 'default' && concerns(fact, change.column));
  }
}

const either = (allows: Allows): { lost: Allows; gained: Allows } => ({ lost: allows, gained: allows });

const concerns = (fact: Fact, column: string): boolean =>
  fact.columns.some((other) => other.toLowerCase() === column.toLowerCase());

/** The difference of two multisets: each fact of `others` removes one equal fact. */
function subtract(facts: readonly Fact[], others: readonly Fact[]): Fact[] {
  const remaining = others.map((fact) => fact.text);
  return facts.filter((fact) => {
    const index = remaining.indexOf(fact.text);
    if (index >= 0) remaining.splice(index, 1);
    return index < 0;
  });
}

async function columnFacts(session: Session, table: string): Promise<Fact[]> {
  const rows = await session.query('SELECT * FROM pragma_table_xinfo($1)', [table]);
  return rows.flatMap((row) => {
    const name = text(row, 'name');
    const fact = (about: Fact['about'], value: unknown): Fact => ({
      about,
      columns: [name],
      text: `column ${name}: ${about} ${String(value)}`,
    });
    return [
      fact('column', `hidden ${String(row['hidden'])}`),
      fact('type', row['type']),
      fact('not null', row['notnull']),
      fact('default', row['dflt_value']),
      ...(row['pk'] === 0 ? [] : [fact('key', `primary ${String(row['pk'])}`)]),
    ];
  });
}

async function foreignKeyFacts(session: Session, table: string): Promise<Fact[]> {
  const rows = await session.query('SELECT * FROM pragma_foreign_key_list($1) ORDER BY id, seq', [table]);
  const ids = new Set(rows.map((row) => row['id']));
  return [...ids].map((id) => {
    const parts = rows.filter((row) => row['id'] === id);
    const details = parts.map((row) =>
      ['from', 'table', 'to', 'on_update', 'on_delete', 'match'].map((key) => row[key]),
    );
    return {
      about: 'key',
      columns: parts.map((row) => text(row, 'from')),
      text: `foreign key ${JSON.stringify(details)}`,
    };
  });
}

async function indexFacts(session: Session, table: string): Promise<Fact[]> {
  const facts: Fact[] = [];
  for (const index of await session.query('SELECT * FROM pragma_index_list($1)', [table])) {
    const parts = await session.query('SELECT * FROM pragma_index_xinfo($1) WHERE key = 1 ORDER BY seqno', [
      text(index, 'name'),
    ]);
    // SQLite generates the names of indexes of constraints, so these are compared without their names
    const name = index['origin'] === 'c' ? text(index, 'name') : 'of a constraint';
    const details = [index['unique'], index['partial'], ...parts.map((row) => [row['name'], row['desc'], row['coll']])];
    facts.push({ about: 'key', columns: namesOf(parts), text: `index ${name} ${JSON.stringify(details)}` });
  }
  return facts;
}

const namesOf = (rows: readonly Row[]): string[] =>
  rows.flatMap((row) => (row['name'] === null ? [] : [text(row, 'name')]));

async function otherFacts(session: Session, table: string): Promise<Fact[]> {
  const others = await session.query(
    `SELECT type || ' ' || name || ' on ' || tbl_name || ': ' || sql AS fact FROM sqlite_master
      WHERE sql IS NOT NULL AND NOT (type = 'table' AND name = $1)`,
    [table],
  );
  const rows = await session.query(`SELECT 'rows: ' || count(*) AS fact FROM ${quoteName(table)}`);
  return [...others, ...rows].map((row) => ({ about: 'other', columns: [], text: text(row, 'fact') }));
}
