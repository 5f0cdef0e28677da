import type { ArchiveKind } from '../model/archive.ts';
import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { Failure, type BackupObstacle } from '../errors/failure.ts';
import type { Log } from '../report/log.ts';
import type { Output } from '../report/output.ts';

/** What backups are made with. */
export interface BackupContext {
  readonly database: Database;
  readonly config: Config;
  readonly log: Log;
  /** Where the progress is shown on a terminal; without it the log alone tells. */
  readonly output?: Pick<Output, 'line'> | undefined;
  /** Of db-init. */
  readonly version: string;
  readonly signal: AbortSignal;
}

/**
 * What stands in the way of a backup, as a failure.
 * @param purpose what it was to be made for; by default because somebody asked
 */
export function backupFailure(
  { database }: { readonly database: Pick<Database, 'name'> },
  obstacle: BackupObstacle,
  purpose: ArchiveKind = 'manual',
): Failure {
  return new Failure({ kind: 'backup-failed', database: database.name, obstacle, purpose });
}
