import type { LockHolder } from '../model/cause.ts';
import type { DatabaseTarget, PostgresTarget } from '../config/config.ts';
import type { CommitOutcome, Database } from './database.ts';

/** How to open a database, and whom to tell while it takes time. Times are whole seconds. */
export interface OpenOptions {
  readonly applicationName: string;
  /** Whether the run may write. Runs that do not take no lock, and open SQLite files read-only. */
  readonly writes: boolean;
  readonly waitTimeout: number;
  readonly lockTimeout: number;
  readonly migrationLockTimeout: number;
  readonly statementTimeout: number;
  readonly allowNetworkFs: boolean;
  readonly signal: AbortSignal;
  readonly onWaiting: (reason: string, secondsLeft: number) => void;
  readonly onLockWaiting: (holder: LockHolder, secondsLeft: number) => void;
  readonly onRetry: (reason: string) => void;
  readonly onWarning: (message: string) => void;
  /** Told of each transaction that wrote, once it is committed or nobody can tell any more. */
  readonly onCommit?: (outcome: CommitOutcome) => void;
}

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
