import type { OpenOptions, Database } from './database.ts';
import type { DatabaseTarget, PostgresTarget } from '../config/config.ts';

/**
 * Of an address that lists several servers (`host=a,b`), finds the one to work on.
 * @throws Failure `unreachable`, `access-denied` and the like
 */
export async function settleHost(
  target: PostgresTarget,
  options: Pick<OpenOptions, 'applicationName' | 'waitTimeout' | 'signal' | 'onWaiting'>,
): Promise<PostgresTarget> {
  const { chooseHost } = await import('./postgres/connect.ts');
  return chooseHost(target, options);
}

/** Opens the database of either engine; the driver of the other one is not even loaded. */
export async function openDatabase(target: DatabaseTarget, options: OpenOptions): Promise<Database> {
  switch (target.kind) {
    case 'postgresql': {
      const { openPostgres } = await import('./postgres/database.ts');
      return openPostgres(target, options);
    }
    case 'sqlite': {
      const { openSqlite } = await import('./sqlite/database.ts');
      return openSqlite(target, options);
    }
  }
}
