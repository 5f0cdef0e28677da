import type { ArchiveKind } from '../model/archive.ts';
import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { Failure } from '../errors/failure.ts';
import type { BackupObstacle } from '../errors/obstacles.ts';
import type { Log } from '../report/log.ts';
import type { Output } from '../report/output.ts';

export interface BackupContext {
  readonly database: Database;
  readonly config: Config;
  readonly log: Log;
  /** Shows the progress on a terminal; without it, the progress is only logged. */
  readonly output?: Pick<Output, 'line'> | undefined;
  /** The version of db-init. */
  readonly version: string;
  readonly signal: AbortSignal;
}

/**
 * The failure for an obstacle to a backup.
 * @param purpose why the backup is made; by default, because somebody asked for it
 */
export function backupFailure(
  { database }: { readonly database: Pick<Database, 'name'> },
  obstacle: BackupObstacle,
  purpose: ArchiveKind = 'manual',
): Failure {
  return new Failure({ kind: 'backup-failed', database: database.name, obstacle, purpose });
}
