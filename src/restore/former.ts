import type { Change, Measurement } from '../model/measurement.ts';
import { changesBetween } from '../database/measurement.ts';
import { Failure } from '../errors/failure.ts';
import type { Log } from '../report/log.ts';
import { describeUnmeasured } from '../report/restore-text.ts';
import type { DoneRestore } from '../state-folder/restore-history.ts';
import { isLost } from '../database/cause.ts';
import { reasonInWords } from './load-and-verify.ts';
import type { Site } from './target.ts';

/** A restore that keeps what was there before. */
type Keeping = DoneRestore & { readonly kept: string };

/** Measures a database that was just put aside. @returns null if that failed: it is kept all the same */
export async function measureFormer(site: Site, kept: string, log: Log): Promise<Measurement | null> {
  try {
    return await site.measure(kept);
  } catch (error) {
    log.warn(describeUnmeasured(kept, reasonInWords(error)));
    return null;
  }
}

/**
 * What was changed in a former database since it was put aside.
 * @returns null if nobody measured it then
 * @throws Failure `restore-refused` (`former-gone`, `former-dropped`)
 */
export async function compareFormer(
  site: Site,
  { kept, database, measured }: Keeping,
  signal: AbortSignal,
): Promise<readonly Change[] | null> {
  if (!(await site.isKept(kept))) {
    throw new Failure({ kind: 'restore-refused', database, obstacle: { kind: 'former-gone', kept } });
  }
  if (await site.isDropped(kept)) {
    throw new Failure({ kind: 'restore-refused', database, obstacle: { kind: 'former-dropped', kept } });
  }
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
