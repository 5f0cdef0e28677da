import type { Journal } from '../state-folder/journal.ts';
import { zonedTime } from '../platform/local-time.ts';
import { count, formatBytes, listRows } from './format.ts';
import { shownArchive, capitalize } from './next-steps.ts';
import type { Change } from '../model/measurement.ts';
import { printable, printableSql } from '../platform/printable.ts';
import type { Archive } from '../archive/reader.ts';
import type { UncopiedProperty } from '../database/postgres/copy-settings.ts';
import type { UnarchivedObject } from '../database/postgres/unarchived-objects.ts';
import type { DoneRestore } from '../state-folder/restore-history.ts';
import type { Commands } from './commands.ts';
import type { Log } from './log.ts';
import { changedPart, describeChanges } from './restore-refusals.ts';

function describeProperty(property: UncopiedProperty['property']): string {
  switch (property.kind) {
    case 'limit':
      return 'the connection limit';
    case 'comment':
      return 'the comment';
    case 'grants':
      return 'the grants';
    case 'setting':
      return `the setting ${property.name}${property.role === null ? '' : ` of ${property.role}`}`;
  }
}

/** What the log and the questions of `restore` say while it works. */
export const restoreMessages = {
  /** @param uploads whether they are restored as well */
  consent: (archive: string, database: string, { uploads }: { uploads: boolean }): string =>
    `The archive ${archive} replaces ${database}${uploads ? ' and its uploads' : ''}; what is there now is kept.`,
  undoConsent: (database: string): string =>
    `The database from before the last restore replaces ${database}, and its uploads replace the present ones; what is there now is kept.`,
  dropConsent: (database: string, names: readonly string[]): string =>
    `This permanently deletes what restores have kept of ${database}: ${names.join(', ')}.`,
  /** @param tool what loads a dump; null where rows are copied one by one */
  intoDatabase: (incoming: string, tool: string | null): string =>
    `Restoring into ${incoming}, beside the live database, ${tool === null ? 'row by row' : `with ${tool}`}.`,
  intoFile: (incoming: string, { byRow }: { byRow: boolean }): string =>
    `Restoring into ${incoming}, beside the live file${byRow ? ', row by row' : ''}.`,
  intoSchemaBeside: (incoming: string, schema: string): string =>
    `Restoring into schema ${incoming}, beside ${schema}, row by row.`,
  intoNewSchema: (schema: string, tool: string, kept: string): string =>
    `Restoring into a new schema ${schema}, with ${tool}; the former one is kept as ${kept}.`,
  rehearsedInTransaction: [
    'This user may not create databases, or shares this one: the dump is restored in a transaction that is rolled back,',
    'and only the restore itself shows whether it can be migrated.',
  ],
  loadedAs: (user: string, reason: string): string => `The archive is loaded with the rights of ${user}: ${reason}.`,
  danglingRows: (rows: number): string =>
    `${count(rows, 'row')} of it refer to rows that do not exist. They stay as they are.`,
  notCarriedOver: ({ property, reason }: UncopiedProperty): string =>
    `Not carried over: ${describeProperty(property)} (${reason}).`,
  noUploadFolder: (roots: readonly string[]): string =>
    `Not restored, because this installation has no folder for them: ${roots.join(', ')}.`,
  rehearsed: 'The archive can be restored. What was prepared for that was removed again: nothing was changed.',
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
    'rolled-back': 'the database is the one from before the restore.',
  },
  undo: {
    finished: 'the database from before the restore is live again.',
    'rolled-back': 'the restored database stays live.',
  },
};

/** What the log says about the recovery of an interrupted or failed restore. */
export const recoveryMessages = {
  unfinished: (holder: string, startedAt: string): string =>
    `A restore did not finish (${holder}, begun ${zonedTime(startedAt)}).`,
  recovered: (action: Journal['action'], outcome: keyof typeof outcomes.restore): string =>
    `It was ${outcome === 'finished' ? 'finished' : 'taken back'}: ${outcomes[action][outcome]}`,
  connectionLost: (action: Journal['action'], reason: string): string =>
    `The connection was lost (${reason}): a new connection finds out whether the ${action} was committed.`,
  notRecovered: (reason: string): string =>
    `The work could be neither completed nor rolled back now (${reason}): the next start does it.`,
  completedDespiteFailure: (action: Journal['action'], reason: string): string =>
    `The ${action} was completed, although a step failed: ${reason}.`,
};

