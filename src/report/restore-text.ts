import type { Change, MeasuredUploads } from '../model/measurement.ts';
import { printable, printableSql } from '../platform/printable.ts';
import type { Archive } from '../archive/reader.ts';
import type { Surrounding } from '../database/postgres/left-behind.ts';
import type { RestoreObstacle } from '../errors/failure.ts';
import type { DoneRestore } from '../state-folder/restore-history.ts';
import { listRows } from './adoption-text.ts';
import { capitalize, shownArchive } from './next-steps.ts';
import type { Notice } from './banner.ts';
import { describeCarried, describeCauseOf } from './cause-text.ts';
import type { Commands } from './commands.ts';
import type { Log } from './log.ts';
import { count, formatBytes } from './format.ts';
import { quoteName } from './sql-name.ts';
import { listSessions } from './quarantine-text.ts';
import { countMisfits, describeMisfits } from './rows-text.ts';
import { zonedTime } from '../platform/local-time.ts';

const safe = 'the live database is as it was.';

/** Why nothing was restored. */
export function describeRestoreObstacle(database: string, obstacle: RestoreObstacle, commands: Commands): Notice {
  const title = `Nothing was restored: ${database}`;
  switch (obstacle.kind) {
    case 'others-are-connected':
      return {
        title,
        happened: [`The database is in use: ${listSessions(obstacle.others)}.`],
        safe,
        options: [
          `Stop what is connected, then restore again.\n${commands.stop}`,
          'Or give --disconnect: these sessions are ended when the restored database takes the place of this one.',
        ],
      };
    case 'prepared-transactions':
      return {
        title,
        happened: [
          `Transactions wait for the second phase of their commit, and may write at any time: ${obstacle.names.join(', ')}.`,
        ],
        safe,
        options: [
          'Let who prepared them end them; or end each of them yourself in the database, then restore again.\n' +
            obstacle.names
              .map((name) => printableSql(`  ROLLBACK PREPARED '${name.replaceAll("'", "''")}';`))
              .join('\n'),
        ],
      };
    case 'file-in-use':
      return {
        title,
        happened: [`Somebody else is using ${obstacle.file}.`],
        safe,
        options: [`Stop what is using it, then restore again.\n${commands.stop}`],
      };
    case 'openers-unknown':
      return {
        title,
        happened: [
          `Whether a program in another container has ${obstacle.file} open cannot be seen from here. One that has would go on ` +
            'writing to the former file, and lose it.',
        ],
        safe,
        options: [
          `Stop the application. Then give --disconnect, which says that nobody has the file open.\n${commands.stop}`,
        ],
      };
    case 'folder':
      return {
        title,
        happened: [`The folder ${obstacle.folder} cannot be used: ${obstacle.reason}.`],
        safe,
        options: [
          'Mount a volume there that this user may write, or make room where it is full, then restore again.',
          'Or give --database-only to leave the uploads as they are.',
        ],
      };
    case 'no-space':
      return {
        title,
        happened: [
          `There is too little room in ${obstacle.folder}: ${formatBytes(obstacle.needed)} may be needed, ` +
            `${formatBytes(obstacle.free)} are free.`,
        ],
        safe,
        options: [
          'Make room, then restore again.',
          'Or give --database-only to leave the uploads as they are.',
          `What a former restore keeps can go, and with it the way back from that one.\n${commands.run('restore', '--drop-former')}`,
        ],
      };
    case 'nothing-kept':
      return {
        title: `There is nothing to go back to: ${database}`,
        happened: ['No restore of this database is remembered in the backup folder that keeps what was there before.'],
        safe,
        options: [`Look which backups there are, and restore one of them.\n${commands.backups}\n${commands.restore}`],
      };
    case 'former-gone':
      return {
        title: `There is nothing to go back to: ${database}`,
        happened: [
          `${obstacle.kept}, in which the database from before the last restore was kept, is not there any more.`,
        ],
        safe,
        options: [
          `Look which backups there are, and restore one of them.\n${commands.backups}\n${commands.restore}`,
          `Have it forgotten, and its uploads deleted.\n${commands.run('restore', '--drop-former')}`,
        ],
      };
    case 'former-dropped':
      return {
        title: `There is nothing to go back to: ${database}`,
        happened: [
          `${obstacle.kept}, in which the database from before the last restore was kept, is only a part of one: a DROP ` +
            'DATABASE of it was cut off, and the server lets nobody in (pg_database.datconnlimit = -2).',
        ],
        safe,
        options: [
          `Look which backups there are, and restore one of them.\n${commands.backups}\n${commands.restore}`,
          `Finish the drop, and have its uploads deleted with it.\n${commands.run('restore', '--drop-former')}`,
          'Or finish it by hand: its uploads stay then.\n' +
            commands.client('psql', ['-c', printableSql(`DROP DATABASE ${quoteName(obstacle.kept)}`), 'postgres']),
        ],
      };
    case 'former-changed':
      return {
        title: `What was put aside was changed: ${database}`,
        happened: [
          `${changedPart(obstacle.kept, obstacle.changes)} not what was put aside at the last restore.`,
          ...describeChanges(obstacle.changes),
        ],
        safe: `${safe} ${obstacle.kept} was not touched either.`,
        options: [
          'Look into what was changed, and mend it there; then start again.',
          `Or put it back as it is now.\n${commands.run('restore', '--undo', '--accept-changes')}`,
          `Or restore a backup.\n${commands.backups}\n${commands.restore}`,
        ],
      };
    case 'depended-upon':
      return {
        title: `${obstacle.name} cannot be dropped: ${database}`,
        happened: [`This lies outside and depends on what is in it: ${obstacle.dependents.join(', ')}.`],
        safe: `${safe} What lies outside is as it was.`,
        options: ['Drop what depends on it, then start again.', "Or leave it: it is in nobody's way."],
      };
    case 'unfinished':
      return describeUnfinished(database, obstacle, commands);
    case 'taken-over':
      return {
        title: `Another run has taken over: ${database}`,
        happened: [
          'This run was stopped for a while, its session ended, and another run finished its work or took it back: ' +
            `the journal ${obstacle.journal} is not this run's any more.`,
        ],
        safe: 'this run stopped before its next step, and moved nothing since it saw that. No file and no row was deleted.',
        options: [`Look what state the database is in, and whether a restore is under way.\n${commands.status}`],
      };
    case 'rows-do-not-fit':
      return {
        title,
        happened: [
          `The SQLite database holds what PostgreSQL does not take: ${countMisfits(obstacle.misfits)}. SQLite does not check it.`,
          ...obstacle.misfits.flatMap(describeMisfits),
        ],
        safe: `${safe} Nothing of the SQLite database was lost or changed.`,
        options: [
          'Mend these rows in a copy of the SQLite database, then restore that.',
          'Or have these rows put into a quarantine schema, whole and with their reason, and everything else restored.\n' +
            commands.run('restore', obstacle.archive, '--set-aside'),
        ],
      };
    case 'failed': {
      const carried = describeCarried(obstacle.cause, commands);
      const told = carried === null ? describeCauseOf(obstacle.cause, commands, commands.restore).options : [carried];
      return {
        title,
        happened: [`${capitalize(obstacle.step)} failed: ${obstacle.reason}.`],
        safe,
        options: [
          ...(told ?? ['Remedy that, then restore again.']),
          `Or go on with the database as it is.\n${commands.gate}`,
        ],
      };
    }
  }
}

