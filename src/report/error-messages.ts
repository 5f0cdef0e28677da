import type { Problem, WantedRun } from '../errors/failure.ts';
import { printableSql } from '../platform/printable.ts';
import { listRows } from './adoption-text.ts';
import { capitalize, untouched } from './next-steps.ts';
import { describeFailedBackup, describeUntidyBackups } from './backup-text.ts';
import type { Notice } from './banner.ts';
import { describeCauseOf } from './cause-text.ts';
import { type Commands, type CommandSettings, commandsFor, databaseWord, folderOf } from './commands.ts';
import { describeQuarantineObstacle } from './quarantine-text.ts';
import { describeRejection } from './archive-text.ts';
import type { RunRecord } from './run-record.ts';
import { describeOnceRefusal } from './run-once-text.ts';
import { describeResetObstacle } from './reset-text.ts';
import { describeRestoreObstacle } from './restore-text.ts';
import { quoteName } from './sql-name.ts';
import { describeSeedRefusal } from './seed-text.ts';
import { describeRefusal, forcedAdoption, unreadable } from './refusals.ts';
import { describeFailedMigration, describeFailedWork, describeVerdict, listDifferences } from './outcome-messages.ts';

/** The one place where problems become sentences. */
export function describeProblem(problem: Problem, commands: Commands): Notice {
  const described = describe(problem, commands);
  const notice = { ...described, options: described.options.map((option) => withVariables(option, commands)) };
  return commands.note === null ? notice : { ...notice, note: commands.note };
}

/** Who starts containers by a surface alone has no shell: what commands do there, a variable and a start do as well. */
function withVariables(option: string, commands: Commands): string {
  const line = commands.withoutShell(option.split('\n').filter((each) => each.startsWith('  ')));
  return line === '' ? option : `${option}\n${line}`;
}

const nowhere: CommandSettings = {
  commandPrefix: 'db-init',
  services: { application: ['app'], database: null },
  database: null,
  backupFolder: '',
  uploadRoots: [],
};

/** What happened alone, for a sentence about something else that failed because of it. */
export function describeCause(problem: Problem): Pick<Notice, 'title' | 'happened'> {
  return describe(problem, commandsFor(nowhere));
}

