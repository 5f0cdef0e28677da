import { type Describers, describerOf } from './by-kind.ts';
import { quoteName } from '../platform/sql-quoting.ts';
import type { Blocker, Cause } from '../model/cause.ts';
import type { RelationKind } from '../model/database-facts.ts';
import { printableSql } from '../platform/printable.ts';
import { restoreOption } from './next-steps.ts';
import { type Commands, folderOf } from './commands.ts';

interface CauseNotice {
  /** A clause without its full stop; null if the reason says all that is known. */
  readonly title: string | null;
  readonly happened: readonly string[];
  /** What to do; null if that depends on the reason. */
  readonly options: readonly [string, ...string[]] | null;
}

interface Context {
  readonly commands: Commands;
  readonly next: string;
  /** That command, as the end of a sentence. */
  readonly again: string;
  readonly sqlite: boolean;
}

type Table = Describers<Cause, Context, CauseNotice>;

/** Other sessions, or the connection itself. */
const otherSessions = {
  'connection-lost': (_, { commands, next }) => ({
    title: 'the connection to the database was lost',
    happened: [],
    options: [
      `Start again: db-init then looks at the database again.\n${next}`,
      `Check whether the database server is running, and read its log.\n${commands.serverState}\n${commands.serverLog}`,
    ],
  }),
  connections: (_, { commands, next }) => ({
    title: 'the server allows no further connection',
    happened: [],
    options: [
      'See who is connected, as a superuser, for whom the server keeps connections. Stop what you do not need, and start again.\n' +
        `${commands.superuser('psql', ['-c', sessionsQuery, 'postgres'])}\n${next}`,
      'Or raise the limit that the reason names: max_connections of the server (then restart it), or CONNECTION LIMIT of the ' +
        'database or the role. For the role:\n' +
        commands.superuser('psql', ['-c', `ALTER ROLE ${quoteName(commands.user)} CONNECTION LIMIT -1`, 'postgres']),
    ],
  }),
  'lock-timeout': (cause, { commands, next }) => describeLockTimeout(cause.blockers, commands, next),
  deadlock: (_, { commands, next }) => ({
    title: 'a deadlock with another session',
    happened: ['Two transactions waited for each other, and the server ended this one.'],
    options: [
      `Stop the application and everything else that uses the database, then start again.\n${commands.stop}\n${next}`,
    ],
  }),
  cancelled: (_, { commands, again }) => ({
    title: 'a statement was cancelled',
    happened: ['It took longer than TT_STATEMENT_TIMEOUT allows, or somebody cancelled it.'],
    options: [
      'If TT_STATEMENT_TIMEOUT is set, raise it (0 means no limit), ' + again,
      `If it is not set, find out from the server's log what cancels statements, ${again}\n${commands.serverLog}`,
    ],
  }),
} satisfies Partial<Table>;

/** A disk, the memory or another resource is used up or damaged. */
const resources = {
  'disk-full': (_, { commands, next, sqlite }) => ({
    title: 'the disk is full',
    happened: sqlite
      ? []
      : [
          'It is a disk of the database server: the disk of its data folder, or of a tablespace if the reason names pg_tblspc.',
        ],
    options: [
      `See how full the disk is, and free some space. A migration may need as much space as the database itself.\n${commands.disk}`,
      `Then start again.\n${next}`,
    ],
  }),
  'disk-full-here': (_, { again }) => ({
    title: 'the disk is full',
    happened: ['It is a disk of the machine or the container in which db-init runs.'],
    options: [
      `Free space in the folder that the reason names, or for temporary files (TMPDIR) if it names none, ${again}`,
    ],
  }),
  memory: (_, { commands, again, sqlite }) => ({
    title: 'the memory is used up',
    happened: [],
    options: [
      sqlite
        ? `Give the container of db-init more memory, ${again}`
        : `Give the database server more memory (the limit of its container), or stop other programs on that machine, ${again}`,
      ...(sqlite ? [] : [`Read the log of the server.\n${commands.serverLog}`]),
    ],
  }),
  'lock-table': (_, { commands, next }) => ({
    title: 'the server cannot hold so many locks',
    happened: [],
    options: [
      'Let a superuser raise the limit, restart the server, and start again.\n' +
        `${commands.superuser('psql', ['-c', 'ALTER SYSTEM SET max_locks_per_transaction = 256', 'postgres'])}\n${next}`,
    ],
  }),
  damage: (_, { commands, sqlite }) => ({
    title: 'data on the disk is damaged, or the disk is failing',
    happened: [],
    options: [
      sqlite
        ? `Before anything else, stop the application, and copy the file with its side files.\n${commands.stop}\n${commands.dump}`
        : `Before anything else, stop the application and the server, and copy the data folder of the server.\n${commands.serverLog}`,
      'Check the disk: read its messages in the kernel log (dmesg).',
      restoreOption('Or restore a backup', commands),
    ],
  }),
} satisfies Partial<Table>;

