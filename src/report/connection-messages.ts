import type { Describers } from './by-kind.ts';
import { quoteName } from '../platform/sql-quoting.ts';
import type { DataVolume } from '../platform/data-volume.ts';
import type { SideFileFault } from '../model/state.ts';
import { restoreOption, capitalize, untouched } from './next-steps.ts';
import type { Notice } from './banner.ts';
import { type Commands, databaseWord, folderOf } from './commands.ts';
import { shellWord } from './shell-quoting.ts';
import type { Problem } from '../errors/failure.ts';
import { printableSql } from '../platform/printable.ts';
import { describeCauseOf } from './causes.ts';

/** Log lines while a run waits for the server or a lock, or before it tries again. */
export const waitingMessages = {
  server: (reason: string, secondsLeft: number): string =>
    `Waiting for the database, ${secondsLeft} s at most: ${reason}.`,
  otherRun: (holder: string, secondsLeft: number): string =>
    `Waiting for another run, ${secondsLeft} s at most: ${holder}.`,
  /** @param what who has the lock of restores @param holder more of them, where it is known */
  restore: (what: string, secondsLeft: number, holder?: string): string =>
    `Waiting for ${what}, ${secondsLeft} s at most${holder === undefined ? '' : `: ${holder}`}.`,
  retry: (reason: string): string => `Trying again: ${reason}.`,
};

/** Of several servers in an address, the one that a run works on. */
export function describeSelectedServer(database: string): string {
  return `Of the servers in the address, this run works on ${database}.`;
}

/** Where a volume of the server is mounted for db-init to look at. */
export const dataVolume = '/db-data';

/**
 * What the volume of a server says that does not come up.
 * @param majors of PostgreSQL's client programs that are here
 */
export function describeDataVolume(found: DataVolume, majors: readonly number[]): readonly string[] {
  switch (found.kind) {
    case 'not-mounted':
      return [];
    case 'empty':
      return [
        `The volume at ${dataVolume} is empty: a server that starts on it makes a new, empty database. If there should be data, another volume holds it.`,
      ];
    case 'unreadable':
      return [
        `${[dataVolume, found.path].filter((part) => part !== '').join('/')} cannot be read (${found.code}): the data of a server belongs to ` +
          'the server alone. Let root look: docker compose run --user 0 --cap-add DAC_READ_SEARCH, with the same mount.',
      ];
    case 'foreign':
      return [
        `The volume at ${dataVolume} holds no data of PostgreSQL (no PG_VERSION), but ${found.names.join(', ')}: another volume or folder is mounted.`,
      ];
    case 'data':
      return describeData(found, majors);
  }
}

function describeData(
  { major, path }: Extract<DataVolume, { kind: 'data' }>,
  majors: readonly number[],
): readonly string[] {
  const newest = Math.max(0, ...majors);
  const place = /^\d+\/docker$/.test(path) ? '/var/lib/postgresql' : '/var/lib/postgresql/data';
  return [
    `The volume at ${dataVolume} holds the data of PostgreSQL ${major}${path === '' ? '' : ` (in ${path})`}: only a server of this major ` +
      `reads it. The service db needs an image of it, such as postgres:${major}-alpine, with the volume at ${place}. The next major: docs/runbooks/next-major.md.`,
    ...(major > newest
      ? [
          newest === 0
            ? 'There are no client programs of PostgreSQL here: a backup is not possible from here.'
            : `The newest client programs here are those of ${newest}: a newer image of db-init is needed for backups of it.`,
        ]
      : []),
  ];
}

const names = { '-wal': 'write-ahead log', '-journal': 'rollback journal' } as const;

/** Why a SQLite file is not opened: the log beside it does not belong to it. */
export function describeStaleSideFile(file: string, fault: SideFileFault, commands: Commands): Notice {
  const log = file + fault.side;
  const logs = [log, ...(fault.side === '-wal' ? [`${file}-shm`] : [])];
  const move = logs.map(
    (path) => `if [ -e ${shellWord(path)} ]; then mv ${shellWord(path)} ${shellWord(`${path}.stale`)}; fi`,
  );
  return {
    title: `A ${names[fault.side]} that is not its own lies beside the database: ${file}`,
    happened: [
      `SQLite would write ${log} into ${file} at the first access, and that would spoil it: ${whatIsWrong(fault)}.`,
      'It is probably left of another copy of the database: one that lay here before, or one that this file was copied over.',
    ],
    safe: 'the file and what lies beside it are unchanged, to the byte.',
    options: [
      `Stop the application, move the ${names[fault.side]} away, then start again.\n${commands.stop}\n${commands.script(move.join('; '))}\n${commands.gate}`,
      `If the file was copied while the application wrote to it, copy it again with the application stopped, and ${fault.side} with it.`,
      restoreOption('Or move it away as above, and restore a backup', commands),
    ],
  };
}

function whatIsWrong(fault: SideFileFault): string {
  switch (fault.kind) {
    case 'mismatch':
      return fault.reason;
    case 'damages':
      return `the result is damaged (${fault.reason})`;
    case 'loses':
      return `the result has lost ${fault.tables.join(', ')}`;
  }
}

/** That a transaction that was cut off is recovered, and where the files from before are. */
export function describeKeptCopies(file: string, folder: string): string {
  return `A transaction that was cut off waits beside ${file}: SQLite recovers it now. The files as they were are kept in ${folder}, those of the last two times`;
}

type Table = Describers<Problem, Commands, Notice>;

