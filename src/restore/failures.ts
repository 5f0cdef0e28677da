import { archiveRejected } from '../archive/archive-error.ts';
import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import type { Unreadable } from '../database/postgres/dump/row-reader.ts';
import type { Cause } from '../model/cause.ts';
import type { Refusal } from '../model/plan.ts';
import type { UnusableArchive } from '../model/unusable-archive.ts';
import { Failure, reasonOf } from '../errors/failure.ts';
import type { RestoreStep, UnfinishedReason } from '../errors/obstacles.ts';
import { describeCause } from '../report/error-messages.ts';
import type { RestoreContext, RestoreSource } from './target.ts';
import { displayNameOf } from '../database/target-name.ts';
import { journalFileOf } from '../state-folder/journal.ts';
import { causeOf } from '../database/error-cause.ts';

/** The failure for a dump that is not loaded. */
export function dumpRejected(
  found: Unreadable,
  { archive }: RestoreSource,
  { archiveLimits }: Pick<Config, 'archiveLimits'>,
): Failure {
  if (found.kind !== 'too-much-data') return archiveRejected(archive.file, found);
  const exceeded = { kind: 'rows', entry: archive.database.name, limit: archiveLimits.bytes } as const;
  return archiveRejected(archive.file, { kind: 'too-large', exceeded });
}

/** Turns a refusal of the gate into a rejection of the archive. */
export function archiveRefused(refusal: Refusal, { name }: Pick<Database, 'name'>, source: RestoreSource): Failure {
  return archiveUnusable(source, { kind: 'refused', database: name, refusal });
}

/** The failure: the archive is whole, but cannot be used here. */
export function archiveUnusable({ archive }: Pick<RestoreSource, 'archive'>, reason: UnusableArchive): Failure {
  return archiveRejected(archive.file, { kind: 'unusable', reason });
}

/** The failure for a step of a restore. A failure that is more specific is passed on unchanged. */
export function stepFailed(step: RestoreStep, error: unknown, config: Pick<Config, 'database'>): Failure {
  if (error instanceof Failure && /^(archive-rejected|restore-refused|missing-rights|locked)$/.test(error.problem.kind))
    return error;
  return stepRefused(step, reasonInWords(error), causeOf(error), config, error);
}

/** Turns an error of the server or the disk, also one from before the journal exists, into a failed step. @throws Failure */
export async function withStepFailure(
  step: RestoreStep,
  { config, signal }: RestoreContext,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    signal.throwIfAborted();
    const { kind } = causeOf(error);
    throw error instanceof Failure || kind === 'rows' || kind === 'other' ? error : stepFailed(step, error, config);
  }
}

export function stepRefused(
  step: RestoreStep,
  reason: string,
  cause: Cause,
  { database }: Pick<Config, 'database'>,
  error?: unknown,
): Failure {
  const name = database.kind === 'sqlite' ? database.file : database.database;
  const obstacle = { kind: 'failed', step, reason, cause } as const;
  return new Failure({ kind: 'restore-refused', database: name, obstacle }, { cause: error });
}

/** The reason of an error, as a sentence without its full stop. */
export function reasonInWords(error: unknown): string {
  if (!(error instanceof Failure)) return reasonOf(error);
  const { title, happened } = describeCause(error.problem);
  return `${title}: ${happened.join(' ')}`.replace(/\.+$/, '');
}

/** The failure: a restore is not finished, and this run may not go on. */
export function restoreUnfinished(config: Config, reason: UnfinishedReason | null, cause?: unknown): Failure {
  const obstacle = { kind: 'unfinished', journal: journalFileOf(config), reason } as const;
  return new Failure({ kind: 'restore-refused', database: displayNameOf(config.database), obstacle }, { cause });
}

/** The failure: there is no place for a lock and a journal. */
export function stateFolderUnusable(
  { backupFolder: folder }: Pick<Config, 'backupFolder'>,
  database: string,
  error: unknown,
): Failure {
  const obstacle = { kind: 'folder', folder, reason: reasonOf(error), uploads: false } as const;
  return new Failure({ kind: 'restore-refused', database, obstacle }, { cause: error });
}
