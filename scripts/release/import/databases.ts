import type { Catalog, Table } from '../../../src/model/catalog.ts';
import { quoteName, quoteText } from '../../../src/platform/sql-quoting.ts';
import { text } from '../../../src/database/row-values.ts';
import type { Session } from '../../../src/database/session.ts';
import { Failure } from '../../../src/errors/failure.ts';
import type { Graph } from '../../../src/migration/graph.ts';
import { migrate } from '../../../src/migration/migrator.ts';
import { versionTable } from '../../../src/schema/catalog.ts';
import { withDatabase } from '../../with-database.ts';
import type { Rows } from './renames.ts';

/** The name of the import in pg_stat_activity. */
export const applicationName = 'db-init import';

/** The catalog and the rows of a database, without the version table. */
export interface Observation {
  readonly catalog: Catalog;
  readonly rows: Rows;
  /** The time of the database during the observation. */
  readonly at: string;
}

/** Reads the catalog and all rows. */
export function observe(url: string, signal: AbortSignal): Promise<Observation> {
  return withDatabase(url, { applicationName, writes: true, signal }, (database) =>
    database.transaction(async (transaction) => {
      const { catalog } = await transaction.observe();
      const tables = Object.fromEntries(Object.entries(catalog.tables).filter(([name]) => name !== versionTable));
      const rows = await readRows(transaction, tables);
      return { catalog: { tables, enums: catalog.enums }, rows, at: await databaseTime(transaction) };
    }),
  );
}

/** Reads the rows of all tables, with every cell as text. It uses one statement, because it is called many times. */
async function readRows(session: Session, tables: Catalog['tables']): Promise<Rows> {
  const cells = ({ columns }: Table): string =>
    Object.keys(columns)
      .map((name) => `CAST(${quoteName(name)} AS text)`)
      .join(', ');
  const list = (table: Table): string =>
    session.engine === 'postgresql' ? `to_json(ARRAY[${cells(table)}])::text` : `json_array(${cells(table)})`;
  const filled = Object.entries(tables).filter(([, { columns }]) => Object.keys(columns).length > 0);
  const rows: Record<string, Rows[string][number][]> = {};
  // SQLite accepts at most 500 parts of a compound statement
  for (let at = 0; at < filled.length; at += 400) {
    const parts = filled
      .slice(at, at + 400)
      .map(([name, table]) => `SELECT ${quoteText(name)} AS name, ${list(table)} AS cells FROM ${quoteName(name)}`);
    for (const row of await session.query(parts.join(' UNION ALL '))) {
      const name = text(row, 'name');
      const values: unknown = JSON.parse(text(row, 'cells'));
      const names = Object.keys(tables[name]?.columns ?? {});
      const read = names.map(
        (column, index) => [column, Array.isArray(values) ? cellText(values[index]) : null] as const,
      );
      (rows[name] ??= []).push(Object.fromEntries(read));
    }
  }
  return rows;
}

const cellText = (value: unknown): string | null => (typeof value === 'string' ? value : null);

async function databaseTime(session: Session): Promise<string> {
  const now = session.engine === 'postgresql' ? 'localtimestamp' : "strftime('%Y-%m-%d %H:%M:%f', 'now')";
  const [row] = await session.query(`SELECT ${now} AS now`);
  return String(row?.['now']);
}

/** Applies the pending revisions of a graph. @throws Error with the revision that failed and the reason */
export function migrateTo(url: string, graph: Graph, signal: AbortSignal): Promise<void> {
  return withDatabase(url, { applicationName, writes: true, signal }, async (database) => {
    const { revisions } = await database.observe('quick');
    const options = { versioned: revisions !== null, signal, onApplied: () => undefined };
    try {
      await database.transaction((transaction) => migrate(transaction, graph, options));
    } catch (error) {
      if (!(error instanceof Failure) || error.problem.kind !== 'migration-failed') throw error;
      const { revision, reason } = error.problem.failed;
      throw new Error(`${revision} failed: ${reason}`, { cause: error });
    }
  });
}
