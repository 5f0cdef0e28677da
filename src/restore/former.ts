import { isDeepStrictEqual } from 'node:util';
import type { Change, MeasuredUploads, Measurement } from '../model/measurement.ts';
import { changesBetween } from '../database/measurement.ts';
import type { Config } from '../config/config.ts';
import { Failure, reasonOf } from '../errors/failure.ts';
import type { Log } from '../report/log.ts';
import { describeUnmeasured } from '../report/restore-messages.ts';
import type { DoneRestore } from '../state-folder/restore-history.ts';
import { isLost } from '../database/cause.ts';
import { reasonInWords } from './load-and-verify.ts';
import type { RestoreContext, RestoreTarget } from './target.ts';
import { measureFormerUploads } from './uploads/former-uploads.ts';

/** A restore that keeps what was there before. */
type Keeping = DoneRestore & { readonly kept: string };

/** Measures a database that was just put aside. @returns null if that failed: it is kept all the same */
export async function measureFormer(site: RestoreTarget, kept: string, log: Log): Promise<Measurement | null> {
  try {
    return await site.measure(kept);
  } catch (error) {
    log.warn(describeUnmeasured(kept, reasonInWords(error)));
    return null;
  }
}

/** Measures the uploads that were just put aside, folder by folder. One that cannot be measured is kept all the same. */
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
      log.warn(describeUnmeasured(`What was in ${folder}`, reasonOf(error)));
    }
  }
  return measured;
}

/**
 * What was changed in a former database, and among its uploads, since they were put aside.
 * @returns null if nobody measured the database then, and the uploads are as they were
 * @throws Failure `restore-refused` (`former-gone`, `former-dropped`)
 */
export async function compareFormer(
  site: RestoreTarget,
  last: Keeping,
  { config, signal }: Pick<RestoreContext, 'config' | 'signal'>,
): Promise<readonly Change[] | null> {
  const { kept, database } = last;
  if (!(await site.isKept(kept))) {
    throw new Failure({ kind: 'restore-refused', database, obstacle: { kind: 'former-gone', kept } });
  }
  if (await site.isDropped(kept)) {
    throw new Failure({ kind: 'restore-refused', database, obstacle: { kind: 'former-dropped', kept } });
  }
  const inDatabase = await compareDatabase(site, last, signal);
  const inUploads = await compareUploads(last, config);
  return inDatabase === null && inUploads.length === 0 ? null : [...(inDatabase ?? []), ...inUploads];
}

async function compareUploads({ id, measuredUploads }: Keeping, config: Config): Promise<readonly Change[]> {
  const changes: Change[] = [];
  for (const [folder, before] of Object.entries(measuredUploads)) {
    try {
      const now = await measureFormerUploads(folder, id, config);
      if (!isDeepStrictEqual(now, before)) changes.push({ kind: 'uploads', folder, before, now });
    } catch (error) {
      changes.push({ kind: 'unreadable', reason: `the uploads of ${folder}: ${reasonOf(error)}` });
    }
  }
  return changes;
}

async function compareDatabase(
  site: RestoreTarget,
  { kept, measured }: Keeping,
  signal: AbortSignal,
): Promise<readonly Change[] | null> {
  if (measured === null) return null;
  try {
    return changesBetween(measured, await site.measure(kept));
  } catch (error) {
    signal.throwIfAborted();
    if (isLost(error)) throw error;
    return [{ kind: 'unreadable', reason: reasonInWords(error) }];
  }
}

/** @throws Failure `restore-refused` (`former-changed`) */
export function requireUnchanged(
  { kept, database }: Keeping,
  changes: readonly Change[] | null,
  accepted: boolean,
): void {
  if (changes === null || changes.length === 0 || accepted) return;
  throw new Failure({ kind: 'restore-refused', database, obstacle: { kind: 'former-changed', kept, changes } });
}
