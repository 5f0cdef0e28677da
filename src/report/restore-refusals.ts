import { type Describers, describerOf } from './by-kind.ts';
import { quoteName } from '../platform/sql-quoting.ts';
import type { Change, MeasuredUploads } from '../model/measurement.ts';
import { printableSql } from '../platform/printable.ts';
import type { RestoreObstacle, RestoreStep, UnfinishedReason } from '../errors/obstacles.ts';
import { restoreReasons } from './restore-reasons.ts';
import { capitalize } from './next-steps.ts';
import type { Notice } from './banner.ts';
import { describeCarried, describeCauseOf } from './causes.ts';
import type { Commands } from './commands.ts';
import { count, formatBytes, listRows } from './format.ts';
import { listSessions } from './quarantine-messages.ts';
import { countMisfits, describeMisfits } from './sqlite-transfer.ts';

const safe = 'the live database is as it was.';

const withoutUploads = (commands: Commands): string =>
  withOption('Or add --database-only: the uploads then stay as they are.', '--database-only', commands);

/** An option of the command line that was given; a start has the restore from a variable, and takes none. */
function withOption(sentence: string, option: string, commands: Commands): string {
  const command = commands.again(option);
  return command === commands.gate ? sentence : `${sentence}\n${command}`;
}

interface Context {
  readonly database: string;
  /** The title of most of these notices. */
  readonly title: string;
  readonly commands: Commands;
}

type Table = Describers<RestoreObstacle, Context, Notice>;

/** Other sessions, programs or runs use the database. */
const othersAtWork = {
  'others-are-connected': (obstacle, { title, commands }) => ({
    title,
    happened: [`The database is in use: ${listSessions(obstacle.others)}.`],
    safe,
    options: [
      `Stop the connected programs, then restore again.\n${commands.stop}\n${commands.again()}`,
      withOption(
        'Or give --disconnect: db-init then ends these sessions when it puts the restored database in place.',
        '--disconnect',
        commands,
      ),
    ],
  }),
  'prepared-transactions': (obstacle, { title }) => ({
    title,
    happened: [
      `Prepared transactions are waiting for their commit, and may write at any time: ${obstacle.names.join(', ')}.`,
    ],
    safe,
    options: [
      'End them with the program that prepared them, or by hand in the database. Then restore again.\n' +
        obstacle.names.map((name) => printableSql(`  ROLLBACK PREPARED '${name.replaceAll("'", "''")}';`)).join('\n'),
    ],
  }),
  'file-in-use': (obstacle, { title, commands }) => ({
    title,
    happened: [`Another program is using ${obstacle.file}.`],
    safe,
    options: [`Stop the program that uses it, then restore again.\n${commands.stop}\n${commands.again()}`],
  }),
  'file-use-unknown': (obstacle, { title, commands }) => ({
    title,
    happened: [
      `db-init cannot see whether a program in another container has ${obstacle.file} open. Such a program would go on ` +
        'writing to the former file, and its changes would be lost.',
    ],
    safe,
    options: [
      withOption(
        `Stop the application. Then add --disconnect: it says that no program has the file open.\n${commands.stop}`,
        '--disconnect',
        commands,
      ),
    ],
  }),
  unfinished: (obstacle, { database, commands }) => describeUnfinished(database, obstacle, commands),
  'taken-over': (obstacle, { database, commands }) => ({
    title: `Another run has taken over: ${database}`,
    happened: [
      'This run was paused and its session ended. Another run then finished its work or rolled it back: ' +
        `the journal ${obstacle.journal} belongs to that run now.`,
    ],
    safe: 'this run stopped before its next step, and moved nothing since it saw that. No file and no row was deleted.',
    options: [`See the state of the database, and whether a restore is running.\n${commands.status}`],
  }),
} satisfies Partial<Table>;

/** The file of the database, or a folder, cannot be used. */
const unusableFiles = {
  'symbolic-link': (obstacle, { title }) => ({
    title,
    happened: [`${obstacle.file} is a symbolic link. The restored file would replace the link, not the database.`],
    safe,
    options: [
      `Set DATABASE_URL to the file itself, also for the application: sqlite:///${obstacle.target}. Then restore again.`,
    ],
  }),
  folder: (obstacle, { title, commands }) => ({
    title,
    happened: [`The folder ${obstacle.folder} cannot be used: ${obstacle.reason}.`],
    safe,
    options: [
      `Mount a volume there that this user may write to, or free space if it is full, then restore again.\n${commands.again()}`,
      ...(obstacle.uploads ? [withoutUploads(commands)] : []),
    ],
  }),
  'no-space': (obstacle, { title, commands }) => ({
    title,
    happened: [
      `There is too little free space in ${obstacle.folder}: ${formatBytes(obstacle.needed)} may be needed, ` +
        `${formatBytes(obstacle.free)} are free.`,
    ],
    safe,
    options: [
      `Free some space, then restore again.\n${commands.again()}`,
      ...(obstacle.uploads ? [withoutUploads(commands)] : []),
      `Or delete what an earlier restore has kept. That restore can then not be undone any more.\n${commands.run('restore', '--drop-former')}`,
    ],
  }),
} satisfies Partial<Table>;

