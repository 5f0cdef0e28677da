import type { Config } from '../config/config.ts';
import { Failure, reasonOf } from '../failure.ts';
import { type Journal, writeJournal } from './journal.ts';
import { failedAt } from './proving.ts';
import { settleJournal, unfinished } from './settle.ts';
import type { RestoreContext, Site, Source } from './site.ts';

/** Writes the journal before anything else, and brings it to its end whatever happens. */
export async function journalled(
  journal: Journal,
  site: Site,
  context: RestoreContext,
  prepare: () => Promise<Source | 'undo' | null>,
): Promise<void> {
  const { config, signal, log } = context;
  let present = journal;
  const enter = (phase: Journal['phase']): void => {
    present = { ...journal, phase };
    writeJournal(config, present);
  };
  beginJournal(journal, config);
  try {
    const source = await prepare();
    signal.throwIfAborted();
    if (source !== null) {
      enter('swapping');
      await site.exchange(source === 'undo' ? null : source, journal.places);
      enter('finishing');
    }
  } catch (error) {
    const outcome = await settleJournal(site, present, context).catch((second: unknown) => {
      log.warn(`What was begun could not be taken back now (${reasonOf(second)}): the next start does it.`);
      return 'unsettled' as const;
    });
    if (outcome === 'finished') throw unfinished(config, reasonOf(error), error);
    signal.throwIfAborted();
    throw failedAt('restoring', error, config);
  }
  await settleJournal(site, present, context).catch((error: unknown) => {
    throw unfinished(config, reasonOf(error), error);
  });
}

/** @throws Failure `restore-refused` where there is no place for a journal */
function beginJournal(journal: Journal, config: Config): void {
  try {
    writeJournal(config, journal);
  } catch (error) {
    const obstacle = { kind: 'folder', folder: config.backupFolder, reason: reasonOf(error) } as const;
    throw new Failure({ kind: 'restore-refused', database: journal.database, obstacle }, { cause: error });
  }
}
