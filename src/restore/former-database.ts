import { isDeepStrictEqual } from 'node:util';
import { namesOf } from '../database/target-name.ts';
import type { Change, MeasuredUploads, Measurement } from '../model/measurement.ts';
import type { Config } from '../config/config.ts';
import { Failure, reasonOf } from '../errors/failure.ts';
import type { Log } from '../report/log.ts';
import {
  announceKept,
  describeUnmeasured,
  describeUnmeasuredUploads,
  restoreMessages,
} from '../report/restore-messages.ts';
import { type DoneRestore, lastKept, readHistory, recordRestore } from '../state-folder/restore-history.ts';
import { isConnectionLost } from '../database/error-cause.ts';
import { type RestoreContext, type RestoreTarget, isFormerOf } from './target.ts';
import type { Database } from '../database/database.ts';
import { DependentObjectsError } from '../database/postgres/dependents.ts';
import { holdJournal } from './journal-lock.ts';
import type { SwapKind } from '../state-folder/journal.ts';
import { openTarget } from './open-target.ts';
import { reasonInWords } from './failures.ts';
import { findFormerUploads, measureFormerUploads, dropFormerUploads } from './uploads/upload-sets.ts';
import { changesBetween } from '../database/compare-measurements.ts';
import { commandsFor } from '../report/commands.ts';

/** A restore whose former database and uploads are kept. */
type KeptRestore = DoneRestore & { readonly kept: string };

/** Measures a database that was just put aside. @returns null if that failed; the database is kept all the same */
export async function measureFormer(target: RestoreTarget, kept: string, log: Log): Promise<Measurement | null> {
  try {
    return await target.measure(kept);
  } catch (error) {
    log.warn(describeUnmeasured(kept, reasonInWords(error)));
    return null;
  }
}

/**
 * Measures the uploads that were just put aside, folder by folder. A folder that cannot be measured is kept all the
 * same.
 */
export async function measureUploads(
  folders: readonly string[],
  id: string,
  config: Config,
  log: Log,
): Promise<Readonly<Record<string, MeasuredUploads>>> {
  const measured: Record<string, MeasuredUploads> = {};
  for (const folder of folders) {
    try {
      const found = await measureFormerUploads(folder, id, config);
      if (found !== null) measured[folder] = found;
    } catch (error) {
      log.warn(describeUnmeasuredUploads(folder, reasonOf(error)));
    }
  }
  return measured;
}

/**
 * Finds what was changed in a former database and its uploads since they were put aside.
 * @returns null if the database was not measured then, and the uploads are unchanged
 * @throws Failure `restore-refused` (`former-gone`, `former-dropped`)
 */
export async function compareFormer(
  target: RestoreTarget,
  last: KeptRestore,
  { config, signal }: Pick<RestoreContext, 'config' | 'signal'>,
): Promise<readonly Change[] | null> {
  const { kept, database } = last;
  if (!(await target.exists(kept))) {
    throw new Failure({ kind: 'restore-refused', database, obstacle: { kind: 'former-gone', kept } });
  }
  if (await target.isHalfDropped(kept)) {
    throw new Failure({ kind: 'restore-refused', database, obstacle: { kind: 'former-dropped', kept } });
  }
  const inDatabase = await compareDatabase(target, last, signal);
  const inUploads = await compareUploads(last, config);
  return inDatabase === null && inUploads.length === 0 ? null : [...(inDatabase ?? []), ...inUploads];
}

async function compareUploads({ id, measuredUploads }: KeptRestore, config: Config): Promise<readonly Change[]> {
  const changes: Change[] = [];
  for (const [folder, before] of Object.entries(measuredUploads)) {
    try {
      const now = await measureFormerUploads(folder, id, config);
      if (!isDeepStrictEqual(now, before)) changes.push({ kind: 'uploads', folder, before, now });
    } catch (error) {
      changes.push({ kind: 'uploads-unreadable', folder, message: reasonOf(error) });
    }
  }
  return changes;
}