function describeUnfinished(
  database: string,
  { journal, reason }: Extract<RestoreObstacle, { kind: 'unfinished' }>,
  commands: Commands,
): Notice {
  return {
    title: `A restore is not finished: ${database}`,
    happened: [
      reason === null ? 'Another run is restoring, or was interrupted while it did.' : `${capitalize(reason)}.`,
      `The journal of it is ${journal}.`,
    ],
    safe: 'this run changed nothing, and no database is dropped before it is known which one is live.',
    options: [
      `Start again: a gate waits for a restore that is at work, and finishes or takes back one that is not.\n${commands.gate}`,
      'If the reason is that restores.json is damaged, move that file away and start again: what earlier restores have ' +
        'kept stays where it is, but is not known to --undo and --drop-former any more.',
      'If the journal itself is the obstacle, look into it: it names both databases. Move it away once the right one ' +
        'bears the live name.',
    ],
  };
}

/** Changes that are told one by one. */
const mostChanges = 10;

/** What of a former database is not as it was put aside, a sentence each. */
function describeChanges(changes: readonly Change[]): readonly string[] {
  const more = changes.length - mostChanges;
  const shown = changes.slice(0, mostChanges).map((change) => describeChange(change));
  return more > 0 ? [...shown, `And ${count(more, 'more change')}.`] : shown;
}