/** The database does not allow the change. */
const refusals = {
  'read-only': (_, { commands, next, again, sqlite }) => ({
    title: 'the database can only be read',
    happened: [],
    options: sqlite
      ? [
          'If the volume of the file is mounted read-only (`:ro`), remove that. If the kernel made it read-only, check the disk.',
          `Give the folder of the file, and the file, to the user that db-init runs as, and start again.\n${commands.give(folderOf(commands.databaseName))}\n${next}`,
        ]
      : [
          `If the server is a standby, give the address of the primary in DATABASE_URL, ${again}`,
          `Read the log of the server.\n${commands.serverLog}`,
        ],
  }),
  rights: (_, { commands, next, sqlite }) => ({
    title: 'the database user lacks a right',
    happened: sqlite ? [] : [`The user is ${commands.user}.`],
    options: sqlite
      ? [
          `Give the folder of the file, and the file, to the user that db-init runs as.\n${commands.give(folderOf(commands.databaseName))}`,
        ]
      : [
          'Let a superuser make this user the owner of the object that the reason names, or of all objects of another user. Then start again.\n' +
            `  ALTER TABLE NAME OWNER TO ${quoteName(commands.user)};\n  REASSIGN OWNED BY OTHER_USER TO ${quoteName(commands.user)};\n${next}`,
        ],
  }),
  dependents: (cause, { commands, next }) => ({
    title: "objects that are not the application's depend on what it changes",
    happened: cause.objects.map(({ what, name }) => `- ${what} ${name}`),
    options: [
      'Save these definitions, drop the objects, start again, and then create the objects again.\n' +
        [
          commands.open,
          ...cause.objects.toReversed().map(({ drop }) => `  ${drop};`),
          next,
          '  -- afterwards, without the columns that no longer exist:',
          ...cause.objects.flatMap(({ create }) => create.map(indented)),
        ].join('\n'),
    ],
  }),
  'event-triggers': (cause, { commands, next }) => ({
    title: 'an event trigger refuses the change',
    happened: cause.triggers.map((trigger) => `- ${trigger.name}, on ${trigger.event}, runs ${trigger.function}`),
    options: [
      'Let a superuser disable it, start again, and enable it afterwards.\n' +
        [
          ...cause.triggers.map(({ disable }) => commands.sql(disable)),
          next,
          ...cause.triggers.map(({ enable }) => commands.sql(enable)),
        ].join('\n'),
    ],
  }),
} satisfies Partial<Table>;

/** The reason says all that is known. */
const unknown = {
  rows: () => ({ title: null, happened: [], options: null }),
  other: () => ({ title: null, happened: [], options: null }),
} satisfies Partial<Table>;

const describeByKind = describerOf<Cause, Context, CauseNotice>({
  ...otherSessions,
  ...resources,
  ...refusals,
  ...unknown,
});

/**
 * Why the database did not execute a statement, and what to do about it.
 * @param next the command that is to be run again then
 */
export function describeCauseOf(cause: Cause, commands: Commands, next: string = commands.again()): CauseNotice {
  const again = `then start again.\n${next}`;
  return describeByKind(cause.kind, cause, { commands, next, again, sqlite: commands.engine === 'sqlite' });
}

/** The name of a database, or a file, that is made by hand of what an archive holds. */
const byHand = { postgresql: 'timetracker_by_hand', sqlite: 'timetracker_by_hand.db' } as const;

/**
 * What to do about objects of the owner's that came with an archive and do not let it be migrated: they are not in the
 * live database, and the database that they are in is thrown away.
 * @returns null for any other cause
 */
export function describeCarried(cause: Cause, commands: Commands): string | null {
  if (cause.kind !== 'dependents' && cause.kind !== 'event-triggers') return null;
  const name = byHand[commands.engine];
  const load =
    commands.engine === 'sqlite'
      ? [`  unzip -p FILE db.sqlite > ${name}`]
      : [
          commands.client('createdb', [name]),
          `  unzip -p FILE db.dump | ${commands.client('pg_restore', ['--no-owner', '--no-acl', '-d', name], 'piped').trim()}`,
        ];
  const open = commands.engine === 'sqlite' ? `  sqlite3 ${name}` : commands.client('psql', [name]);
  const [before, after] =
    cause.kind === 'dependents'
      ? [
          cause.objects.toReversed().map(({ drop }) => drop),
          cause.objects.flatMap(({ create }) => create.map(indented)),
        ]
      : [cause.triggers.map(({ disable }) => disable), cause.triggers.map(({ enable }) => `  ${enable};`)];
  return [
    'These objects came with the archive (FILE). Load its database by hand and remove the objects there. Then set DATABASE_URL of ' +
      'db-init and of the application to that database, and start again. This does not restore the uploads of the archive.',
    ...load,
    open,
    ...before.map((statement) => `  ${printableSql(statement)};`),
    commands.gate,
    '  -- afterwards, without the columns that no longer exist:',
    ...after,
  ].join('\n');
}

