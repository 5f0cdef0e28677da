import type { AbsentUploads, SkipReason } from '../model/archive.ts';
import type { Problem } from '../errors/failure.ts';
import type { ArchiveFault, BackupObstacle } from '../errors/obstacles.ts';
import { limitVariables, reasonOfFault, reasonOfName } from './archive-reasons.ts';
import { capitalize, isReadOnly, newerTools, untouched } from './next-steps.ts';
import type { Notice } from './banner.ts';
import { describeCauseOf } from './causes.ts';
import { utcOffset, zonedTime } from '../platform/local-time.ts';
import { count, formatAge, formatBytes } from './format.ts';
import type { Commands } from './commands.ts';
import type { Health, SchedulerEvent } from '../backup/schedule.ts';

/** Why a backup could not be made, and what to do about it. */
export function describeFailedBackup(
  { database, obstacle, purpose, streamed = false }: Extract<Problem, { kind: 'backup-failed' }>,
  commands: Commands,
): Notice {
  const rest = streamed
    ? 'The archive on standard output is incomplete: delete it. No restore accepts it.'
    : 'No unfinished archive is left, and all others are as they were.';
  return {
    title: `No backup could be made: ${database}`,
    happened: [describeObstacle(obstacle)],
    safe: `${untouched} ${rest}`,
    options: purpose === 'safety' ? optionsBeforeChange(obstacle, commands) : optionsOf(obstacle, commands),
  };
}

function optionsBeforeChange(obstacle: BackupObstacle, commands: Commands): readonly string[] {
  return [
    ...(remediesOf(obstacle, commands, commands.gate) ?? [`Correct that, then start again.\n${commands.gate}`]),
    'Or set TT_BACKUP_BEFORE_MIGRATE=auto: db-init then continues without a backup if none can be made. Save the database yourself ' +
      `then${obstacle.kind === 'no-tool' ? toolsOfServer : ''}.\n${commands.dump}`,
  ];
}

/** What is missing here, or too old, makes no dump by hand either. */
const toolsOfServer = ', with the pg_dump of the server or a newer one';

function optionsOf(obstacle: BackupObstacle, commands: Commands): readonly string[] {
  const again = `Correct that, then make the backup again.\n${commands.again()}`;
  const byHand = `Until then, save the database by hand.\n${commands.dump}`;
  switch (obstacle.kind) {
    case 'folder': {
      // a folder of --output may hold anything, and no user may write to a read-only volume
      const mayBeGiven = obstacle.folder === commands.backupFolder && !isReadOnly(obstacle.reason);
      return [
        again,
        ...(mayBeGiven
          ? [
              `Give the folder to the user that db-init runs as, then make the backup again.\n${commands.giveFolder(obstacle.folder)}\n${commands.again()}`,
            ]
          : []),
        `Put this one archive somewhere else.\n${commands.backupElsewhere}`,
      ];
    }
    case 'no-space': {
      const prune = commands.run('backup', 'prune', '--keep', '3');
      const pruning =
        obstacle.folder === commands.backupFolder
          ? ` This deletes all but the newest three that \`backup create\` has made of this database:\n${prune}`
          : '';
      return [
        `Free some space, then make the backup again.${pruning}\n${commands.again()}`,
        `Put the archive somewhere else.\n${commands.backupElsewhere}`,
      ];
    }
    case 'no-tool':
      return [newerTools, `Until then, save the database by hand${toolsOfServer}.\n${commands.dump}`];
    case 'not-proven':
      return [`Make the backup again: if it fails again, the disk may be damaged.\n${commands.again()}`, byHand];
    case 'failed':
      return [...(remediesOf(obstacle, commands, commands.again()) ?? [again]), byHand];
  }
}

/** What to do about a cause that is known. @param next what is to be run again then */
function remediesOf(obstacle: BackupObstacle, commands: Commands, next: string): readonly string[] | null {
  return obstacle.kind === 'failed' ? describeCauseOf(obstacle.cause, commands, next).options : null;
}