/** What of the former state was changed, with its verb. */
function changedPart(kept: string, changes: readonly Change[]): string {
  const uploads = changes.some(({ kind }) => kind === 'uploads');
  if (changes.every(({ kind }) => kind === 'uploads')) return `The uploads that were put aside with ${kept} are`;
  return uploads ? `${kept} and its uploads are` : `${kept} is`;
}

function describeUploads({ files, bytes }: MeasuredUploads): string {
  return `${count(files, 'file')} (${formatBytes(bytes)})`;
}

function describeChange(change: Change): string {
  switch (change.kind) {
    case 'gone':
      return `${change.object} was there, and is gone.`;
    case 'new':
      return `${change.object} was not there, and is now.`;
    case 'rows':
      return `${change.object} had ${count(change.before, 'row')}, and has ${count(change.now, 'row')} now.`;
    case 'content':
      return `${change.object} has as many rows as before, but not the same ones.`;
    case 'definition':
      return `${change.object} has another definition, owner or other rights than before.`;
    case 'revisions':
      return `alembic_version held ${listRows(change.before) || 'nothing'}, and holds ${listRows(change.now) || 'nothing'} now.`;
    case 'uploads': {
      const { folder, before, now } = change;
      if (now === null) return `Of ${folder} ${describeUploads(before)} were put aside, and are gone.`;
      return now.files === before.files && now.bytes === before.bytes
        ? `Of ${folder} as many files are there as were put aside, but not the same ones.`
        : `Of ${folder} ${describeUploads(before)} were put aside, and there are ${describeUploads(now)} now.`;
    }
    case 'file':
      return 'The file was written to, though every table has as many rows as before.';
    case 'unreadable':
      return `It cannot be read any more: ${change.reason}.`;
  }
}

/** What an undo brings back, where that is not exactly what was put aside. Told before the question. */
export function describeFormer(
  { kept, finishedAt }: { readonly kept: string; readonly finishedAt: string },
  changes: readonly Change[] | null,
): readonly string[] {
  if (changes === null) {
    return [
      `${kept} could not be compared with what was put aside at ${finishedAt}: nobody measured it then. It may have been changed since.`,
    ];
  }
  if (changes.length === 0) return [];
  return [
    `${changedPart(kept, changes)} not what was put aside at ${finishedAt}:`,
    ...describeChanges(changes).map((change) => `  ${change}`),
  ];
}

/** What is live after an undo. */
export function describeUndone(database: string, changes: readonly Change[] | null): string {
  const what = `${database} is the database from before the last restore again`;
  if (changes === null) return `${what}; whether it is as it was then, nobody can tell.`;
  return changes.length === 0 ? `${what}, as it was.` : `${what}, with the changes that were made to it since.`;
}

/** A restore goes on without: only its undo will have to say so. */
export function describeUnmeasured(kept: string, reason: string): string {
  return `${kept} could not be measured (${reason}): an undo cannot tell whether it was changed meanwhile.`;
}

/** What the owner of a SQLite file has answered for, or TT_RESTORE_FROM in their place. */
/** Where the kernel cannot keep a second run away from the files. */
export function describeUnlockable(folder: string, reason: string): string {
  return (
    `No lock can be held in ${folder} (${reason}): make sure that no other container runs a restore with this backup ` +
    'folder. Whether one has taken over is only told by the journal there, before each step.'
  );
}

/** What may be left to do where the file may be open elsewhere. */
export function describeUnseen(file: string): string {
  return (
    `Whether a program in another container has ${file} open could not be seen: if the application was not stopped, ` +
    'restart it now. Until then it writes to the former file.'
  );
}