/** What the last restore has kept cannot be put back or dropped. */
const formerDatabases = {
  'nothing-kept': (_, { database, commands }) => ({
    title: `There is nothing to go back to: ${database}`,
    happened: ['The backup folder has no record of a restore of this database that kept the former one.'],
    safe,
    options: [`See which backups there are, and restore one of them.\n${commands.backups}\n${commands.restore}`],
  }),
  'former-gone': (obstacle, { database, commands }) => ({
    title: `There is nothing to go back to: ${database}`,
    happened: [`${obstacle.kept}, which was the database from before the last restore, does not exist any more.`],
    safe,
    options: [
      `See which backups there are, and restore one of them.\n${commands.backups}\n${commands.restore}`,
      `Remove it from the history, and delete its uploads.\n${commands.run('restore', '--drop-former')}`,
    ],
  }),
  'former-dropped': (obstacle, { database, commands }) => ({
    title: `There is nothing to go back to: ${database}`,
    happened: [
      `${obstacle.kept}, which was the database from before the last restore, is not whole: a DROP ` +
        'DATABASE was interrupted, and the server accepts no connection to it (pg_database.datconnlimit = -2).',
    ],
    safe,
    options: [
      `See which backups there are, and restore one of them.\n${commands.backups}\n${commands.restore}`,
      `Finish the drop, and delete its uploads too.\n${commands.run('restore', '--drop-former')}`,
      'Or finish it by hand: its uploads then stay.\n' +
        commands.client('psql', ['-c', printableSql(`DROP DATABASE ${quoteName(obstacle.kept)}`), 'postgres']),
    ],
  }),
  'former-changed': (obstacle, { database, commands }) => ({
    title: `The former database was changed: ${database}`,
    happened: [
      `${changedPart(obstacle.kept, obstacle.changes)} not what was put aside at the last restore.`,
      ...describeChanges(obstacle.changes),
    ],
    safe: `${safe} ${obstacle.kept} was not touched either.`,
    options: [
      'Correct these changes in the former database, then start again.',
      `Or put it back with these changes.\n${commands.run('restore', '--undo', '--accept-changes')}`,
      `Or restore a backup.\n${commands.backups}\n${commands.restore}`,
    ],
  }),
  'depended-upon': (obstacle, { database }) => ({
    title: `${obstacle.name} cannot be dropped: ${database}`,
    happened: [`Objects outside depend on objects in it: ${obstacle.dependents.join(', ')}.`],
    safe: `${safe} The objects outside are as they were.`,
    options: ['Drop the objects that depend on it, then start again.', 'Or keep it: it does no harm.'],
  }),
} satisfies Partial<Table>;

const steps = {
  restore: 'The restore',
  undo: 'The undo',
  'find-schema': 'Looking for the schema of the application',
  'reach-former-database': 'Reaching the former database',
  'read-history': 'Reading the history of restores',
  'load-dump': 'Restoring the dump',
  'load-sqlite-rows': 'Loading the rows of the SQLite database',
  'load-postgresql-rows': 'Loading the rows of the PostgreSQL archive',
  'migrate-sqlite-copy': 'Migrating a copy of the SQLite database',
  'assess-restored': 'Looking at the restored database',
  'migrate-restored': 'Migrating the restored database',
  swap: 'Restoring',
  'verify-live': 'Verifying the restored database',
} as const satisfies Record<RestoreStep, string>;

