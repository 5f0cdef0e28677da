import type { Journal } from '../state-folder/journal.ts';
import { zonedTime } from '../platform/local-time.ts';
import { count } from './format.ts';
import { shownArchive } from './next-steps.ts';

/** What the log and the questions of `restore` say while it works. */
export const restoreMessages = {
  /** @param uploads whether they are restored as well */
  consent: (archive: string, database: string, { uploads }: { uploads: boolean }): string =>
    `The archive ${archive} takes the place of ${database}${uploads ? ' and of its uploads' : ''}; what is there now is kept aside.`,
  undoConsent: (database: string): string =>
    `The database from before the last restore takes the place of ${database}, and so do its uploads; what is there now is kept aside.`,
  dropConsent: (database: string, names: readonly string[]): string =>
    `This deletes what restores have kept of ${database}, for good: ${names.join(', ')}.`,
  /** @param tool what loads a dump; null where rows are copied one by one */
  intoDatabase: (incoming: string, tool: string | null): string =>
    `Restoring into ${incoming}, beside the live database, ${tool === null ? 'row by row' : `with ${tool}`}.`,
  intoFile: (incoming: string): string => `Restoring into ${incoming}, beside the live file.`,
  intoSchemaBeside: (incoming: string, schema: string): string =>
    `Restoring into schema ${incoming}, beside ${schema}, row by row.`,
  intoNewSchema: (schema: string, tool: string, kept: string): string =>
    `Restoring into a new schema ${schema}, with ${tool}; the former one is kept as ${kept}.`,
  rehearsedInTransaction: [
    'This user may not create databases, or shares this one: the dump is restored in a transaction that is rolled back,',
    'and whether it can be migrated is only seen by the restore itself.',
  ],
  loadedAs: (user: string, reason: string): string => `The archive is loaded with the rights of ${user}: ${reason}.`,
  danglingRows: (rows: number): string => `${count(rows, 'row')} of it refer to nothing: that is left as it is.`,
  notCarriedOver: (what: string): string => `Not carried over: ${what}.`,
  noUploadFolder: (roots: readonly string[]): string =>
    `Not restored, for there is no folder of their own here: ${roots.join(', ')}.`,
  rehearsed: 'The archive can be restored. What was made of it was thrown away again: nothing was changed.',
  restored: (database: string, archive: string): string =>
    `Restored: ${database} is what ${shownArchive(archive)} holds, at the current revision.`,
  unhealthy: (reason: string): string =>
    `The restored database is not healthy (${reason}): the former one is put back.`,
  dropped: (kept: string | null): string => `Dropped ${kept ?? 'former uploads'}.`,
  goneAlready: (kept: string): string => `${kept} is not there any more.`,
};

const outcomes = {
  restore: {
    finished: 'the restored database is live.',
    'taken back': 'the database is the one from before the restore.',
  },
  undo: {
    finished: 'the database from before the restore is live again.',
    'taken back': 'the restored database stays live.',
  },
};

/** What is said of a restore that was cut off, or failed on its way. */
export const recoveryMessages = {
  unfinished: (holder: string, startedAt: string): string =>
    `A restore did not finish (${holder}, begun ${zonedTime(startedAt)}).`,
  settled: (action: Journal['action'], outcome: keyof typeof outcomes.restore): string =>
    `It was ${outcome}: ${outcomes[action][outcome]}`,
  connectionLost: (action: Journal['action'], reason: string): string =>
    `The connection was lost (${reason}): another one is asked what became of the ${action}.`,
  notSettled: (reason: string): string =>
    `What was begun could not be settled now (${reason}): the next start does it.`,
  finishedAllTheSame: (action: Journal['action'], reason: string): string =>
    `The ${action} was finished although something failed on the way: ${reason}.`,
};

/** What TT_RESTORE_FROM does at a start. */
export const restoreAtStartMessages = {
  begins: (file: string, database: string): string =>
    `TT_RESTORE_FROM is set: restoring ${file} in the place of ${database}.`,
  ended: 'It is remembered: another start does not restore it again. TT_RESTORE_FROM can be unset.',
  already: (file: string, finishedAt: string): string =>
    `TT_RESTORE_FROM: ${file} was restored already (${zonedTime(finishedAt)}). The variable can be unset.`,
};