function describe(problem: Problem, commands: Commands): Notice {
  switch (problem.kind) {
    case 'usage':
      return {
        title: 'This command cannot be run',
        happened: [problem.message],
        safe: untouched,
        options: [
          problem.command === undefined
            ? `See which commands and options there are.\n${commands.help}`
            : wantedRun(problem.command, commands),
        ],
      };
    case 'declined':
      return { title: declined, happened: [], safe: untouched, options: [] };
    case 'configuration':
      return {
        title: 'The configuration cannot be used',
        happened: problem.faults.map(({ variable, problem: text }) => `- ${variable}: ${text}`),
        safe: 'nothing was connected to, nothing was changed.',
        options: [
          `Correct the variables above where they are set${commands.compose ? ' (.env, the compose file)' : ''}, then start again.\n${commands.gate}`,
          `See what every variable means.\n${commands.run('help', 'settings')}`,
        ],
      };
    case 'unsupported-server':
      return {
        title: `PostgreSQL ${problem.version} is too old`,
        happened: ['db-init needs PostgreSQL 13 or newer; TimeTracker itself is published for PostgreSQL 16.'],
        safe: untouched,
        options: [
          'Dump the database with the old server, then read the dump into a newer one. Do not just raise the image tag: ' +
            `a newer server does not read the data directory of an older one.\n${commands.dump}`,
        ],
      };
    case 'unfit-encoding':
      return {
        title: `The encoding of the database lacks signs that TimeTracker needs: ${problem.database}`,
        happened: [
          `The database is encoded in ${problem.encoding}. The first rows of a new schema hold signs (✈️) that only UTF8 ` +
            "has; the application's own migrations would fail there, too.",
        ],
        safe: untouched,
        options: [
          `If this one holds rows that you want to keep, make a backup before.\n${commands.backup}`,
          [
            'Create a database in UTF8, give its name in DATABASE_URL, then start again.',
            commands.client('createdb', utf8Database(commands.databaseName)),
            commands.gate,
          ].join('\n'),
          `Restore the backup into the new one; FILE is a name that the list shows.\n${commands.backups}\n${commands.restore}`,
        ],
      };
    case 'transaction-pooler':
      return {
        title: 'The database is reached through a transaction-mode pooler',
        happened: [
          'The server session changes between two statements, so something like PgBouncer in transaction mode stands ' +
            'between db-init and PostgreSQL. The lock that keeps two runs apart would not hold there.',
        ],
        safe: untouched,
        options: ["Give db-init the server's own address in DATABASE_URL; the application may keep the pooler's."],
      };
    case 'network-file-system':
      return {
        title: `The SQLite file would lie on ${problem.fileSystem}`,
        happened: [
          `${problem.path} is a network file system. The file locks that SQLite relies on are not dependable there: ` +
            'two writers can destroy the database.',
        ],
        safe: untouched,
        options: [
          'Put the data on a local disk or a Docker volume.',
          'Use PostgreSQL.',
          'If you are certain that locks work there and that one machine alone uses the file, set TT_ALLOW_NETWORK_FS=true.',
        ],
      };
    case 'unreachable':
      return {
        title: `The database cannot be reached: ${problem.database}`,
        happened: [`No connection within ${problem.seconds} seconds. The last reason: ${problem.reason}.`],
        safe: 'nothing was changed.',
        options: (problem.full === true ? describeCauseOf({ kind: 'connections' }, commands).options : undefined) ?? [
          `Look whether the database runs, and what it says.\n${commands.serverState}\n${commands.serverLog}`,
          'Compare host and port in DATABASE_URL with those of the server' +
            (commands.compose ? ': within compose the host is the name of the service.' : '.'),
          'A slow disk or a long crash recovery needs more time: set TT_WAIT_TIMEOUT (seconds).',
        ],
      };
    case 'connection-lost':
      return {
        title: `The connection was lost: ${problem.database}`,
        happened: [`${capitalize(problem.reason)}.`],
        safe: 'what was not committed was rolled back by the server.',
        options: [
          `Start again: the database is looked at anew.\n${commands.gate}`,
          `Look whether the database runs, and what it says of it.\n${commands.serverState}\n${commands.serverLog}`,
        ],
      };
    case 'closed-database':
      return describeClosed(problem, commands);
    case 'no-such-database':
      return {
        title: `There is no database called ${problem.name}`,
        happened: [`The server of ${problem.database} answers, but it has no database of that name.`],
        safe: 'nothing was changed.',
        options: [
          'Compare the name at the end of DATABASE_URL with POSTGRES_DB of the database service.',
          `Create it, if it was never there, then start again.\n${commands.client('createdb', [problem.name])}\n${commands.gate}`,
          'POSTGRES_DB only counts while the database volume is empty: later changes have no effect.',
        ],
      };
    case 'access-denied':
      return {
        title: `Access denied: ${problem.database}`,
        happened: [`${capitalize(problem.reason)}.`],
        safe: 'nothing was changed.',
        options: [
          'Compare user and password in DATABASE_URL with POSTGRES_USER and POSTGRES_PASSWORD of the database service.',
          'POSTGRES_PASSWORD only counts while the database volume is empty. To change the password later:\n' +
            commands.client('psql', ['-c', String.raw`\password`, databaseWord({ database: commands.databaseName })]),
          'If the reason speaks of TLS or certificates, look at sslmode and sslrootcert in DATABASE_URL.',
        ],
      };
    case 'file-access-denied':
      return {
        title: `The SQLite file cannot be written: ${problem.file}`,
        happened: [`This process (${problem.user}) may not write there: ${problem.reason}.`],
        safe: 'nothing was changed.',
        options: [
          'Give the folder of the file, and the file, to the user that TimeTracker and db-init run as.\n' +
            commands.give(folderOf(problem.file)),
          'Or run both as the owner of the files' +
            (commands.compose ? ': `user: "uid:gid"` in the compose file.' : '.'),
          'If the folder is mounted read-only (`:ro`), remove that.',
        ],
      };
    case 'missing-rights':
      return {
        title: `The database user may not do what is needed: ${problem.database}`,
        happened: problem.rights.map(({ action }) => `- It may not ${action}.`),
        safe: untouched,
        options: [
          'Let a superuser or the owner of the database run this in that database, then start again.\n' +
            problem.rights.map(({ remedy }) => `  ${printableSql(remedy)}`).join('\n'),
        ],
      };
    case 'broken-indexes':
      return {
        title: `Indexes are broken: ${problem.database}`,
        happened: [
          'These unique indexes are not in the order in which the server sorts now. They miss rows, and let in twice what ' +
            'may be there once. The reason is a newer image of the server as a rule, whose rules of sorting are others, or ' +
            'else a damaged disk.',
          ...problem.indexes.map(({ name, table, reason }) => `- ${name} of ${table}: ${reason}`),
        ],
        safe: untouched,
        options: [
          'Stop the application, build them anew, and start again. If one cannot be built because a value is there twice, the ' +
            'message names it: change or delete one of these rows first.\n' +
            [commands.stop, ...problem.indexes.map(({ remedy }) => commands.sql(remedy)), commands.gate].join('\n'),
          `Save what is there before that.\n${commands.dump}`,
        ],
      };
    case 'locked':
      return {
        title: 'Another run holds the lock',
        happened: [`Waited ${problem.seconds} seconds for: ${problem.holder.description}.`],
        safe: 'the other run goes on; this one changed nothing.',
        options: [
          `Let it finish, then start again.\n${commands.gate}`,
          'A migration of a very large database may need longer: set TT_LOCK_TIMEOUT (seconds).',
          'If that run is stuck, end it: the lock ends with it, and what it had begun is rolled back, or settled by the next start.',
          'A run that was stopped (a paused container, SIGSTOP) holds its lock: let it go on, or end it.',
        ],
      };
    case 'unreadable':
      return unreadable(problem.database, problem.reason, commands, problem.sideFile);
    case 'refused':
      return describeRefusal(problem.database, problem.refusal, commands);
    case 'adoption-refused':
      return {
        title: `The schema is not that of ${listRows(problem.revisions)}: ${problem.database}`,
        happened: ['Compared with it, this is missing or different:', ...listDifferences(problem.mismatches)],
        safe: untouched,
        options: [
          `Let the revision be found by the schema.\n${commands.adopt} --dry-run`,
          'Put right by hand what is missing or different, then start again.',
          `Stamp it all the same, after a backup: later revisions may fail, and what is missing stays missing.
${commands.backup}
${forcedAdoption(problem.revisions, commands)}`,
        ],
      };
    case 'migration-failed':
      return describeFailedMigration(problem.failed, problem.cause, commands);
    case 'database-failed':
      return describeFailedWork(problem, commands);
    case 'verification-failed':
      return describeVerdict(problem.database, problem.verdict, commands);
    case 'backup-failed':
      return describeFailedBackup(problem, commands);
    case 'backups-not-listed':
    case 'backups-not-pruned':
      return describeUntidyBackups(problem, commands);
    case 'archive-rejected':
      return describeRejection(problem.archive, problem.fault, problem.atStart === true, commands);
    case 'restore-refused':
      return describeRestoreObstacle(problem.database, problem.obstacle, commands);
    case 'quarantine-refused':
      return describeQuarantineObstacle(problem.database, problem.obstacle, commands);
    case 'reset-refused':
      return describeResetObstacle(problem.database, problem.obstacle, commands);
    case 'seed-refused':
      return describeSeedRefusal(problem.database, problem.state, commands);
    case 'run-once-refused':
      return describeOnceRefusal(problem, commands);
    case 'interrupted':
      return {
        title: 'Interrupted',
        happened: [`The run was stopped by ${problem.signal}.`],
        safe: 'what was not finished was rolled back.',
        options: [`Start again when it suits you.\n${commands.gate}`],
      };
  }
}