/** What is about to be restored. */
export function describeArchive(archive: Archive): string {
  const { file, engine, createdAt, revisions, uploads, size } = archive;
  const made = createdAt instanceof Date ? zonedTime(createdAt) : (createdAt ?? 'at a time it does not say');
  const at =
    revisions === null || revisions.length === 0 ? 'at a revision it does not say' : `at ${listRows(revisions)}`;
  const what = engine === 'sqlite' ? 'SQLite' : 'PostgreSQL';
  if (archive.bare) return `${file}: a SQLite database file, ${formatBytes(size)}.`;
  return `${capitalize(shownArchive(file))}: a ${what} database ${at}, made ${made}, ${count(uploads.length, 'upload')}, ${formatBytes(size)} unpacked.`;
}

/** What becomes of what an owner made around the tables: before the question. */
export function describeSurroundings(around: readonly Surrounding[]): readonly string[] {
  const along = around.filter((thing) => thing.safe);
  const left = around.filter((thing) => !thing.safe);
  return [
    ...(along.length === 0
      ? []
      : [
          `No archive holds this; it is made anew in the restored database, where its table is there: ${objectsOf(along)}.`,
        ]),
    ...(left.length === 0
      ? []
      : [`The restored database will lack, for no archive holds it: ${objectsOf(left)}.`, ...statementsOf(left)]),
  ];
}

/** The same once the restore is done. */
export function describeLacking(lacking: readonly Surrounding[]): readonly string[] {
  if (lacking.length === 0) return [];
  return [
    `Make anew what the restored database lacks and the former one has: ${objectsOf(lacking)}.`,
    ...statementsOf(lacking),
  ];
}

export function describeLackingUnknown(reason: string): string {
  return `What the restored database lacks could not be seen (${reason}): this is all that the former one has.`;
}

/** Something that was not made anew. */
export function describeNotCarried(object: string, reason: string): string {
  return `Not carried over: ${object} (${reason}).`;
}

/** `rights of reader on clients, users; publication all_of_it` */
function objectsOf(around: readonly Surrounding[]): string {
  const objects = [...new Set(around.map(({ object }) => object))];
  const named = objects.map((name) => {
    const things = around.flatMap(({ object, on }) => (object === name && on !== null ? [on] : []));
    const more = things.length > most ? ` and ${things.length - most} more` : '';
    return things.length === 0 ? name : `${name} on ${things.slice(0, most).join(', ')}${more}`;
  });
  return printable(named.join('; '));
}

/** How many things are listed in a sentence. */
const most = 20;

const statementsOf = (around: readonly Surrounding[]): readonly string[] =>
  around.map(({ statement }) => `  ${printableSql(statement)};`);

/** What a restore undoes that the application had to do for good. @param users the ids of those who were erased since */
export function describeErasures({ file }: Pick<Archive, 'file'>, users: readonly number[]): string {
  const shown = users.slice(0, 10).join(', ') + (users.length > 10 ? ', …' : '');
  return (
    `${capitalize(shownArchive(file))} brings people back: ${count(users.length, 'user')} of the present database (id ${shown}) ` +
    `${users.length === 1 ? 'was' : 'were'} erased after it was made, or on that day. Erase them again in the application ` +
    'after the restore.'
  );
}

/**
 * Says where the former database is, how to go back to it, and how to get rid of it.
 * @param uploads where its uploads are
 */
export function announceKept(
  done: Pick<DoneRestore, 'kept' | 'way'> | null,
  uploads: readonly string[],
  commands: Commands,
  log: Log,
): void {
  // before the first start of a SQLite database there is no file to keep
  if (done === null) return log.info('There was no database before, and so none to go back to.');
  const beside = uploads.length > 0 ? `, its uploads in ${uploads.join(' and ')}` : '';
  log.info(`The former database is kept as ${done.kept}${beside}, until you drop it.`);
  if (done.way === 'schemas') {
    log.info(
      '  It is a schema of the same database: every backup, also those of the application, holds it until then.',
    );
  }
  log.info(`  To go back to it: ${commands.run('restore', '--undo').trim()}`);
  log.info(`  To drop it: ${commands.run('restore', '--drop-former').trim()}`);
}
