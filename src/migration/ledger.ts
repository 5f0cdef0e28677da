import type { Engine } from '../model/engine.ts';
import { quoteText } from '../database/quoting.ts';
import type { Session } from '../database/session.ts';
import type { Graph } from './graph.ts';
import { createVersionTable, keepOneOfEach, widenVersionColumn } from './version-column.ts';

/**
 * The rows of alembic_version, kept as Alembic keeps them: one row for each open head. What was executed is these
 * rows and all their ancestors.
 */
export interface Ledger {
  readonly rows: readonly string[];
  /** Records that a revision was applied: it takes the place of its parents. */
  record(id: string): Promise<void>;
}

/** The width at which Alembic creates its column. */
const firstWidth = 32;
/** The one that later revisions give it. */
const fullWidth = 255;

/** The width at the head. SQLite takes no notice of widths, so no revision changes it there. */
export function widthAtHead(engine: Engine): number {
  return engine === 'postgresql' ? fullWidth : firstWidth;
}

/**
 * Opens the ledger, creating its table in a database that has none. Rows that are ancestors of another row, and
 * identifiers that are called otherwise now, are put right: the application refuses both. Of equal rows one is kept.
 * @param width of the column, if the table is to be created
 */
export async function openLedger(session: Session, graph: Graph, exists: boolean, width = firstWidth): Promise<Ledger> {
  if (!exists) {
    await session.run(createVersionTable(width));
  } else {
    // the application does the same before it migrates: later identifiers are longer than the column was made for
    await widenVersionColumn(session, fullWidth);
  }
  const found = (await session.query('SELECT version_num FROM alembic_version')).map((row) =>
    String(row['version_num']),
  );
  let rows = graph.headsOf(found);
  if (new Set(found).size < found.length) await keepOneOfEach(session, found, widthAtHead(session.engine));
  await replaceRows(session, found, rows);
  return {
    get rows() {
      return rows;
    },
    async record(id) {
      const next = graph.advance(rows, id);
      await replaceRows(session, rows, next);
      rows = next;
    },
  };
}

/**
 * Writes which revisions a database is at that does not say it itself.
 * @param exists whether alembic_version is there
 * @param found its rows, which are replaced: what they say was found to be wrong
 * @throws Error if it has others by now
 */
export async function stampLedger(
  session: Session,
  graph: Graph,
  exists: boolean,
  revisions: readonly string[],
  found: readonly string[] = [],
): Promise<void> {
  const { rows } = await openLedger(session, graph, exists, widthAtHead(session.engine));
  const expected = graph.headsOf(found);
  if (rows.toSorted().join() !== expected.toSorted().join()) {
    throw new Error(`alembic_version holds ${rows.join(', ')} by now`);
  }
  await replaceRows(session, rows, revisions);
}

/** Writes what changed between two states of the rows. */
async function replaceRows(session: Session, before: readonly string[], after: readonly string[]): Promise<void> {
  const gone = before.filter((row) => !after.includes(row));
  const added = after.filter((row) => !before.includes(row));
  const statements = [
    ...gone.map((row) => `DELETE FROM alembic_version WHERE version_num = ${quoteText(row)}`),
    ...added.map((row) => `INSERT INTO alembic_version (version_num) VALUES (${quoteText(row)})`),
  ];
  if (statements.length > 0) await session.run(statements.join(';'));
}