/** What is said to somebody who answered no; that is no error, and gets no banner. */
const declined = 'Nothing was changed: consent was not given.';

/** What a person is told who was asked and did not agree: a sentence, for nothing went wrong. */
export function describeDeclined({ committed, exchange }: Pick<RunRecord, 'committed' | 'exchange'>): string {
  // a restore that did not finish may have been settled before the question
  const before = committed !== null || exchange !== null;
  return `${before ? 'Consent was not given: what was asked about was not done.' : declined}\n`;
}

/** Said at a second Ctrl-C, which ends the process wherever it is. */
export const stoppedAtOnce =
  '\nStopped at once. What was not committed is rolled back by the server, or by the next start, which also finishes ' +
  'or takes back a restore that was under way.\n';

/** The run that does what was wanted, as an option. */
function wantedRun({ words, variable }: WantedRun, commands: Commands): string {
  const command =
    variable === undefined ? commands.run(...words) : commands.runWith(variable.name, variable.value, ...words);
  return `If that is what you want, say so.\n${command}`;
}

/** C.UTF-8 is everywhere where our images are; the new name keeps both databases. */
function utf8Database(name: string): readonly string[] {
  return ['-T', 'template0', '-E', 'UTF8', '--locale', 'C.UTF-8', `${name}_utf8`];
}

