import { basename } from 'node:path';
import type { Engine } from '../database/session.ts';
import type { ArchiveFault, Wrapping } from '../failure.ts';
import { capital, newerTools } from './advice.ts';
import type { Notice } from './banner.ts';
import { type Commands, databaseWord, forEachFile } from './commands.ts';
import { shellWord } from './shell.ts';
import { quoteName } from './sql-name.ts';

const safe = 'nothing was changed, and nothing of the archive was left behind.';

const another = (commands: Commands): string =>
  `See which other backups there are, and take one of them.\n${commands.backups}\n${commands.restore}`;

/**
 * Why an archive is not restored.
 * @param atStart whether TT_RESTORE_FROM asked for it: then every start ends here
 */
export function describeRejection(archive: string, fault: ArchiveFault, atStart: boolean, commands: Commands): Notice {
  const notice = describeFault(archive, fault, commands);
  if (!atStart) return notice;
  const without = `Or start without it: take TT_RESTORE_FROM out of .env.\n${commands.gate}`;
  return { ...notice, options: [...notice.options, without] };
}

function describeFault(archive: string, fault: ArchiveFault, commands: Commands): Notice {
  const title = `The archive cannot be restored: ${archive}`;
  switch (fault.kind) {
    case 'missing':
      return {
        title: `There is no such archive: ${basename(archive)}`,
        happened: [
          fault.places.length === 1 ? `${archive} is not there.` : `Neither ${fault.places.join(' nor ')} is there.`,
        ],
        safe,
        options: [
          `See which backups there are; the name alone will do.\n${commands.backups}`,
          `One that lies elsewhere is put into the backup folder first. Run this where it lies, with its name.\n` +
            `${commands.upload(basename(archive))}\n${commands.run('restore', basename(archive))}`,
        ],
      };
    case 'invalid':
      return {
        title,
        happened: [`${capital(fault.reason)}.`],
        safe,
        options: [
          'If it is a copy, copy it once more and compare the sizes and checksums (sha256sum) of both files.',
          another(commands),
        ],
      };
    case 'access':
      return {
        title,
        happened: [`${capital(fault.reason)}.`],
        safe,
        options: [
          `Give the file to that user, then try again.\n${commands.give(archive)}\n${commands.run('restore', archive)}`,
          another(commands),
        ],
      };
    case 'too-large':
      return {
        title,
        happened: [`${capital(fault.reason)}.`, 'That is how archives look that are made to fill a disk.'],
        safe,
        options: [
          `If you know where it comes from and that it is right, raise ${fault.variable} in .env and try again.`,
          another(commands),
        ],
      };
    case 'unusable':
      return {
        title,
        happened: [`${capital(fault.reason)}.`],
        safe,
        options: [
          'Use the image of db-init that belongs to the release of TimeTracker that made the archive, or a newer one.',
          another(commands),
        ],
      };
    case 'no-tool':
      return {
        title,
        happened: [`${capital(fault.reason)}.`],
        safe,
        options: [newerTools, another(commands)],
      };
    case 'other-format':
      return describeOtherFormat(archive, fault, commands);
    case 'wrapped':
      return {
        title,
        happened: [`It is ${wrappings[fault.by].what}.`],
        safe,
        options: [
          `Unpack it, and have db-init restore what comes out, or say how that is restored; ${wrappings[fault.by].file} is the file on your machine.\n  ${wrappings[fault.by].command}`,
          another(commands),
        ],
      };
    case 'other-engine':
      return {
        title,
        happened: [`It holds ${engines[fault.held].held}, and DATABASE_URL names ${engines[fault.held].wanted}.`],
        safe,
        options: [`Take a backup of this database.\n${commands.backups}`, engines[fault.held].advice],
      };
  }
}

/** How each is taken off. */
const wrappings = {
  gzip: { what: 'packed with gzip', file: 'backup.gz', command: 'gunzip --keep backup.gz' },
  bzip2: { what: 'packed with bzip2', file: 'backup.bz2', command: 'bunzip2 --keep backup.bz2' },
  xz: { what: 'packed with xz', file: 'backup.xz', command: 'unxz --keep backup.xz' },
  zstd: { what: 'packed with Zstandard', file: 'backup.zst', command: 'unzstd backup.zst' },
  'utf-16': {
    what: 'a text in UTF-16, as PowerShell writes with “>”, which no database program reads',
    file: 'backup.sql',
    command: 'iconv -f UTF-16 -t UTF-8 backup.sql > backup-utf8.sql',
  },
} as const satisfies Record<Wrapping, { what: string; file: string; command: string }>;