/** Why a start makes a backup. @param made when the newest was made; null if there is none @param hours TT_BACKUP_MAX_AGE */
export function describeOverdue(made: Date | null, hours: number): string {
  return made === null
    ? 'There is no backup yet, and TT_BACKUP_MAX_AGE is set.'
    : `The newest backup is ${formatAge(made)} old (${zonedTime(made)}); TT_BACKUP_MAX_AGE allows ${count(hours, 'hour')}.`;
}

export function describeNoOverdueBackup(obstacle: BackupObstacle): readonly string[] {
  return [
    `No backup was made, although TT_BACKUP_MAX_AGE wants one: ${describeObstacle(obstacle)}`,
    'This start continues without one, and changes nothing. Correct that before a newer release of TimeTracker migrates the database.',
  ];
}

/** @param size bytes that went to standard output */
export function describeStreamed(size: number): string {
  return `Backup: ${formatBytes(size)} written to standard output. To see whether the file is whole, run \`backup verify\` where it is.`;
}

/** Why the archive could not be written to the stream. */
export const readerGone = 'the program that reads the archive has ended';

/** Why a backup could not be made, as a sentence. */
export function describeObstacle(obstacle: BackupObstacle): string {
  switch (obstacle.kind) {
    case 'folder':
      return `The backup folder ${obstacle.folder} cannot be used: ${obstacle.reason}.`;
    case 'no-space': {
      const [needed, free] = [obstacle.needed, obstacle.free].map(formatBytes);
      return `There is too little free space in ${obstacle.folder}: ${needed} may be needed, ${free} are free.`;
    }
    case 'no-tool': {
      const { tool, major, found } = obstacle;
      const others = found.length === 0 ? 'there is none here' : `there is only ${tool} ${found.join(', ')} here`;
      return `PostgreSQL ${major} needs ${tool} ${major} or newer: ${others}.`;
    }
    case 'not-proven':
      return `The archive was read again after it was written, and is not whole: ${obstacle.reason}.`;
    case 'failed':
      return `The reason: ${obstacle.reason}.`;
  }
}

/**
 * What the backup lacks, or the next one will: a folder that no volume is mounted at.
 * @param occasion a backup with the uploads, or the gate, which changes the database alone
 */
export function describeAbsentUploads(
  { folder, rows, why }: AbsentUploads,
  commands: Commands,
  occasion: 'backup' | 'gate',
): readonly string[] {
  const files = `${rows} uploaded ${rows === 1 ? 'file' : 'files'}`;
  if (why === 'not-mounted') {
    return [
      `${folder} is not a volume: ${files} of the database will be gone with this container.`,
      `Mount a volume at ${folder}, in the application's service and in db-init's.`,
    ];
  }
  const state = why === 'missing' ? 'is not there' : 'holds no file';
  const lacking = occasion === 'backup' ? 'THE BACKUP LACKS' : 'DB-INIT CANNOT SEE';
  const atLast = occasion === 'backup' ? 'put them back and make the backup again' : 'and put them back';
  return [
    `${lacking} ${files.toUpperCase()}: the database has their names, and ${folder} ${state} here.`,
    `If the application has no volume there, they are in its container, and are deleted with it. Save them first, then mount one volume at ${folder} for both, ${atLast}.`,
    ...[commands.saveFolder(folder)].filter((command) => command !== ''),
  ];
}

/** Warns while the backup is made: a restore needs another image than this one. */
export function describeUnknownRevisions(unknown: readonly string[]): string {
  return (
    `This image cannot restore the backup: it does not know the revision ${unknown.join(', ')} of the database, which a ` +
    'newer release of TimeTracker made. Keep the image of db-init that belongs to that release, or a newer one, for the restore.'
  );
}