/** What TT_RESTORE_FROM does at a start. */
export const restoreAtStartMessages = {
  begins: (file: string, database: string): string =>
    `TT_RESTORE_FROM is set: restoring ${file} over ${database}. The present database is kept.`,
  ended: 'db-init has noted this: the next start does not restore it again. TT_RESTORE_FROM can be unset.',
  already: (file: string, finishedAt: string): string =>
    `TT_RESTORE_FROM: ${file} was restored already (${zonedTime(finishedAt)}). The variable can be unset.`,
};

/** The changes since a former database was put aside, shown before the question of an undo. */
export function describeFormer(
  { kept, finishedAt }: { readonly kept: string; readonly finishedAt: string },
  changes: readonly Change[] | null,
): readonly string[] {
  if (changes === null) {
    return [
      `${kept} could not be compared with what was put aside at ${finishedAt}: it was not measured then. It may have been changed since.`,
    ];
  }
  if (changes.length === 0) return [];
  return [
    `${changedPart(kept, changes)} not what was put aside at ${finishedAt}:`,
    ...describeChanges(changes).map((change) => `  ${change}`),
  ];
}

export function describeUndone(database: string, changes: readonly Change[] | null): string {
  const what = `${database} is the database from before the last restore again`;
  if (changes === null) return `${what}; it is not known whether it was changed since.`;
  return changes.length === 0 ? `${what}, as it was.` : `${what}, with the changes that were made to it since.`;
}

/** Warns that an undo will not be able to compare the former database. The restore goes on. */
export function describeUnmeasured(kept: string, reason: string): string {
  return `${kept} could not be measured (${reason}): an undo cannot see whether it was changed meanwhile.`;
}

/** The same for former uploads. */
export const describeUnmeasuredUploads = (folder: string, reason: string): string =>
  describeUnmeasured(`What was in ${folder}`, reason);

/** Warns that no file lock keeps a second run away. */
export function describeNoFolderLock(folder: string, reason: string): string {
  return (
    `No lock can be held in ${folder} (${reason}): make sure that no other container runs a restore with this backup ` +
    'folder. Only the journal there shows before each step whether another run has taken over.'
  );
}

/** Warns that another container may still have the former file open. */
export function describeUnknownFileHolders(file: string): string {
  return (
    `db-init could not see whether a program in another container has ${file} open: if the application was not stopped, ` +
    'restart it now. Until then it writes to the former file.'
  );
}

export function describeArchive(archive: Archive): string {
  const { file, engine, createdAt, revisions, uploads, size } = archive;
  const made = createdAt instanceof Date ? zonedTime(createdAt) : (createdAt ?? 'at a time it does not say');
  const at =
    revisions === null || revisions.length === 0 ? 'at a revision it does not say' : `at ${listRows(revisions)}`;
  const what = engine === 'sqlite' ? 'SQLite' : 'PostgreSQL';
  if (archive.bare)
    return `${file}: a ${engine === 'sqlite' ? 'SQLite database file' : 'dump of PostgreSQL'}, ${formatBytes(size)}.`;
  return `${capitalize(shownArchive(file))}: a ${what} database ${at}, made ${made}, ${count(uploads.length, 'upload')}, ${formatBytes(size)} unpacked.`;
}

/** What happens to the objects that no archive contains. Said before the question. */
export function describeUnarchived(unarchived: readonly UnarchivedObject[]): readonly string[] {
  const recreated = unarchived.filter(({ safe }) => safe);
  const missing = unarchived.filter(({ safe }) => !safe);
  return [
    ...(recreated.length === 0
      ? []
      : [
          `No archive contains these; they are created again in the restored database if their tables exist: ${objectsOf(recreated)}.`,
        ]),
    ...(missing.length === 0
      ? []
      : [
          `The restored database will lack these, because no archive contains them: ${objectsOf(missing)}.`,
          ...statementsOf(missing),
        ]),
  ];
}

