import type { DatabaseFacts } from '../model/database-facts.ts';
import { causeOf, isConnectionLost } from '../database/error-cause.ts';
import { namesOf } from '../database/target-name.ts';
import { Failure, type Problem, reasonOf } from '../errors/failure.ts';
import type { BackupObstacle } from '../errors/obstacles.ts';
import {
  backupReasons,
  safetyBackupMessages,
  describeNoOverdueBackup,
  describeOverdue,
} from '../report/backup-messages.ts';
import type { Recorder } from '../report/run-record.ts';
import { coreTables } from '../schema/catalog.ts';
import { isPersistentFolder } from '../platform/volumes.ts';
import { holdsRows } from './database-summary.ts';
import { type BackupContext, backupFailure } from './context.ts';
import { backupBeforeLastChange } from '../state-folder/last-change.ts';

// Modules that make or read backups are loaded where they are needed: many runs that ask for a backup have no folder for it.

/** How many safety backups of a database are kept. */
const kept = 5;

/** What a safety backup needs. The run's record receives its path. */
export interface SafetyContext extends BackupContext {
  readonly recorder: Recorder;
}

/**
 * Makes a safety backup before a database is changed, according to TT_BACKUP_BEFORE_MIGRATE. If no core table holds a
 * row, nothing can be lost and it makes none. The backup holds the database only. Call it under the run lock.
 * @throws Failure `backup-failed`, with `always` only; with `auto` the log says why there is no backup
 */
export async function makeSafetyBackup(context: SafetyContext, { catalog }: DatabaseFacts): Promise<void> {
  const { config, database, log, signal } = context;
  if (config.backupBeforeMigrate === 'never') return;
  const present = coreTables.filter((table) => Object.hasOwn(catalog.tables, table));
  try {
    if (!(await database.read((session) => holdsRows(session, present)))) return;
    await requireSafetyBackup(context);
  } catch (error) {
    signal.throwIfAborted();
    if (isConnectionLost(error)) throw error;
    if (config.backupBeforeMigrate === 'always') throw safetyFailure(context, error);
    log.warn(safetyBackupMessages.notMade(obstacleOf(error)));
    log.warn(safetyBackupMessages.goingOn);
  }
}

/** Finds an obstacle to a required safety backup before it is made; null if none is found. Writes nothing. */
export async function findSafetyObstacle(
  context: Pick<BackupContext, 'config' | 'database'>,
  { catalog }: DatabaseFacts,
): Promise<Problem | null> {
  const { config, database } = context;
  const present = coreTables.filter((table) => Object.hasOwn(catalog.tables, table));
  if (config.backupBeforeMigrate !== 'always' || present.length === 0) return null;
  try {
    if (!(await database.read((session) => holdsRows(session, present)))) return null;
    requireVolume(context);
    const { requireWritableFolder } = await import('./destination.ts');
    await requireWritableFolder(config.backupFolder, context);
    if (database.engine !== 'postgresql') return null;
    const { requireDumpConnection } = await import('./dumper.ts');
    await requireDumpConnection(database);
    return null;
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    return safetyFailure(context, error).problem;
  }
}

/**
 * Makes a safety backup, whatever TT_BACKUP_BEFORE_MIGRATE says. Call it under the run lock.
 * @throws Failure `backup-failed`, or the error of what could not be read
 */
export async function requireSafetyBackup(context: SafetyContext): Promise<void> {
  const { config, log, recorder } = context;
  const started = performance.now();
  requireVolume(context);
  log.info(safetyBackupMessages.making(config.backupFolder));
  const state = recorder.record.before?.state.kind;
  const { createBackup } = await import('./create.ts');
  const {
    path,
    size: bytes,
    repeated,
  } = await createBackup(context, {
    kind: 'safety',
    uploadRoots: [],
    healthy: state === 'behind' || state === 'current',
    // otherwise, repeated failing starts would push out the backups from before the first failure
    reuseEqual: true,
    destination: { folder: config.backupFolder, file: null },
  });
  log.info(safetyBackupMessages.made(path, bytes, { repeated }), { backup: path });
  recorder.step({ kind: 'backup', path, bytes, milliseconds: performance.now() - started });
  await prune(path, context);
}

/** The failure of a safety backup. Missing rights stay as they are, because they have their own exit code. */
function safetyFailure(context: Pick<BackupContext, 'database'>, error: unknown): Failure {
  const named = error instanceof Failure && error.problem.kind === 'missing-rights';
  return named ? error : backupFailure(context, obstacleOf(error), 'safety');
}

export function obstacleOf(error: unknown): BackupObstacle {
  if (error instanceof Failure && error.problem.kind === 'backup-failed') return error.problem.obstacle;
  return { kind: 'failed', reason: reasonOf(error), cause: causeOf(error) };
}

/**
 * Refuses a backup folder inside the container: it is deleted together with the container.
 * @throws Failure `backup-failed`
 */
function requireVolume(context: Pick<BackupContext, 'config' | 'database'>): void {
  const { backupFolder: folder } = context.config;
  if (isPersistentFolder(folder)) return;
  throw backupFailure(context, { kind: 'folder', folder, reason: backupReasons.noVolume });
}

/** Old backups that cannot be removed do not stop the run. */
async function prune(newest: string, { config, log }: BackupContext): Promise<void> {
  const before = backupBeforeLastChange(config);
  const rule = {
    folder: config.backupFolder,
    names: namesOf(config.database),
    keep: kept,
    keepHealthy: true,
    kind: 'safety',
    always: before === null ? [] : [before],
  } as const;
  const { removeOldest } = await import('./retention.ts');
  try {
    for (const path of await removeOldest(rule, newest)) log.info(safetyBackupMessages.removedOlder(path));
  } catch (error) {
    log.warn(safetyBackupMessages.notRemoved(reasonOf(error)));
  }
}

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
  const { findNewestBackup } = await import('./retention.ts');
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