/** Why the backups that are there could not be listed, or the older ones not removed. */
export function describeBackupFolderProblem(
  problem: Extract<Problem, { kind: 'backups-not-listed' | 'backups-not-pruned' }>,
  commands: Commands,
): Notice {
  const { folder, reason } = problem;
  switch (problem.kind) {
    case 'backups-not-listed':
      return {
        title: `The backups cannot be listed: ${folder}`,
        happened: [`${capitalize(reason)}.`],
        safe: 'nothing was changed.',
        options: [`Correct that, then list them again.\n${commands.backups}`],
      };
    case 'backups-not-pruned':
      return {
        title: `Older backups were not removed: ${folder}`,
        happened: [
          problem.why === 'not-whole'
            ? `The newest backup, ${problem.path}, is not whole: ${reason}.`
            : `${problem.path} cannot be removed: ${reason}.`,
        ],
        safe: 'the database is as it was. Backups that were removed are named above; all others are still there.',
        options: [`Make a new backup, then remove older ones.\n${commands.backup}`],
      };
  }
}

/** Why a backup cannot be made, without a full stop. */
export const backupReasons = {
  noDatabaseFile: (file: string): string =>
    `there is no file ${file}: look at DATABASE_URL, and whether its volume is mounted`,
  noVolume: 'it is not there: no volume is mounted',
  noFolder: (path: string): string => `${path} is not a folder`,
  fileExists: (file: string): string => `${file} was created by another program meanwhile, and is not overwritten`,
  unreadable: (path: string, reason: string): string => `${path} cannot be read (${reason})`,
} as const;

const skipReasons = {
  deleted: 'it was deleted while the backup was running',
  'symbolic-link': 'it is a symbolic link',
  'special-file': 'it is neither a file nor a folder',
  'not-utf8': 'its name is not UTF-8',
  'no-file': 'it is no file any more',
} as const satisfies Record<Extract<SkipReason, string>, string>;

/** What the log says while a backup is made, and about the backups that are removed after it. */
export const backupMessages = {
  making: (database: string, folder: string): string => `Making a backup of ${database} in ${folder}.`,
  streaming: (database: string): string => `Writing a backup of ${database} to standard output.`,
  made: (path: string, size: number): string => `Backup: ${path} (${formatBytes(size)}), read back and found whole.`,
  holds: (tables: number, rows: number, files: number): string =>
    `It holds ${count(tables, 'table')} with ${count(rows, 'row')}, and ${count(files, 'uploaded file')}.`,
  emptyDatabase: 'The database is empty: the backup contains no rows.',
  noRevisions: 'The database has no version information (alembic_version).',
  noUploads: (folder: string): string => `No uploads from ${folder}: there is no such folder here.`,
  uploadsUnknown: (reason: string): string => `Whether the backup has all uploaded files is not known: ${reason}.`,
  volumesUnknown: (reason: string): string => `Whether all uploaded files are on a volume is not known: ${reason}.`,
  skipped: (path: string, why: SkipReason): string =>
    `Not in the backup: ${path}: ${typeof why === 'string' ? skipReasons[why] : reasonOfName(why.name, why.defect)}.`,
  moreSkipped: (more: number): string => `Not in the backup: ${more} more.`,
  damagedSibling: (path: string, reason: string): string =>
    `An older backup of the same content is not whole (${path}): ${reason}.`,
  beyondLimits: (fault: Extract<ArchiveFault, { kind: 'too-large' }>): string =>
    `A restore refuses this backup as it is set up now: ${reasonOfFault(fault)}. To restore it, raise ` +
    `${limitVariables[fault.exceeded.kind]} there: it is your own backup.`,
  removed: (path: string): string => `Removed: ${path}.`,
  removedOlder: (path: string): string => `Removed an older backup: ${path}.`,
  notRemoved: (reason: string): string => `Older backups could not be removed: ${reason}.`,
  pruned: (removed: number, kept: number, { database, folder }: { database: string; folder: string }): string =>
    `${count(removed, 'backup')} of ${database} removed from ${folder}, ${kept} kept.`,
};