async function compareDatabase(
  target: RestoreTarget,
  { kept, measured }: KeptRestore,
  signal: AbortSignal,
): Promise<readonly Change[] | null> {
  if (measured === null) return null;
  try {
    return changesBetween(measured, await target.measure(kept));
  } catch (error) {
    signal.throwIfAborted();
    if (isConnectionLost(error)) throw error;
    return [{ kind: 'unreadable', reason: reasonInWords(error) }];
  }
}

/** Logs the names of the former database and the former uploads, and the commands for them. */
export async function announceKeptDatabase({ config, log }: RestoreContext): Promise<void> {
  const last = lastKept(config);
  const uploads = await Promise.all(
    (last?.uploads ?? []).map((folder) => findFormerUploads(folder, last?.id ?? '', config)),
  );
  announceKept(
    last,
    uploads.filter((place) => place !== null),
    commandsFor(config),
    log,
  );
}

/** @throws Failure `restore-refused` (`former-changed`) */
export function requireUnchanged(
  { kept, database }: KeptRestore,
  changes: readonly Change[] | null,
  accepted: boolean,
): void {
  if (changes === null || changes.length === 0 || accepted) return;
  throw new Failure({ kind: 'restore-refused', database, obstacle: { kind: 'former-changed', kept, changes } });
}

/**
 * Drops every former database that restores and undos of this database keep, and the former uploads. This cannot be
 * undone. Call it under the run lock.
 * @param consent asks for consent, given what is about to be dropped
 * @throws Failure `restore-refused` if nothing is kept
 */
export async function dropFormerDatabases(
  live: Database,
  context: RestoreContext,
  consent: (what: string) => Promise<void>,
): Promise<void> {
  const known = namesOf(context.config.database);
  const remembered = readHistory(context.config).filter(
    ({ database, kept, uploads }) => known.has(database) && (kept !== null || uploads.length > 0),
  );
  const targets = new Map<SwapKind, RestoreTarget>();
  try {
    const keeping: { readonly done: DoneRestore; readonly target: RestoreTarget }[] = [];
    for (const done of remembered) {
      const target = targets.get(done.swapKind) ?? (await openTarget(live, context, done.swapKind));
      targets.set(done.swapKind, target);
      if (done.kept === null || isFormerOf(target, done.kept)) keeping.push({ done, target });
    }
    if (keeping.length === 0) throw nothingKept(live.name);
    const names = keeping.flatMap(({ done: { kept } }) => (kept === null ? [] : [kept]));
    await consent(restoreMessages.dropConsent(live.name, names));
    // no undo may bring back at the same time what is dropped here
    const held = await holdJournal(context);
    try {
      for (const { done, target } of keeping) await dropKept(target, done, live.name, context);
    } finally {
      held.release();
    }
  } finally {
    for (const target of targets.values()) await target.close();
  }
}

/** @throws Failure `restore-refused` if an object outside depends on what was kept */
async function dropDatabase(target: RestoreTarget, kept: string, database: string): Promise<void> {
  try {
    await target.drop(kept);
  } catch (error) {
    if (!(error instanceof DependentObjectsError)) throw error;
    const obstacle = { kind: 'depended-upon', name: kept, dependents: error.dependents } as const;
    throw new Failure({ kind: 'restore-refused', database, obstacle }, { cause: error });
  }
}

async function dropKept(
  target: RestoreTarget,
  done: DoneRestore,
  database: string,
  { config, log, recorder }: RestoreContext,
): Promise<void> {
  const there = done.kept !== null && (await target.exists(done.kept));
  if (done.kept !== null) {
    recorder.step({ kind: 'former-dropped', names: [done.kept] });
    await dropDatabase(target, done.kept, database);
    recorder.committed('committed');
  }
  for (const folder of done.uploads) await dropFormerUploads(folder, done.id, config);
  recordRestore(config, { ...done, kept: null, uploads: [], measured: null, measuredUploads: {} });
  log.info(there || done.kept === null ? restoreMessages.dropped(done.kept) : restoreMessages.goneAlready(done.kept));
}

export function nothingKept(database: string): Failure {
  return new Failure({ kind: 'restore-refused', database, obstacle: { kind: 'nothing-kept' } });
}
