import type { Config } from '../config/config.ts';
import type { BeforeStep, RestoreContext, RestoreTarget, Source } from './target.ts';
import { type HeldJournal, holdJournal, noFolder } from './journal-lock.ts';
import { type Journal, readJournal } from '../state-folder/journal.ts';
import { failureAt, reasonInWords } from './load-and-verify.ts';
import { swapOf, recoverOwn, unfinished } from './recover.ts';
import { recoveryMessages } from '../report/restore-messages.ts';

/**
 * Writes the journal before anything else, and completes it or rolls it back whatever happens.
 * @param prepare receives the check to call before each step
 * @throws Failure only if the live database was not swapped, if that is not known yet (`unfinished`), or if another
 *   run has taken over (`taken-over`). A fault after the swap that recovery settles is a warning
 */
export async function runJournalled(
  journal: Journal,
  target: RestoreTarget,
  context: RestoreContext,
  prepare: (mayGoOn: BeforeStep) => Promise<Source | 'undo' | null>,
): Promise<void> {
  const held = await holdJournal(context);
  try {
    await bringToEnd(journal, held, target, context, prepare);
  } finally {
    held.release();
  }
}

async function bringToEnd(
  journal: Journal,
  held: HeldJournal,
  target: RestoreTarget,
  context: RestoreContext,
  prepare: (mayGoOn: BeforeStep) => Promise<Source | 'undo' | null>,
): Promise<void> {
  const { config, signal, log, recorder } = context;
  let present = journal;
  const enter = (phase: Journal['phase']): void => {
    held.write({ ...journal, phase });
    present = { ...journal, phase };
  };
  beginJournal(journal, held, config);
  recorder.exchange(swapOf(journal, 'preparing'));
  let failed: { readonly error: unknown } | null = null;
  try {
    const source = await prepare(held.mayGoOn);
    signal.throwIfAborted();
    if (source !== null) {
      enter('swapping');
      recorder.exchange(swapOf(journal, 'swapping'));
      await target.swap(source === 'undo' ? null : source, journal.places, held.mayGoOn);
      recorder.exchange(swapOf(journal, 'finishing'));
      enter('finishing');
    }
  } catch (error) {
    failed = { error };
  }
  const outcome = await recoverOwn(target, present, held, context).catch((error: unknown) => {
    const takenOver = held.takenOver();
    if (takenOver !== null) {
      recorder.exchange(null);
      throw takenOver;
    }
    log.warn(recoveryMessages.notSettled(reasonInWords(error)));
    throw unfinished(config, reasonInWords(failed === null ? error : failed.error), error);
  });
  if (failed === null) return;
  if (outcome === 'finished') {
    return log.warn(recoveryMessages.finishedAllTheSame(journal.action, reasonInWords(failed.error)));
  }
  signal.throwIfAborted();
  throw failureAt('restoring', failed.error, config);
}

/** @throws Failure `restore-refused` if there is no place for a journal, or another journal exists */
function beginJournal(journal: Journal, held: HeldJournal, config: Config): void {
  if (readJournal(config) !== null) throw unfinished(config, null);
  try {
    held.claim(journal);
  } catch (error) {
    throw noFolder(config, journal.database, error);
  }
}
