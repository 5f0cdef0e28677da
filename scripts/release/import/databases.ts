import { readConfig } from '../../../src/config/config.ts';
import type { Database } from '../../../src/database/database.ts';
import { openDatabase } from '../../../src/database/open.ts';
import { quoteName } from '../../../src/database/quoting.ts';
import type { Session } from '../../../src/database/session.ts';
import { Failure } from '../../../src/failure.ts';
import type { Graph } from '../../../src/migration/graph.ts';
import { migrate } from '../../../src/migration/migrator.ts';
import { type Catalog, versionTable } from '../../../src/schema/catalog.ts';
import type { Rows } from './renames.ts';

/** What is in a database: its catalog and its rows, the version table aside. */
export interface Observation {
  readonly catalog: Catalog;
  readonly rows: Rows;
  /** The database's clock when it was looked at. */
  readonly at: string;
}

/** Opens a database without a word, hands it to `use`, and closes it whatever happens. */
export async function withDatabase<Result>(
  url: string,
  writes: boolean,
  signal: AbortSignal,
  use: (database: Database) => Promise<Result>,
): Promise<Result> {
  const config = readConfig({ DATABASE_URL: url }, '/');
  const ignore = (): void => undefined;
  const database = await openDatabase(config.database, {
    ...config,
    applicationName: 'db-init import',
    writes,
    signal,
    onWaiting: ignore,
    onLockWaiting: ignore,
    onRetry: ignore,
    onWarning: ignore,
  });
  try {
    return await use(database);
  } finally {
    await database.close();
  }
}

/** Looks at everything. */
export function observe(url: string, signal: AbortSignal): Promise<Observation> {
  return withDatabase(url, true, signal, (database) =>
    database.transaction(async (transaction) => {
      const { catalog } = await transaction.observe();
      const tables = Object.fromEntries(Object.entries(catalog.tables).filter(([name]) => name !== versionTable));
      const rows: Record<string, Rows[string]> = {};
      for (const table of Object.keys(tables)) {
        const held = await transaction.query(`SELECT * FROM ${quoteName(table)}`);
        if (held.length > 0) rows[table] = held.map(textRow);
      }
      return { catalog: { tables, enums: catalog.enums }, rows, at: await clock(transaction) };
    }),
  );
}

const textRow = (row: Readonly<Record<string, unknown>>): Rows[string][number] =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value === null ? null : textOf(value)]));

const textOf = (value: unknown): string => (Buffer.isBuffer(value) ? value.toString('hex') : String(value));

async function clock(session: Session): Promise<string> {
  const now = session.engine === 'postgresql' ? 'localtimestamp' : "strftime('%Y-%m-%d %H:%M:%f', 'now')";
  const [row] = await session.query(`SELECT ${now} AS now`);
  return String(row?.['now']);
}

/** Applies what is pending of the graph. @throws Error that says which revision failed, and why */
export function bringTo(url: string, graph: Graph, signal: AbortSignal): Promise<void> {
  return withDatabase(url, true, signal, async (database) => {
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
