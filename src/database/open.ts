import type { OpenOptions, Database } from './database.ts';
import type { DatabaseTarget, PostgresTarget } from '../config/config.ts';

/**
 * Chooses the server that the run uses, if the address lists several (`host=a,b`).
 * @throws Failure `unreachable`, `access-denied` and the like
 */
export async function selectHost(
  target: PostgresTarget,
  options: Pick<OpenOptions, 'applicationName' | 'waitTimeout' | 'signal' | 'onWaiting'>,
): Promise<PostgresTarget> {
  const { chooseHost } = await import('./postgres/connect.ts');
  return chooseHost(target, options);
}

/** Opens the database with the driver of its engine; the other driver is not loaded. */
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