const engines = {
  sqlite: {
    held: 'a SQLite database',
    wanted: 'a PostgreSQL database',
    advice: 'If this archive is the right one, set DATABASE_URL to a SQLite file (sqlite:////data/timetracker.db).',
  },
  postgresql: {
    held: 'a PostgreSQL database',
    wanted: 'a SQLite database',
    advice:
      'If this archive is the right one, set DATABASE_URL to a PostgreSQL database (postgresql://user:password@db:5432/timetracker).',
  },
} as const satisfies Record<Engine, { held: string; wanted: string; advice: string }>;

type Other = Extract<ArchiveFault, { kind: 'other-format' }>;

function describeOtherFormat(archive: string, other: Other, commands: Commands): Notice {
  const { what, options } = adviceOn(archive, other, commands);
  return {
    title: `This is no archive of TimeTracker: ${archive}`,
    happened: [
      `It is ${what}${other.packed ? ', packed with gzip' : ''}. db-init restores the ZIP archives that TimeTracker and db-init make, which hold the uploads as well.`,
    ],
    safe,
    options,
  };
}

function adviceOn(
  archive: string,
  { format, packed }: Other,
  commands: Commands,
): { readonly what: string; readonly options: readonly string[] } {
  switch (format) {
    case 'sql':
      return {
        what: 'a plain SQL dump',
        options: [
          intoNewDatabase('backup.sql', ['psql', '-v', 'ON_ERROR_STOP=1', '--single-transaction'], packed, commands),
          'A dump that was made of an SQLite file is read into a new file first. Restore that, and db-init says how.\n' +
            (packed ? '  gunzip -c backup.sql.gz | sqlite3 restored.db' : '  sqlite3 restored.db < backup.sql'),
        ],
      };
    case 'dump':
      return {
        what: 'a dump of pg_dump, in a format that pg_restore reads',
        options: [
          intoNewDatabase(
            'backup.dump',
            ['pg_restore', '--exit-on-error', '--single-transaction', '--no-owner'],
            packed,
            commands,
          ),
        ],
      };
    case 'sqlite':
      return {
        what: 'an SQLite database file',
        options: [inPlaceOfTheFile(archive, commands)],
      };
  }
}

/**
 * The former database stays: it is renamed, and nothing is restored over it.
 * @param name of the file on the machine
 * @param restore the program that reads it, with its options
 */
function intoNewDatabase(
  name: string,
  [program, ...options]: readonly [string, ...string[]],
  packed: boolean,
  commands: Commands,
): string {
  const file = packed ? `${name}.gz` : name;
  const database = commands.databaseName;
  const into = commands.client(program, [...options, '-d', databaseWord({ database })], 'piped').trim();
  const rename = `ALTER DATABASE ${quoteName(database)} RENAME TO ${quoteName(`${database}_before`)}`;
  return [
    `Restore it into a new database, and keep the former one under another name; ${file} is the file on your machine. ` +
      'Stop the application first. The last command has db-init bring it up to date.',
    commands.stop,
    commands.client('psql', ['-d', 'postgres', '-c', rename]),
    commands.client('createdb', [database]),
    packed ? `  gunzip -c ${file} | ${into}` : `  ${into} < ${file}`,
    commands.gate,
  ].join('\n');
}

/** The side files go with the former file: a log that is left behind brings the old tables back. Nothing is overwritten. */
function inPlaceOfTheFile(archive: string, commands: Commands): string {
  if (commands.engine !== 'sqlite') {
    return 'Set DATABASE_URL to a SQLite file (sqlite:////data/timetracker.db) if that is the database that you want, and restore it again.';
  }
  const file = commands.databaseName;
  return [
    'Copy it to the place of the database while the application is stopped, and keep the former file with all that lies beside it. The last command has db-init bring it up to date.',
    commands.stop,
    commands.script(forEachFile(file, `${file}.before`, 'mv')),
    commands.script(`cp -n ${shellWord(archive)} ${shellWord(file)}`),
    commands.gate,
  ].join('\n');
}