/** The archive could not be loaded. */
const failedRestores = {
  'rows-do-not-fit': (obstacle, { title, commands }) => ({
    title,
    happened: [
      obstacle.engine === 'postgresql'
        ? `The SQLite database has rows that PostgreSQL does not accept: ${countMisfits(obstacle.misfits)}. SQLite does not check it.`
        : `The archive has rows that SQLite cannot store: ${countMisfits(obstacle.misfits)}.`,
      ...obstacle.misfits.flatMap(describeMisfits),
    ],
    safe: `${safe} Nothing of the archive was lost or changed.`,
    options: [
      obstacle.engine === 'postgresql'
        ? 'Correct these rows in a copy of the SQLite database, then restore the copy.'
        : 'Correct these rows in the PostgreSQL installation, make a new backup of it, then restore that backup.',
      `Or put these rows into ${obstacle.engine === 'postgresql' ? 'a quarantine schema' : 'tables of their own'}, ` +
        'whole and with their reason, and restore everything else.\n' +
        commands.run('restore', obstacle.archive, '--set-aside'),
    ],
  }),
  failed: (obstacle, { title, commands }) => {
    const carried = describeCarried(obstacle.cause, commands);
    const told = carried === null ? describeCauseOf(obstacle.cause, commands, commands.again()).options : [carried];
    return {
      title,
      happened: [`${steps[obstacle.step]} failed: ${obstacle.reason}.`],
      safe,
      options: [
        ...(told ?? [`Correct that, then restore again.\n${commands.again()}`]),
        `Or start with the database as it is.\n${commands.gate}`,
      ],
    };
  },
} satisfies Partial<Table>;

const describeByKind = describerOf<RestoreObstacle, Context, Notice>({
  ...othersAtWork,
  ...unusableFiles,
  ...formerDatabases,
  ...failedRestores,
});

export function describeRestoreObstacle(database: string, obstacle: RestoreObstacle, commands: Commands): Notice {
  const title = `Nothing was restored: ${database}`;
  return describeByKind(obstacle.kind, obstacle, { database, title, commands });
}

function describeUnfinished(
  database: string,
  { journal, reason }: Extract<RestoreObstacle, { kind: 'unfinished' }>,
  commands: Commands,
): Notice {
  return {
    title: `A restore is not finished: ${database}`,
    happened: [
      reason === null
        ? 'Another run is restoring, or was interrupted during a restore.'
        : `${capitalize(reasonOfUnfinished(reason))}.`,
      `Its journal is ${journal}.`,
    ],
    safe: 'this run changed nothing, and no database is dropped before it is known which one is live.',
    options: [
      `Start again: a gate waits for a running restore, and finishes or rolls back an interrupted one.\n${commands.gate}`,
      'If the reason is a damaged restores.json, move that file away and start again. What earlier restores have ' +
        'kept stays where it is, but --undo and --drop-former do not find it any more.',
      'If the journal itself is the reason, read it: it names both databases. Move it away when the right one ' +
        'has the live name.',
    ],
  };
}

function reasonOfUnfinished(reason: UnfinishedReason): string {
  switch (reason.kind) {
    case 'failed':
      return reason.message;
    case 'journal-unreadable':
      return 'its journal cannot be read';
    case 'journal-of-other':
      return `its journal is about another database, ${reason.database}`;
    case 'journal-of-other-names':
      return 'its journal names what no restore of this database would';
    case 'no-maintenance-database':
      return restoreReasons.noMaintenanceDatabase;
  }
}

/** Changes that are listed one by one. */
const mostChanges = 10;

/** The changes of a former database, a sentence each. */
export function describeChanges(changes: readonly Change[]): readonly string[] {
  const more = changes.length - mostChanges;
  const shown = changes.slice(0, mostChanges).map((change) => describeChange(change));
  return more > 0 ? [...shown, `And ${count(more, 'more change')}.`] : shown;
}

/** The part of the former state that was changed, with its verb. */
export function changedPart(kept: string, changes: readonly Change[]): string {
  const uploads = changes.some(({ kind }) => kind === 'uploads');
  if (changes.every(({ kind }) => kind === 'uploads')) return `The uploads that were put aside with ${kept} are`;
  return uploads ? `${kept} and its uploads are` : `${kept} is`;
}

function describeUploads({ files, bytes }: MeasuredUploads): string {
  return `${count(files, 'file')} (${formatBytes(bytes)})`;
}

const unreadable = (reason: string): string => `It cannot be read any more: ${reason}.`;

function describeChange(change: Change): string {
  switch (change.kind) {
    case 'gone':
      return `${change.object} existed then, and does not exist now.`;
    case 'new':
      return `${change.object} did not exist then, and exists now.`;
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
      return unreadable(change.reason);
    case 'uploads-unreadable':
      return unreadable(`the uploads of ${change.folder}: ${change.message}`);
    case 'no-database':
      return unreadable('the file is no readable database any more');
  }
}