/** A database that somebody began to drop: nothing brings it back, and only its name is in the way. */
function describeDropped(
  { database, name, beside, journal }: Extract<Problem, { kind: 'closed-database' }>,
  commands: Commands,
): Notice {
  const drop = printableSql(`DROP DATABASE ${quoteName(name)}`);
  const kept = beside.filter((other) => other.includes('_before_'));
  return {
    title: `A DROP DATABASE of it was cut off: ${database}`,
    happened: [
      `Somebody began to drop ${name}, and the server marked it as gone (pg_database.datconnlimit = -2) before it was done: ` +
        'parts of its files are missing, and it lets nobody in. It can only be dropped.',
      ...(journal === null ? [] : [`The journal of a restore, ${journal}, cannot be read.`]),
      ...(kept.length === 0 ? [] : [`Beside it lies what restores have kept: ${kept.join(', ')}.`]),
    ],
    safe: untouched,
    options: [
      `Finish the drop, make the database anew, and restore a backup into it.\n` +
        `${commands.client('psql', ['-c', drop, 'postgres'])}\n${commands.client('createdb', [name])}\n${commands.backups}\n${commands.restore}`,
      ...kept.map((former) => {
        const rename = printableSql(`ALTER DATABASE ${quoteName(former)} RENAME TO ${quoteName(name)}`);
        return (
          `Or have ${former} take its place: what was live before a restore.\n` +
          `${commands.client('psql', ['-c', drop, '-c', rename, 'postgres'])}\n${commands.gate}`
        );
      }),
    ],
  };
}

function describeClosed(problem: Extract<Problem, { kind: 'closed-database' }>, commands: Commands): Notice {
  const { database, name, reason, beside, journal, dropped } = problem;
  if (dropped) return describeDropped(problem, commands);
  const statement = printableSql(`ALTER DATABASE ${quoteName(name)} ALLOW_CONNECTIONS true`);
  const list = beside.join(', ');
  return {
    title: `The database lets nobody in: ${database}`,
    happened: [
      `The database ${name} is there, but the server lets nobody connect to it (${reason}).`,
      ...(journal === null ? [] : [`The journal of a restore, ${journal}, cannot be read.`]),
      beside.length === 0
        ? 'No other database of a restore lies beside it.'
        : `Beside it lies what restores have made or kept: ${list}. A restore that was killed may have closed ${name}.`,
    ],
    safe: untouched,
    options: [
      `Open it again, as its owner or as a superuser, then start again.\n${commands.client('psql', ['-c', statement, 'postgres'])}\n${commands.gate}`,
      ...(beside.length === 0
        ? []
        : [
            `Look first which one is the right one: a name with _before_ is what was there before a restore, one with _restore_ ` +
              'what a restore was making, perhaps not complete. Drop none before you know.',
          ]),
      ...(journal === null
        ? []
        : [`Once the right database bears the name ${name} and is open, move ${journal} away.`]),
    ],
  };
}
