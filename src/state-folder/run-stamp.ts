import { writeStateFile } from './state-file.ts';
import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { reasonOf } from '../errors/failure.ts';
import type { Log } from '../report/log.ts';
import { isPersistentFolder } from '../platform/volumes.ts';
import { isText, parseRecord } from './parse-record.ts';
import { stampFileOf } from './state-paths.ts';
import { workMessages } from '../report/gate-messages.ts';

/**
 * Records in the backup folder that the database was healthy, so that an empty database is not taken for a first start
 * later. It is written only after a change of the database. If it cannot be written, the run does not fail.
 * Without a volume for backups nothing is recorded.
 */
export function writeStamp(config: Config, database: Database, heads: readonly string[], log: Log): void {
  if (!isPersistentFolder(config.backupFolder)) return;
  const file = stampFileOf(config);
  const note = { database: database.name, revisions: heads, healthyAt: new Date().toISOString() };
  try {
    writeStateFile(file, note);
  } catch (error) {
    log.info(workMessages.runNotNoted(reasonOf(error)));
  }
}

/** When a database was healthy here after a change; null if there is no record. */
export function healthyAtOf(config: Pick<Config, 'backupFolder'>): Date | null {
  try {
    const note = parseRecord(readFileSync(stampFileOf(config), 'utf8'))?.['healthyAt'];
    return isText(note) && !Number.isNaN(Date.parse(note)) ? new Date(note) : null;
  } catch {
    return null;
  }
}
