import { withDatabase as openQuietly } from '../../scripts/with-database.ts';
import type { Database } from '../../src/database/database.ts';
import { migrate } from '../../src/migration/migrator.ts';
import { releaseGraph } from '../../src/migration/revisions.ts';
import { state } from './fixtures.ts';
import { restoreSql } from './restore-sql.ts';

/** Never aborted. */
export const { signal } = new AbortController();

/** Opens a database for writing without output, passes it to `use`, and always closes it. */
export const withDatabase = <T>(url: string, use: (database: Database) => Promise<T>): Promise<T> =>
  openQuietly(url, { applicationName: 'db-init tests', signal }, use);

/** Applies the pending revisions and repairs nothing: objects that were missing at the former head are still missing. */
export const applyPending = (url: string): Promise<void> =>
  withDatabase(url, (database) =>
    database.transaction(async (transaction) => {
      await migrate(transaction, releaseGraph, { versioned: true, signal, onApplied: () => undefined });
    }),
  );

/** Loads one of the unusual states into an empty PostgreSQL database: `restoreState(url, 'polluted')`. */
export async function restoreState(url: string, name: string): Promise<void> {
  await restoreSql(url, state(name));
  if (name === 'drifted') await applyPending(url);
}
