import type { Engine } from '../model/engine.ts';
import { quoteText } from '../platform/sql-quoting.ts';
import type { Session } from '../database/session.ts';
import type { Graph } from './graph.ts';
import { createVersionTable, keepOneOfEach, widenVersionColumn } from './version-column.ts';

/**
 * The rows of alembic_version, as Alembic keeps them: one row for each applied revision without applied children. These
 * rows and all their ancestors have been executed.
 */
export interface Ledger {
  readonly rows: readonly string[];
  /** Records that a revision was applied: its row replaces those of its parents. `save` writes it to the table. */
  record(id: string): void;
  /**
   * Writes the rows to the table. Only once, after the last revision: all revisions are applied in one transaction, so
   * nobody sees the rows of a revision in between, and two statements for each would take 3 % of an upgrade.
   */
  save(): Promise<void>;
}

/** The width of the column when Alembic creates it. */
const firstWidth = 32;
/** The width that later revisions give it. */
const fullWidth = 255;

/** The width at the head. SQLite ignores widths, so no revision changes it there. */
export function widthAtHead(engine: Engine): number {
  return engine === 'postgresql' ? fullWidth : firstWidth;
}

/**
 * Opens the ledger, and creates its table if it is missing. Removes rows that are ancestors of another row, and
 * replaces renamed identifiers, because the application accepts neither. Keeps one of several equal rows.
 * @param width the width of the column, if the table is created
 */
export async function openLedger(session: Session, graph: Graph, exists: boolean, width = firstWidth): Promise<Ledger> {
  if (!exists) {
    await session.run(createVersionTable(width));
  } else {
    // as the application does before it migrates: the identifiers of later revisions are longer than 32 characters
    await widenVersionColumn(session, fullWidth);
  }
  const found = (await session.query('SELECT version_num FROM alembic_version')).map((row) =>
    String(row['version_num']),
  );
  let rows = graph.headsOf(found);
  const opened = rows;
  if (new Set(found).size < found.length) await keepOneOfEach(session, found, widthAtHead(session.engine));
  await replaceRows(session, found, rows);
  return {
    get rows() {
      return rows;
    },
    record(id) {
      rows = graph.advance(rows, id);
    },
    save: () => replaceRows(session, opened, rows),
  };
}

/**
 * Writes the revisions into the ledger of a database that has no version rows, or wrong ones.
 * @param exists whether the table alembic_version exists
 * @param found its present rows, which are wrong and are replaced
 * @throws Error if another session has changed the rows since
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

/** Writes the changes between two sets of rows. */
async function replaceRows(session: Session, before: readonly string[], after: readonly string[]): Promise<void> {
  const gone = before.filter((row) => !after.includes(row));
  const added = after.filter((row) => !before.includes(row));
  const statements = [
    ...gone.map((row) => `DELETE FROM alembic_version WHERE version_num = ${quoteText(row)}`),
    ...added.map((row) => `INSERT INTO alembic_version (version_num) VALUES (${quoteText(row)})`),
  ];
  if (statements.length > 0) await session.run(statements.join(';'));
}
