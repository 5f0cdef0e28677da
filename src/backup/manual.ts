import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { faultOfArchiveSize } from '../archive/central-directory.ts';
import type { Config } from '../config/config.ts';
import { displayNameOf, namesOf } from '../database/target-name.ts';
import { reasonOf } from '../errors/failure.ts';
import {
  describeAbsentUploads,
  describeStreamed,
  backupMessages,
  backupReasons,
  describeMadeSince,
} from '../report/backup-messages.ts';
import { commandsFor } from '../report/commands.ts';
import { countReferencedFiles, findAbsentUploads } from './absent-uploads.ts';
import { type BackupContext, backupFailure } from './context.ts';
import { type Backup, createBackup, streamBackup, type Written } from './create.ts';
import type { Destination } from './destination.ts';
import { findNewestBackup, removeOldest } from './retention.ts';

export interface ManualBackup {
  readonly destination: Destination;
  /** How many manual backups of this database to keep in the folder; null for all. */
  readonly keep: number | null;
  /** Makes no backup if the folder holds one of this database made since then; null to make one in any case. */
  readonly since?: Date | null;
}

/**
 * Refuses a missing database file, which would look like an empty database. Call it before the file is opened.
 * @throws Failure `backup-failed`
 */
export function requireDatabaseFile({ database }: Pick<Config, 'database'>): void {
  if (database.kind !== 'sqlite' || existsSync(database.file)) return;
  const reason = backupReasons.noDatabaseFile(database.file);
  throw backupFailure(
    { database: { name: displayNameOf(database) } },
    { kind: 'failed', reason, cause: { kind: 'other' } },
  );
}

/** Makes a manual backup of the database, in any state, and of all uploads. @throws Failure `backup-failed` */
export async function makeManualBackup(
  context: BackupContext,
  { destination, keep, since = null }: ManualBackup,
): Promise<Backup> {
  const { config, database, log } = context;
  const backup = await database.withLock(async () => {
    const there = since === null ? null : await findMadeSince(since, destination.folder, config);
    if (there !== null) return there;
    log.info(backupMessages.making(database.name, destination.folder));
    return createBackup(context, { kind: 'manual', uploadRoots: config.uploadRoots, destination });
  });
  const { path, size, manifest, files } = backup;
  if (files === null) {
    log.info(describeMadeSince(path, manifest.createdAt));
    return backup;
  }
  const referenced = await countFiles(context);
  log.info(backupMessages.made(path, size), { backup: path });
  logContents({ manifest, files }, referenced, context);
  if (keep !== null) await prune({ folder: destination.folder, keep, newest: path }, context);
  return backup;
}

/** Finds a manual backup made since a time. Call it under the run lock: another scheduler may be making one. */
async function findMadeSince(
  since: Date,
  folder: string,
  { database }: Pick<Config, 'database'>,
): Promise<Backup | null> {
  const newest = await findNewestBackup(folder, namesOf(database), 'manual');
  if (newest === null || newest.manifest.createdAt < since) return null;
  return { ...newest, size: (await stat(newest.path)).size, files: null, repeated: true };
}

/** Writes a manual backup to a stream. @throws Failure `backup-failed` */
export async function streamManualBackup(
  context: BackupContext,
  { stream, written: bytes }: { readonly stream: Writable; readonly written: () => number },
): Promise<void> {
  const { config, database, log } = context;
  const written = await database.withLock(async () => {
    log.info(backupMessages.streaming(database.name));
    return streamBackup(context, stream, config.uploadRoots);
  });
  const referenced = await countFiles(context);
  log.info(describeStreamed(bytes()));
  const fault = faultOfArchiveSize({ ...written, packed: bytes() }, config.archiveLimits);
  if (fault?.kind === 'too-large') log.warn(backupMessages.beyondLimits(fault));
  logContents(written, referenced, context);
}

/** Counts the files to which the database refers, in any state; if that fails, warns and returns no counts. */
async function countFiles({ database, log, signal }: BackupContext): ReturnType<typeof countReferencedFiles> {
  try {
    return await countReferencedFiles(database, (await database.observe('quick')).catalog);
  } catch (error) {
    signal.throwIfAborted();
    log.warn(backupMessages.uploadsUnknown(reasonOf(error)));
    return {};
  }
}

function logContents(
  { manifest: { rows, uploads, revisions }, files }: Pick<Written, 'manifest' | 'files'>,
  referenced: Awaited<ReturnType<typeof countReferencedFiles>>,
  { config, log }: BackupContext,
): void {
  const uploaded = Object.values(files).reduce((sum, number) => sum + number, 0);
  const tables = Object.values(rows);
  const total = tables.reduce((sum, number) => sum + number, 0);
  log.info(backupMessages.holds(tables.length, total, uploaded));
  if (tables.length === 0) log.warn(backupMessages.emptyDatabase);
  else if (revisions.length === 0) log.warn(backupMessages.noRevisions);
  const absent = findAbsentUploads(referenced, config.uploadRoots, ({ name }) => (files[name] ?? 0) > 0);
  for (const line of absent.flatMap((folder) => describeAbsentUploads(folder, commandsFor(config), 'backup')))
    log.warn(line);
  for (const { name, folder } of config.uploadRoots) {
    if (absent.some((one) => one.folder === folder)) continue;
    if (!uploads.includes(name)) log.info(backupMessages.noUploads(folder));
  }
}

/** Old backups that cannot be removed do not make the new one fail. */
async function prune(
  { folder, keep, newest }: { readonly folder: string; readonly keep: number; readonly newest: string },
  { config, log }: BackupContext,
): Promise<void> {
  try {
    const rule = { folder, kind: 'manual', names: namesOf(config.database), keep } as const;
    const removed = await removeOldest(rule, newest);
    for (const path of removed) log.info(backupMessages.removedOlder(path));
  } catch (error) {
    log.warn(backupMessages.notRemoved(reasonOf(error)));
  }
}
