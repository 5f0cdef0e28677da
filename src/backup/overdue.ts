import { namesOf } from '../database/target-name.ts';
import type { DatabaseFacts } from '../model/database-facts.ts';
import { isConnectionLost } from '../database/error-cause.ts';
import { describeNoOverdueBackup, describeOverdue } from '../report/backup-messages.ts';
import { coreTables } from '../schema/catalog.ts';
import { holdsRows } from './database-summary.ts';
import { findNewestBackup } from './retention.ts';
import { obstacleOf, requireSafetyBackup, type SafetyContext } from './safety.ts';

const hour = 60 * 60 * 1000;

/**
 * Makes a safety backup if the newest verified backup is older than TT_BACKUP_MAX_AGE. So there is a backup if a newer
 * application then migrates the database itself. A failed backup does not stop the start, because this start changes
 * nothing. Call it under the run lock.
 */
export async function makeOverdueBackup(context: SafetyContext, { catalog }: DatabaseFacts): Promise<void> {
  const { config, database, log, signal } = context;
  const { backupMaxAge: hours, backupFolder: folder } = config;
  if (hours === null) return;
  const present = coreTables.filter((table) => Object.hasOwn(catalog.tables, table));
  try {
    const newest = await findNewestBackup(folder, namesOf(config.database));
    const made = newest?.manifest.createdAt ?? null;
    if (made !== null && Date.now() - made.getTime() <= hours * hour) return;
    if (!(await database.read((session) => holdsRows(session, present)))) return;
    log.info(describeOverdue(made, hours));
    await requireSafetyBackup(context);
  } catch (error) {
    signal.throwIfAborted();
    if (isConnectionLost(error)) throw error;
    for (const line of describeNoOverdueBackup(obstacleOf(error))) log.warn(line);
  }
}