/** The server or the database cannot be used as it is. */
const unfitDatabases = {
  'unsupported-server': (problem, commands) => ({
    title: `PostgreSQL ${problem.version} is too old`,
    happened: ['db-init needs PostgreSQL 13 or newer; TimeTracker itself is published for PostgreSQL 16.'],
    safe: untouched,
    options: [
      'Dump the database with the old server, then read the dump into a newer one. Do not just raise the image tag: ' +
        `a newer server does not read the data directory of an older one.\n${commands.dump}`,
    ],
  }),
  'unfit-encoding': (problem, commands) => ({
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
  }),
  'transaction-pooler': () => ({
    title: 'The database is reached through a transaction-mode pooler',
    happened: [
      'The server session changes between two statements, so something like PgBouncer in transaction mode stands ' +
        'between db-init and PostgreSQL. The lock that keeps two runs apart would not hold there.',
    ],
    safe: untouched,
    options: ["Give db-init the server's own address in DATABASE_URL; the application may keep the pooler's."],
  }),
  'network-file-system': (problem) => ({
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
  }),
  'broken-indexes': (problem, commands) => ({
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
  }),
} satisfies Partial<Table>;

/** There is no connection. */
const unreachableDatabases = {
  unreachable: (problem, commands) => ({
    title: `The database cannot be reached: ${problem.database}`,
    happened: [`No connection within ${problem.seconds} seconds. The last reason: ${problem.reason}.`],
    safe: 'nothing was changed.',
    options: (problem.full === true ? describeCauseOf({ kind: 'connections' }, commands).options : undefined) ?? [
      `Look whether the database runs, and what it says.\n${commands.serverState}\n${commands.serverLog}`,
      'Compare host and port in DATABASE_URL with those of the server' +
        (commands.compose ? ': within compose the host is the name of the service.' : '.'),
      'A slow disk or a long crash recovery needs more time: set TT_WAIT_TIMEOUT (seconds).',
    ],
  }),
  'connection-lost': (problem, commands) => ({
    title: `The connection was lost: ${problem.database}`,
    happened: [`${capitalize(problem.reason)}.`],
    safe: 'what was not committed was rolled back by the server.',
    options: [
      `Start again: the database is looked at anew.\n${commands.gate}`,
      `Look whether the database runs, and what it says of it.\n${commands.serverState}\n${commands.serverLog}`,
    ],
  }),
  'closed-database': (problem, commands) => describeClosed(problem, commands),
  'no-such-database': (problem, commands) => ({
    title: `There is no database called ${problem.name}`,
    happened: [`The server of ${problem.database} answers, but it has no database of that name.`],
    safe: 'nothing was changed.',
    options: [
      'Compare the name at the end of DATABASE_URL with POSTGRES_DB of the database service.',
      `Create it, if it was never there, then start again.\n${commands.client('createdb', [problem.name])}\n${commands.gate}`,
      'POSTGRES_DB only counts while the database volume is empty: later changes have no effect.',
    ],
  }),
} satisfies Partial<Table>;

/** The database user may not do what is needed, or another run is at work. */
const deniedAccess = {
  'access-denied': (problem, commands) => ({
    title: `Access denied: ${problem.database}`,
    happened: [`${capitalize(problem.reason)}.`],
    safe: 'nothing was changed.',
    options: [
      'Compare user and password in DATABASE_URL with POSTGRES_USER and POSTGRES_PASSWORD of the database service.',
      'POSTGRES_PASSWORD only counts while the database volume is empty. To change the password later:\n' +
        commands.client('psql', ['-c', String.raw`\password`, databaseWord({ database: commands.databaseName })]),
      'If the reason speaks of TLS or certificates, look at sslmode and sslrootcert in DATABASE_URL.',
    ],
  }),
  'file-access-denied': (problem, commands) => ({
    title: `The SQLite file cannot be written: ${problem.file}`,
    happened: [`This process (${problem.user}) may not write there: ${problem.reason}.`],
    safe: 'nothing was changed.',
    options: [
      'Give the folder of the file, and the file, to the user that TimeTracker and db-init run as.\n' +
        commands.give(folderOf(problem.file)),
      'Or run both as the owner of the files' + (commands.compose ? ': `user: "uid:gid"` in the compose file.' : '.'),
      'If the folder is mounted read-only (`:ro`), remove that.',
    ],
  }),
  'missing-rights': (problem) => ({
    title: `The database user may not do what is needed: ${problem.database}`,
    happened: problem.rights.map(({ action }) => `- It may not ${action}.`),
    safe: untouched,
    options: [
      'Let a superuser or the owner of the database run this in that database, then start again.\n' +
        problem.rights.map(({ remedy }) => `  ${printableSql(remedy)}`).join('\n'),
    ],
  }),
  locked: (problem, commands) => ({
    title: 'Another run holds the lock',
    happened: [`Waited ${problem.seconds} seconds for: ${problem.holder.description}.`],
    safe: 'the other run goes on; this one changed nothing.',
    options: [
      `Let it finish, then start again.\n${commands.gate}`,
      'A migration of a very large database may need longer: set TT_LOCK_TIMEOUT (seconds).',
      'If that run is stuck, end it: the lock ends with it, and what it had begun is rolled back, or settled by the next start.',
      'A run that was stopped (a paused container, SIGSTOP) holds its lock: let it go on, or end it.',
    ],
  }),
} satisfies Partial<Table>;

/** Why the database was not reached, does not admit this user, or was found unfit before anything was read. */
export const connectionProblems = { ...unfitDatabases, ...unreachableDatabases, ...deniedAccess };

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
