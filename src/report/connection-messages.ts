import type { Describers } from './by-kind.ts';
import { quoteName } from '../platform/sql-quoting.ts';
import type { DataVolume } from '../platform/data-volume.ts';
import type { RefusedAction } from '../model/database-facts.ts';
import type { SideFileFault } from '../model/state.ts';
import { restoreOption, capitalize, isReadOnly, untouched } from './next-steps.ts';
import type { Notice } from './banner.ts';
import { type Commands, folderOf } from './commands.ts';
import { shellWord } from './shell-quoting.ts';
import type { Problem } from '../errors/failure.ts';
import { printableSql } from '../platform/printable.ts';
import { describeCauseOf } from './causes.ts';
import { count } from './format.ts';
import { listSessions } from './quarantine-messages.ts';
import { detailOf } from './attachments.ts';
import { reasonOfSideFile } from './sqlite-reasons.ts';

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
        `The volume at ${dataVolume} is empty. A server that starts on it creates a new, empty database. If you expect data, it is on another volume.`,
      ];
    case 'unreadable':
      return [
        `${[dataVolume, found.path].filter((part) => part !== '').join('/')} cannot be read (${found.code}): the data of a server belongs to ` +
          'the user of the server. Run it as root: docker compose run --user 0 --cap-add DAC_READ_SEARCH, with the same mount.',
      ];
    case 'foreign':
      return [
        `The volume at ${dataVolume} contains no data of PostgreSQL (no PG_VERSION), but ${found.names.join(', ')}. It is the wrong volume or folder.`,
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
    `The volume at ${dataVolume} contains the data of PostgreSQL ${major}${path === '' ? '' : ` (in ${path})`}. Only a server of this major ` +
      `version can read it: the service db needs an image such as postgres:${major}-alpine, with the volume at ${place}. To change to the next major version: docs/runbooks/next-major.md.`,
    ...(major > newest
      ? [
          newest === 0
            ? 'There are no client programs of PostgreSQL here, so db-init cannot make a backup.'
            : `The newest client programs here are those of PostgreSQL ${newest}. Use a newer image of db-init for backups.`,
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
    title: `The ${names[fault.side]} beside the database does not belong to it: ${file}`,
    happened: [
      `At the first access SQLite would apply ${log} to ${file} and damage it: ${reasonOfSideFile(fault)}.`,
      'It probably belongs to another copy of the database, which was here before or was overwritten by this file.',
    ],
    safe: 'the file and the files beside it are unchanged.',
    options: [
      `Stop the application, move the ${names[fault.side]} away, then start again.\n${commands.stop}\n${commands.script(move.join('; '))}\n${commands.gate}`,
      `If the file was copied while the application was running, stop the application and copy it again, together with its ${fault.side} file.`,
      restoreOption('Or move it away as above, and restore a backup', commands),
    ],
  };
}

type Table = Describers<Problem, Commands, Notice>;

/** The server or the database cannot be used as it is. */
const unfitDatabases = {
  'unsupported-server': (problem, commands) => ({
    title: `PostgreSQL ${problem.version} is too old`,
    happened: ['db-init needs PostgreSQL 13 or newer; TimeTracker itself is published for PostgreSQL 16.'],
    safe: untouched,
    options: [
      'Dump the database with the old server, then load the dump into a newer one. Do not only change the image tag: ' +
        `a newer server cannot read the data directory of an older one.\n${commands.dump}`,
    ],
  }),
  'unfit-encoding': (problem, commands) => ({
    title: `The encoding of the database lacks characters that TimeTracker needs: ${problem.database}`,
    happened: [
      `The encoding of the database is ${problem.encoding}. The first rows of a new schema contain characters (✈️) that only ` +
        "UTF8 has. The application's own migrations would fail as well.",
    ],
    safe: untouched,
    options: [
      `If this database contains rows that you want to keep, make a backup first.\n${commands.backup}`,
      [
        'Create a database in UTF8, set its name in DATABASE_URL, then start again.',
        commands.client('createdb', utf8Database(commands.databaseName)),
        commands.gate,
      ].join('\n'),
      `Restore the backup into the new database; FILE is a name from the list.\n${commands.backups}\n${commands.restore}`,
    ],
  }),
  'transaction-pooler': () => ({
    title: 'The database is reached through a transaction-mode pooler',
    happened: [
      'The server session changes between two statements, so a pooler such as PgBouncer in transaction mode is ' +
        'between db-init and PostgreSQL. The lock that prevents two runs at once does not work through it.',
    ],
    safe: untouched,
    options: [
      "Set DATABASE_URL of db-init to the address of the server itself. The application may keep the pooler's address.",
    ],
  }),
  'network-file-system': (problem) => ({
    title: `The SQLite file would be on ${problem.fileSystem}`,
    happened: [
      `${problem.path} is on a network file system. The file locks that SQLite needs are not reliable there: ` +
        'two writers can destroy the database.',
    ],
    safe: untouched,
    options: [
      'Put the data on a local disk or a Docker volume.',
      'Use PostgreSQL.',
      'If you are certain that locks work there and that only one machine uses the file, set TT_ALLOW_NETWORK_FS=true.',
    ],
  }),
  'broken-indexes': (problem, commands) => ({
    title: `Indexes are broken: ${problem.database}`,
    happened: [
      'These unique indexes are not sorted as the server sorts now. Queries miss rows, and duplicate values can be ' +
        'inserted. The usual reason is a newer image of the server with other sort rules. It can also be a damaged disk.',
      ...problem.indexes.map(({ name, table, reason }) => `- ${name} of ${table}: ${reason}`),
    ],
    safe: untouched,
    options: [
      'Stop the application, rebuild the indexes, and start again. If an index cannot be rebuilt because a value exists ' +
        'twice, the message names the value: change or delete one of these rows first.\n' +
        [commands.stop, ...problem.indexes.map(({ remedy }) => commands.sql(remedy)), commands.gate].join('\n'),
      `Before that, save the data.\n${commands.dump}`,
    ],
  }),
} satisfies Partial<Table>;

/** There is no connection. */
const unreachableDatabases = {
  unreachable: (problem, commands) => ({
    title: `The database cannot be reached: ${problem.database}`,
    happened: [`No connection within ${count(problem.seconds, 'second')}. The last reason: ${problem.reason}.`],
    safe: 'nothing was changed.',
    options: (problem.full === true
      ? describeCauseOf({ kind: 'connections' }, commands, commands.again()).options
      : undefined) ?? [
      `Check whether the database server is running, and read its log.\n${commands.serverState}\n${commands.serverLog}`,
      `Compare ${commands.variables.hostAndPort} with those of the server` +
        (commands.compose ? ': in compose the host is the name of the service.' : '.'),
      'If the server needs longer to start (slow disk, crash recovery), raise TT_WAIT_TIMEOUT (seconds).',
    ],
  }),
  'connection-lost': (problem, commands) => ({
    title: `The connection was lost: ${problem.database}`,
    happened: [`${capitalize(problem.reason)}.`],
    safe: 'what was not committed was rolled back by the server.',
    options: [
      `Start again: db-init then looks at the database again.\n${commands.again()}`,
      `Check whether the database server is running, and read its log.\n${commands.serverState}\n${commands.serverLog}`,
    ],
  }),
  'closed-database': (problem, commands) => describeClosed(problem, commands),
  'no-such-database': (problem, commands) => ({
    title: `There is no database called ${problem.name}`,
    happened: [`The server of ${problem.database} answers, but it has no database of that name.`],
    safe: 'nothing was changed.',
    options: [
      `Compare ${commands.variables.databaseName} with POSTGRES_DB of the database service.`,
      `If it never existed, create it, then start again.\n${commands.client('createdb', [problem.name])}\n${commands.gate}`,
      'The server reads POSTGRES_DB only while its volume is empty: later changes have no effect.',
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
      `Compare ${commands.variables.userAndPassword} with POSTGRES_USER and POSTGRES_PASSWORD of the database service.`,
      'The server reads POSTGRES_PASSWORD only while its volume is empty. To change the password later, as a superuser:\n' +
        commands.superuser('psql', ['-c', String.raw`\password ${quoteName(commands.user)}`, 'postgres']),
      `If the reason names TLS or a certificate, check ${commands.variables.tls}.`,
    ],
  }),
  'file-access-denied': (problem, commands) => ({
    title: `The SQLite file cannot be written: ${problem.file}`,
    happened: [`This process (${problem.user}) may not write there: ${problem.reason}.`],
    safe: 'nothing was changed.',
    // no user may write to a read-only volume
    options: isReadOnly(problem.reason)
      ? [`The volume or folder is mounted read-only (\`:ro\`): remove that, then start again.\n${commands.again()}`]
      : [
          'Give the folder of the file, and the file, to the user that TimeTracker and db-init run as, then start again.\n' +
            `${commands.give(folderOf(problem.file))}\n${commands.again()}`,
          'Or run both as the owner of the files' +
            (commands.compose ? ': `user: "uid:gid"` in the compose file.' : '.'),
        ],
  }),
  'state-folder-denied': (problem, commands) => ({
    title: `The folder with db-init's own files cannot be read: ${problem.folder}`,
    happened: [
      `It belongs to uid ${problem.owner}, and this process is ${problem.user}. Another user has run db-init before.`,
      'The journal of a restore may be in it, so db-init does not know whether a restore is unfinished.',
    ],
    safe: untouched,
    options: [
      `Give the folder to the user that db-init runs as, then try again.\n${commands.give(problem.folder)}`,
      `Or run db-init as uid ${problem.owner}` + (commands.compose ? ', with `user:` in the compose file.' : '.'),
    ],
  }),
  'missing-rights': (problem) => ({
    title: `The database user lacks rights: ${problem.database}`,
    happened: problem.rights.map(({ action }) => `- It may not ${describeAction(action)}.`),
    safe: untouched,
    options: [
      'Let a superuser or the owner of the database run this in the database, then start again.\n' +
        problem.rights.map(({ remedy }) => `  ${printableSql(remedy)}`).join('\n'),
    ],
  }),
  locked: (problem, commands) => ({
    title: 'Another run holds the lock',
    happened: [`Waited ${count(problem.seconds, 'second')} for: ${problem.holder.description}.`],
    safe: 'the other run continues. This one changed nothing.',
    options: [
      `Let it finish, then start again.\n${commands.again()}`,
      'A migration of a very large database may take longer: raise TT_LOCK_TIMEOUT (seconds).',
      'If that run hangs, end it. That releases the lock, and its unfinished work is rolled back, or finished by the next start.',
      'A paused run (a paused container, SIGSTOP) keeps its lock: let it continue, or end it.',
    ],
  }),
} satisfies Partial<Table>;

const purposes = { dump: 'dump the database', restore: 'restore', load: 'load the archive' } as const;

/** A refused action, as a clause after "It may not". */
function describeAction(action: RefusedAction): string {
  switch (action.kind) {
    case 'create-tables':
      return `create tables in schema ${action.schema}`;
    case 'create-schema':
      return 'create a schema for the tables that are moved to quarantine';
    case 'use-schema':
      return `use schema ${action.schema}${action.exists ? '' : ': there is no such schema in this database'}`;
    case 'alter':
      return `alter ${action.table}, which another role owns`;
    case 'read-all-rows':
      return `read all rows of ${action.table}, whose row security also applies to its owner`;
    case 'move':
      return `move ${action.what} ${action.name}, which another role owns`;
    case 'end-sessions':
      return `end the sessions of others: ${listSessions(action.sessions)}`;
    case 'swap':
      return `create a database beside the live one, nor rename schema ${action.schema}`;
    case 'write': {
      const { what, name } = action.setting;
      return `write (${what} ${name}: ${detailOf(action.setting)})`;
    }
    case 'connect': {
      const { more, purpose, used, limit } = action;
      const connections = more === 1 ? 'another connection' : `${more} more connections`;
      return `open ${connections} to ${purposes[purpose]}: ${used} are open, ${used + more} are needed, and the limit of the role is ${limit}`;
    }
  }
}

/** Why the database was not reached, refuses this user, or was found unfit before anything was read. */
export const connectionProblems = { ...unfitDatabases, ...unreachableDatabases, ...deniedAccess };

/** All of our images have C.UTF-8. With a new name, both databases exist. */
function utf8Database(name: string): readonly string[] {
  return ['-T', 'template0', '-E', 'UTF8', '--locale', 'C.UTF-8', `${name}_utf8`];
}

/** The DROP DATABASE of a database was interrupted: it cannot be used again, and its name is still taken. */
function describeDropped(
  { database, name, beside, journal }: Extract<Problem, { kind: 'closed-database' }>,
  commands: Commands,
): Notice {
  const drop = printableSql(`DROP DATABASE ${quoteName(name)}`);
  const kept = beside.filter((other) => other.includes('_before_'));
  return {
    title: `A DROP DATABASE was interrupted: ${database}`,
    happened: [
      `Somebody dropped ${name}, and the drop was interrupted (pg_database.datconnlimit = -2). ` +
        'Some of its files are missing, and it accepts no connections. It can only be dropped.',
      ...(journal === null ? [] : [`The journal of a restore, ${journal}, cannot be read.`]),
      ...(kept.length === 0 ? [] : [`Restores have kept these databases: ${kept.join(', ')}.`]),
    ],
    safe: untouched,
    options: [
      `Finish the drop, create the database again, and restore a backup into it.\n` +
        `${commands.client('psql', ['-c', drop, 'postgres'])}\n${commands.client('createdb', [name])}\n${commands.backups}\n${commands.restore}`,
      ...kept.map((former) => {
        const rename = printableSql(`ALTER DATABASE ${quoteName(former)} RENAME TO ${quoteName(name)}`);
        return (
          `Or use ${former} instead, which was live before a restore.\n` +
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
      `The database ${name} exists, but it accepts no connections (${reason}).`,
      ...(journal === null ? [] : [`The journal of a restore, ${journal}, cannot be read.`]),
      beside.length === 0
        ? 'The server has no other database of a restore.'
        : `Restores have created or kept these databases: ${list}. A restore that was killed may have closed ${name}.`,
    ],
    safe: untouched,
    options: [
      `Allow connections again, as its owner or as a superuser, then start again.\n${commands.client('psql', ['-c', statement, 'postgres'])}\n${commands.gate}`,
      ...(beside.length === 0
        ? []
        : [
            `Before that, find out which database is the right one. A name with _before_ is the database from before a restore. ` +
              'A name with _restore_ is a database that a restore was creating, perhaps incomplete. Drop none before you know.',
          ]),
      ...(journal === null
        ? []
        : [`When the right database has the name ${name} and accepts connections, move ${journal} away.`]),
    ],
  };
}