/** The same of the backup before a change. */
export const safetyBackupMessages = {
  making: (folder: string): string => `Making a safety backup in ${folder}.`,
  made(path: string, size: number, { repeated }: { repeated: boolean }): string {
    const again = repeated ? 'of an earlier start; nothing has changed since, ' : '';
    return `Safety backup: ${path} (${formatBytes(size)}), ${again}read back and found whole.`;
  },
  notMade: (obstacle: BackupObstacle): string => `No safety backup was made: ${describeObstacle(obstacle)}`,
  goingOn: 'Continuing without one: TT_BACKUP_BEFORE_MIGRATE=always would stop here.',
  removedOlder: (path: string): string => `Removed an older safety backup: ${path}.`,
  notRemoved: (reason: string): string => `Older safety backups could not be removed: ${reason}.`,
};

interface ScheduleFacts {
  readonly database: string;
  readonly cron: string;
  /** Null if the variable TZ names none that is known. */
  readonly timeZone: string | null;
  readonly keep: number | null;
}

/** What a scheduler says when it starts. */
export function describeSchedule({ database, cron, timeZone, keep }: ScheduleFacts): string {
  const kept =
    keep === null ? 'all are kept' : `the newest ${count(keep, 'backup')} of it ${keep === 1 ? 'is' : 'are'} kept`;
  const zone =
    timeZone === null
      ? `in local time (UTC${utcOffset(new Date()).replace('Z', '')}), because TZ names no time zone that is known here`
      : `in the time zone ${timeZone}`;
  return `Backups of ${database} at "${cron}" ${zone}; ${kept}.`;
}

export function describeSchedulerEvent(event: SchedulerEvent): string {
  switch (event.kind) {
    case 'missed':
      return `The backup of ${zonedTime(event.due)} was not made: it is made now.`;
    case 'waiting':
      return `The next backup is made at ${zonedTime(event.next)}.`;
    case 'failed':
      return `The backup failed (exit code ${event.exitCode}); the reason is above. The next backup is made at its usual time.`;
  }
}

/** What the health check finds, as a line. */
export function describeHealth(health: Health): string {
  switch (health.kind) {
    case 'healthy': {
      const { next, last } = health.state;
      const before = last === null ? '' : ` The last one succeeded at ${zonedTime(last.at)}.`;
      return `${next === null ? 'A backup is being made.' : `The next backup is made at ${zonedTime(next)}.`}${before}\n`;
    }
    case 'absent':
      return 'No scheduler of backups runs here.\n';
    case 'overdue':
      return `The scheduler has not made the backup of ${zonedTime(health.due)}: restart it.\n`;
    case 'failed':
      return `The last backup failed at ${zonedTime(health.at)} (exit code ${health.exitCode}): its log says why.\n`;
  }
}

/** Why a line is no schedule, in clauses. */
export const scheduleFaults = {
  fields: (found: number): string => `it has ${count(found, 'field')} instead of 5`,
  /** @param reason of the library, which begins with its own name */
  misread: (reason: string): string => reason.replace(/^CronPattern: /, ''),
  noDay: 'there is no such day',
} as const;

export function unfitSchedule(cron: string, reason: string): string {
  return (
    `--cron "${cron}" is not a schedule: ${reason.replace(/\.$/, '')}. A line has five fields: minute, hour, day, month, ` +
    'weekday. "30 3 * * *" is every night at half past three, "0 */6 * * *" every six hours.'
  );
}

/** Why no backup is made. @param made when the newest was made */
export function describeMadeSince(path: string, made: Date): string {
  return `A backup was made at ${zonedTime(made)}, no other is needed: ${path}.`;
}

export const unfitSince = '--since wants a time with its zone, such as 2026-11-23T03:30:00Z.';