/** Objects that the restored database lacks. Said after the restore. */
export function describeMissingObjects(lacking: readonly UnarchivedObject[]): readonly string[] {
  if (lacking.length === 0) return [];
  return [
    `Create again what the restored database lacks and the former one has: ${objectsOf(lacking)}.`,
    ...statementsOf(lacking),
  ];
}

export function describeMissingUnknown(reason: string): string {
  return `Could not find out what the restored database lacks (${reason}): this is everything that the former one has.`;
}

/** What the application needs beside a restored database, and is missing here. */
export type MissingSurroundings =
  | { readonly kind: 'no-settings-key' | 'other-settings-key' }
  | { readonly kind: 'no-installation-file'; readonly file: string };

export function describeMissingSurroundings(missing: MissingSurroundings): string {
  switch (missing.kind) {
    case 'no-settings-key':
      return 'Some settings in it are encrypted: the application needs the SETTINGS_ENCRYPTION_KEY that they were written with.';
    case 'other-settings-key':
      return 'Some settings in it were encrypted with another SETTINGS_ENCRYPTION_KEY than the present one: they cannot be read.';
    case 'no-installation-file':
      return `${missing.file} is not there, and in no archive: the application will begin with its set-up wizard.`;
  }
}

/** Warns of an object that could not be created again. */
export function describeNotRecreated(object: string, reason: string): string {
  return `Not carried over: ${object} (${reason}).`;
}

/** `rights of reader on clients, users; publication all_of_it` */
function objectsOf(unarchived: readonly UnarchivedObject[]): string {
  const objects = [...new Set(unarchived.map(({ object }) => object))];
  const named = objects.map((name) => {
    const tables = unarchived.flatMap(({ object, on }) => (object === name && on !== null ? [on] : []));
    const more = tables.length > most ? ` and ${tables.length - most} more` : '';
    return tables.length === 0 ? name : `${name} on ${tables.slice(0, most).join(', ')}${more}`;
  });
  return printable(named.join('; '));
}

/** How many tables are listed in a sentence. */
const most = 20;

const statementsOf = (unarchived: readonly UnarchivedObject[]): readonly string[] =>
  unarchived.map(({ statement }) => `  ${printableSql(statement)};`);

/**
 * Users whose personal data a restore brings back, although the application has erased it.
 * @param users the ids of those who were erased since
 */
export function describeErasures({ file }: Pick<Archive, 'file'>, users: readonly number[]): string {
  const shown = users.slice(0, 10).join(', ') + (users.length > 10 ? ', …' : '');
  return (
    `${capitalize(shownArchive(file))} brings back erased users: ${count(users.length, 'user')} of the present database (id ${shown}) ` +
    `${users.length === 1 ? 'was' : 'were'} erased after the backup was made, or on the same day. Erase them again in the application ` +
    'after the restore.'
  );
}

/**
 * Says where the former database is, how to go back to it, and how to get rid of it.
 * @param uploads where its uploads are
 */
export function announceKept(
  done: Pick<DoneRestore, 'kept' | 'swapKind'> | null,
  uploads: readonly string[],
  commands: Commands,
  log: Log,
): void {
  // before the first start of a SQLite database there is no file to keep
  if (done === null) return log.info('There was no database before, so there is none to go back to.');
  const beside = uploads.length > 0 ? `, its uploads in ${uploads.join(' and ')}` : '';
  log.info(`The former database is kept as ${done.kept}${beside}, until you drop it.`);
  if (done.swapKind === 'schemas') {
    log.info(
      '  It is a schema of the same database. Backups of db-init leave it out. Those of the application contain it until ' +
        'then, and a restore of them leaves it out.',
    );
  }
  log.info(`  To go back to it: ${commands.run('restore', '--undo').trim()}`);
  log.info(`  To drop it: ${commands.run('restore', '--drop-former').trim()}`);
}