/** A statement, indented so that a banner does not wrap it. */
const indented = (sql: string): string =>
  `${sql};`
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');

const sessionsQuery = 'SELECT pid, usename, application_name, state FROM pg_stat_activity';

function describeLockTimeout(blockers: readonly Blocker[], commands: Commands, next: string): CauseNotice {
  const stopAndRetry = `then start again.\n${commands.stop}\n${next}`;
  const waitLonger = `Or wait longer for it: set TT_MIGRATION_LOCK_TIMEOUT (seconds), then start again.\n${next}`;
  if (blockers.length === 0) {
    return {
      title: 'another session holds a lock',
      happened: [
        'Another session locked a table for longer than TT_MIGRATION_LOCK_TIMEOUT allows. db-init could not see which one.',
      ],
      options: [`Stop the application and everything else that uses the database, ${stopAndRetry}`, waitLonger],
    };
  }
  const pids = blockers.flatMap((blocker) => (blocker.kind === 'session' ? [blocker.pid] : []));
  const prepared = blockers.flatMap((blocker) => (blocker.kind === 'prepared' ? [blocker.name] : []));
  const ends = pids.map((pid) => `pg_terminate_backend(${pid})`).join(', ');
  const [first, ...others] = [
    ...(pids.length === 0
      ? []
      : [
          `Stop the application, or the other program, ${stopAndRetry}`,
          'Or end these sessions and start again. What they have not committed is rolled back. Only a superuser can end ' +
            `sessions of other users.\n${commands.sql(`SELECT ${ends}`)}\n${next}`,
        ]),
    ...(prepared.length === 0
      ? []
      : [
          'Let the program that prepared these transactions end them, or roll back each of them in the database, which loses its changes. Then start again.\n' +
            `${prepared.map((name) => printableSql(`  ROLLBACK PREPARED '${name.replaceAll("'", "''")}';`)).join('\n')}\n${next}`,
        ]),
    waitLonger,
  ];
  return {
    title: 'another session holds a table',
    happened: ['Held by:', ...blockers.map((blocker) => `- ${describeBlocker(blocker)}`)],
    options: [first ?? waitLonger, ...others],
  };
}

function describeBlocker(blocker: Blocker): string {
  const tables = blocker.tables.slice(0, shownTables);
  const more = blocker.tables.length - tables.length;
  const held = `${tables.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  const holds = held === '' ? 'the lock of migrations' : held;
  if (blocker.kind === 'prepared') {
    return `the prepared transaction '${blocker.name}' of ${blocker.user}, which waits for COMMIT PREPARED or ROLLBACK PREPARED; it holds ${holds}`;
  }
  const { pid, application, user, client, state, since, query } = blocker;
  return [
    `pid ${pid}, ${application || 'unnamed'}, user ${user}, from ${client}`,
    ...(state === '' ? [] : [`${state}${since === '' ? '' : `, its transaction began ${since}`}`]),
    `it holds ${holds}`,
    ...(query === '' ? [] : [`its last statement: ${query}`]),
  ].join('; ');
}

/** Why a database cannot be assessed if its alembic_version is not a table. */
export function describeNoVersionTable(kind: RelationKind): string {
  return `alembic_version is a ${kind} where a table is expected, so the revision cannot be recorded. Drop it or rename it, then start again: db-init then finds the revision from the schema`;
}

const shownTables = 8;

/** A reason without its full stop, and the sessions behind it where they are known. */
export function describeReason(reason: string, cause: Cause): string {
  if (cause.kind !== 'lock-timeout' || cause.blockers.length === 0) return reason;
  return `${reason}. Held by: ${cause.blockers.map(describeBlocker).join(' and by: ')}`;
}

/** The reason why a transaction is repeated: it did not get a lock in time. */
export function describeRetry(blockers: readonly Blocker[], attempt: number, attempts: number): string {
  const [first] = blockers;
  const who = first === undefined ? '' : ` (${describeBlocker(first)})`;
  return `a table is locked by another session${who} (attempt ${attempt} of ${attempts})`;
}
