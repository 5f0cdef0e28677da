import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { Failure, type BackupObstacle } from '../failure.ts';
import type { Log } from '../report/log.ts';

/** What backups are made with. */
export interface BackupContext {
  readonly database: Database;
  readonly config: Config;
  readonly log: Log;
  /** Of db-init. */
  readonly version: string;
  readonly signal: AbortSignal;
}

/** What stands in the way of a backup, as a failure. */
export function backupFailure({ database }: Pick<BackupContext, 'database'>, obstacle: BackupObstacle): Failure {
  return new Failure({ kind: 'backup-failed', database: database.name, obstacle });
}
