import { isDeepStrictEqual } from 'node:util';
import type { Database } from '../database/database.ts';
import { describeFormer, describeUndone } from '../report/restore-messages.ts';
import { type Journal, nameOfThisProcess } from '../state-folder/journal.ts';
import { lastKept, newRestoreId } from '../state-folder/restore-history.ts';
import { withStepFailure } from './failures.ts';
import { announceKeptDatabase, compareFormer, nothingKept, requireUnchanged } from './former-database.ts';
import { runJournalled } from './journal-runner.ts';
import { openTarget } from './open-target.ts';
import { requireExclusiveAccess } from './other-sessions.ts';
import { isFormerOf, type RestoreContext, type RestoreTarget } from './target.ts';

export interface UndoRequest {
  /** Whether to bring back the former database even if it was changed after the restore. */
  readonly acceptChanges: boolean;
  /** Asks the operator for consent, under the lock and after the comparison; null to ask nobody. @throws Failure */
  readonly consent: (() => Promise<void>) | null;
}

/**
 * Undoes the last restore: swaps the live database and uploads with the former ones. Keeps what was live until now, so
 * that another undo reverts this one. Call it under the run lock of the live database.
 * @throws Failure `restore-refused`
 */
export async function undoRestore(request: UndoRequest, live: Database, context: RestoreContext): Promise<void> {
  await withStepFailure('undo', context, () => undoUnderLock(request, live, context));
}

async function undoUnderLock(
  { acceptChanges, consent }: UndoRequest,
  live: Database,
  context: RestoreContext,
): Promise<void> {
  const { config, log } = context;
  const last = lastKept(config);
  if (last === null) throw nothingKept(live.name);
  await requireExclusiveAccess(live, context);
  const target = await openTarget(live, context, last.swapKind);
  try {
    if (!isFormerOf(target, last.kept)) throw nothingKept(live.name);
    const found = await compareFormer(target, last, context);
    for (const sentence of describeFormer(last, found)) log.warn(sentence);
    requireUnchanged(last, found, acceptChanges);
    if (consent !== null) {
      await consent();
      // the operator may take a long time to answer: compare again before the swap
      const later = await compareFormer(target, last, context);
      if (!isDeepStrictEqual(later, found)) requireUnchanged(last, later, false);
    }
    await swapBack(target, live.name, context);
    log.info(describeUndone(live.name, found));
    await announceKeptDatabase(context);
  } finally {
    await target.close();
  }
}

/** Swaps the live database with the former one. @throws Failure `restore-refused` */
export async function swapBack(target: RestoreTarget, database: string, context: RestoreContext): Promise<void> {
  const { config } = context;
  const last = lastKept(config);
  if (last === null || !isFormerOf(target, last.kept)) throw nothingKept(database);
  const id = newRestoreId(config);
  const names = { ...target.names(id), incoming: last.kept };
  const uploads = last.uploads.map((folder) => ({ folder, former: last.id }));
  const facts = { id, action: 'undo', swapKind: target.swapKind, database, archive: null, names, uploads } as const;
  const journal: Journal = {
    ...facts,
    startedAt: new Date().toISOString(),
    holder: nameOfThisProcess(),
    phase: 'preparing',
  };
  await runJournalled(journal, target, context, () => Promise.resolve('undo'));
}
