import type { State } from '../../../src/model/state.ts';
import type { Cause } from '../../../src/model/cause.ts';
import { copyFile, cp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { createDatabase, createSqliteDatabase } from '../../support/database.ts';
import type {
  ArchiveFault,
  BackupObstacle,
  Problem,
  QuarantineObstacle,
  ResetObstacle,
  RestoreObstacle,
} from '../../../src/errors/failure.ts';
import { snapshot } from '../../support/snapshot.ts';
import { execute } from '../backup/backups.ts';
import {
  copyDatabase,
  currentArchive,
  describeRestores,
  type EngineName,
  type Installation,
  install,
} from '../restore/restores.ts';
import { optionsOf, type Reader, reader, type Way } from './follow.ts';

const marker = 'the row that must come back';

/** What is true once an option was followed. */
type Outcome = (site: Installation, machine: Reader) => Promise<void>;

const healthy: Outcome = async (_, { dbInit }) => expect((await dbInit('verify')).exitCode).toBe(0);

const restored: Outcome = async (site, machine) => {
  await healthy(site, machine);
  expect(await snapshot(site.database.url)).toContain(marker);
};

/** A dump of this very database lies where the reader stands; of SQLite a copy of its file, in a folder beside it. */
const saved: Outcome = async ({ engine, database }, { folder }) => {
  const copy = engine === 'sqlite' ? join(`${database.name}.copy`, 'timetracker.db') : join(folder, 'backup.sql');
  expect((await readFile(copy, 'latin1')).includes('odd_table')).toBe(true);
};

const kept: Outcome = async (site, machine) => {
  await healthy(site, machine);
  expect((await machine.dbInit('quarantine', 'list')).all).toContain('quarantine_');
};

/** It only shows something, or opens what a person works in. */
const shown: Outcome = async () => undefined;

interface Case {
  readonly title: string;
  readonly code: number;
  /** What is run; default: the gate. */
  readonly command?: readonly string[];
  readonly env?: (site: Installation) => Readonly<Record<string, string>>;
  /** Makes the state out of a healthy database of which there is a backup. */
  readonly make: (site: Installation, machine: Reader) => Promise<unknown>;
  /** Of each option with commands: words of it, and what following it brings about. */
  readonly options: readonly (readonly [RegExp, Outcome])[];
}

const oddTable = 'CREATE TABLE odd_table (id integer PRIMARY KEY); INSERT INTO odd_table VALUES (1);';

/** @returns what makes the state again that is there now: the database, what lies beside it, and the backups */
async function rememberState(site: Installation): Promise<() => Promise<void>> {
  const { engine, database, data, root } = site;
  const folders = engine === 'sqlite' ? [data, dirname(database.name)] : [data];
  for (const [index, folder] of folders.entries()) await cp(folder, join(root, `state-${index}`), { recursive: true });
  const state = engine === 'sqlite' ? null : await createDatabase();
  // a database that is not there is a state as well
  const isThere =
    state !== null &&
    (await copyDatabase(database, state).then(
      () => true,
      () => false,
    ));
  return async () => {
    for (const [index, folder] of folders.entries()) {
      await rm(folder, { recursive: true });
      await cp(join(root, `state-${index}`), folder, { recursive: true });
    }
    if (state !== null && isThere) await copyDatabase(state, database);
    else if (state !== null) await database.drop();
  };
}

/** The name of the backup that was made before. */
const backupIn = async ({ backups }: Installation): Promise<string> =>
  (await readdir(backups)).find((name) => name.endsWith('.zip')) ?? '';

/** Lays a file of some kind where the reader stands and where db-init finds it. */
async function layFile(site: Installation, { folder }: Reader, name: string): Promise<void> {
  const archive = await backupIn(site);
  if (name.endsWith('.zip')) return copyFile(join(site.backups, archive), join(folder, name));
  if (name.endsWith('.db')) {
    await copyFile(site.database.name, join(site.backups, name));
  } else {
    await writeFile(join(site.backups, name), (await execa('pg_dump', ['--no-owner', site.database.url])).stdout);
    await copyFile(join(site.backups, name), join(folder, name));
  }
}

function casesOn(engine: EngineName): readonly Case[] {
  const sqlite = engine === 'sqlite';
  const drop = (table: string): string => `DROP TABLE ${table}${sqlite ? '' : ' CASCADE'};`;
  const run = (sql: string) => async (site: Installation) =>
    execute(site.database, sqlite ? `PRAGMA foreign_keys = OFF; ${sql}` : sql);
  const lastResort: readonly (readonly [RegExp, Outcome])[] = sqlite
    ? []
    : [[/LAST RESORT, THIS DELETES ALL/, healthy]];
  const cases: readonly Case[] = [
    {
      title: 'a partial migration',
      code: 11,
      make: run(`${oddTable} ${drop('users')}`),
      options: [
        [/Save what is there/, saved],
        [/Start over with nothing lost/, kept],
        [/restore a backup/, restored],
        ...lastResort,
      ],
    },
    {
      title: 'a schema of no known revision, without a version',
      code: 12,
      make: run(`${oddTable} ${drop('alembic_version')} ALTER TABLE clients DROP COLUMN address;`),
      options: [
        [/Save what is there/, saved],
        [/See every difference/, shown],
        [/If you know which revision/, async (_, { dbInit }) => expect((await dbInit('status')).exitCode).not.toBe(12)],
        [/restore a backup/, restored],
        sqlite ? [/Start over with nothing lost/, kept] : [/LAST RESORT/, healthy],
      ],
    },
    {
      title: 'a revision that is not known',
      code: 13,
      make: run(`UPDATE alembic_version SET version_num = '999_later'`),
      options: [...(sqlite ? ([[/Use a newer db-init/, shown]] as const) : []), [/restore the backup/, restored]],
    },
    {
      title: 'a schema that may not be mended',
      code: 14,
      env: () => ({ TT_DRIFT: 'fail' }),
      make: run(`${oddTable} ALTER TABLE clients DROP COLUMN address;`),
      options: [
        [/See the SQL/, shown],
        [/Save what is there/, saved],
        [/Have it mended/, healthy],
        [/restore a backup/, restored],
        sqlite ? [/Start over with nothing lost/, kept] : [/LAST RESORT/, healthy],
      ],
    },
    {
      title: 'tables of somebody else',
      code: 10,
      env: () => ({ TT_SKIP_DB_CLEANUP: 'true' }),
      async make({ database }) {
        const empty = await (sqlite ? createSqliteDatabase() : createDatabase());
        await execute(empty, oddTable);
        await copyDatabase(empty, database);
      },
      options: [
        [sqlite ? /put the file aside/ : /do the same by hand/, kept],
        [/restore a backup/, restored],
        ...lastResort,
      ],
    },
    {
      title: 'a quarantine whose names are in use again',
      code: 31,
      command: ['quarantine', 'restore', '@'],
      async make(_, { dbInit }) {
        await dbInit('quarantine', 'create', '--all', '--yes');
        await dbInit('gate');
      },
      options: [
        [/Put everything that is there now aside/, restored],
        [/rename what bears these names/, shown],
      ],
    },
    {
      title: 'an archive that is not there',
      code: 32,
      command: ['restore', 'my copy.zip'],
      make: (site, machine) => layFile(site, machine, 'my copy.zip'),
      options: [
        [/See which backups there are/, shown],
        [/One that lies elsewhere/, restored],
      ],
    },
    {
      title: sqlite ? 'a database file instead of an archive' : 'a plain dump instead of an archive',
      code: 32,
      command: ['restore', sqlite ? 'backup.db' : 'backup.sql'],
      make: (site, machine) => layFile(site, machine, sqlite ? 'backup.db' : 'backup.sql'),
      options: sqlite
        ? [
            [/Copy it to the place of the database/, restored],
            [/See which other backups there are/, restored],
          ]
        : [
            [/Restore it into a new database/, restored],
            [/See which other backups there are/, restored],
          ],
    },
    {
      title: 'a backup folder that is none',
      code: 30,
      command: ['backup', 'create'],
      env: ({ root }) => ({ BACKUP_FOLDER: join(root, 'dangling') }),
      make: ({ root }) => symlink(join(root, 'nowhere/backups'), join(root, 'dangling')),
      options: [
        [/Remedy that/, shown],
        [/Give the folder/, shown],
        [
          /somewhere else/,
          async (_, { folder }) =>
            expect(await readdir(join(folder, 'backups'))).toEqual([expect.stringMatching(/zip$/)]),
        ],
      ],
    },
    {
      title: 'a seed outside of development',
      code: 2,
      command: ['seed'],
      make: async () => undefined,
      options: [
        [/If that is what you want/, async ({ database }) => expect(await snapshot(database.url)).toContain('@')],
      ],
    },
  ];
  const emptied = async ({ database }: Installation, sql = 'SELECT 1;'): Promise<void> => {
    const empty = await (sqlite ? createSqliteDatabase() : createDatabase());
    await execute(empty, sql);
    await copyDatabase(empty, database);
  };
  const more: readonly Case[] = [
    {
      title: 'an empty database where one must be',
      code: 16,
      env: () => ({ TT_REQUIRE_EXISTING: 'true' }),
      make: (site) => emptied(site),
      options: [
        ...(sqlite ? ([[/Look which volume/, shown]] as const) : []),
        [/restore a backup/, restored],
        // unsetting the variable is left to the reader: with it the command ends as before
        [/unset TT_REQUIRE_EXISTING/, shown],
      ],
    },
    {
      title: "another application's database",
      code: 15,
      make: (site) =>
        emptied(site, 'CREATE TABLE django_migrations (id int); INSERT INTO django_migrations VALUES (1);'),
      options: [[/If nobody needs what is in this one/, kept]],
    },
    {
      title: 'a quarantine that is not there',
      code: 2,
      command: ['quarantine', 'restore', 'nothing'],
      make: async () => undefined,
      options: [[/See what is held/, shown]],
    },
    {
      title: 'settings that cannot be understood',
      code: 2,
      env: () => ({ TT_WAIT_TIMEOUT: 'soon' }),
      make: async () => undefined,
      options: [
        [/Correct the variables/, shown],
        [/See what every variable means/, shown],
      ],
    },
    {
      title: 'a command that there is not',
      code: 2,
      command: ['resotre'],
      make: async () => undefined,
      options: [[/See which commands/, shown]],
    },
    {
      title: 'an archive that is damaged',
      code: 32,
      command: ['restore', 'zz-damaged.zip', '--dry-run'],
      async make(site) {
        const archive = await backupIn(site);
        const whole = await readFile(join(site.backups, archive));
        const middle = Math.floor(whole.length / 2);
        whole.fill(0, middle, middle + 8);
        await writeFile(join(site.backups, 'zz-damaged.zip'), whole);
      },
      options: [[/See which other backups there are/, restored]],
    },
    {
      title: 'an archive that is packed once more',
      code: 32,
      command: ['restore', 'packed.zip.gz'],
      async make(site, { folder }) {
        const archive = await backupIn(site);
        const packed = gzipSync(await readFile(join(site.backups, archive)));
        for (const place of [site.backups, folder]) await writeFile(join(place, 'packed.zip.gz'), packed);
      },
      options: [
        [/Unpack it/, restored],
        [/See which other backups there are/, restored],
      ],
    },
    {
      title: sqlite ? 'an archive of the other engine' : 'rows that PostgreSQL does not hold',
      code: sqlite ? 32 : 31,
      command: ['restore', 'zz-other.zip', '--yes'],
      make: ({ backups }) => copyFile(currentArchive(sqlite ? 'postgresql' : 'sqlite'), join(backups, 'zz-other.zip')),
      options: [[sqlite ? /Take a backup of this database/ : /put into a quarantine schema/, shown]],
    },
    {
      title: 'one piece of an archive',
      code: 32,
      command: ['restore', 'backup.zip.001'],
      async make(site, { folder }) {
        const whole = await readFile(join(site.backups, await backupIn(site)));
        const middle = Math.floor(whole.length / 2);
        await writeFile(join(site.backups, 'backup.zip.001'), whole.subarray(0, middle));
        await writeFile(join(folder, 'backup.zip.001'), whole.subarray(0, middle));
        await writeFile(join(folder, 'backup.zip.002'), whole.subarray(middle));
      },
      options: [
        [/Pieces that were simply cut/, restored],
        // of a split archive there is none here
        [/Of a split ZIP archive/, shown],
        [/See which other backups there are/, restored],
      ],
    },
    {
      title: 'a reset of what may be anybody’s',
      code: 15,
      command: ['reset'],
      make: (site) => emptied(site, 'CREATE TABLE users (id int);'),
      options: [[/Start over with nothing lost/, kept]],
    },
    {
      title: 'an adoption at another revision',
      code: 12,
      command: ['adopt', '--revision', '001'],
      make: run(drop('alembic_version')),
      options: [
        [/Let the revision be found/, shown],
        [
          /Stamp it all the same/,
          async (_, { dbInit }) => expect((await dbInit('status')).all).toMatch(/revisions: 001$/m),
        ],
      ],
    },
    {
      title: 'nothing that an undo could put back',
      code: 31,
      command: ['restore', '--undo', '--yes'],
      make: async () => undefined,
      options: [[/backups/, shown]],
    },
  ];
  const withServer: readonly Case[] = [
    {
      title: 'a server that does not answer',
      code: 3,
      env: () => ({ DATABASE_URL: 'postgresql://app:app@127.0.0.1:1/app', TT_WAIT_TIMEOUT: '0' }),
      make: async () => undefined,
      options: [[/Look whether the database runs/, shown]],
    },
    {
      title: 'a database that is not there',
      code: 3,
      make: ({ database }) => database.drop(),
      options: [[/Create it/, healthy]],
    },
  ];
  return sqlite ? [...cases, ...more] : [...cases, ...more, ...withServer];
}

describeRestores('each option of a banner, followed to the letter', (engine) => {
  const way: Way = engine === 'sqlite' ? 'docker compose' : 'entrypoint';

  it.each(casesOn(engine))('$title ($code)', async ({ code, command = ['gate'], env, make, options }) => {
    const site = await install(engine);
    await site.must('gate');
    await execute(site.database, `INSERT INTO clients (name) VALUES ('${marker}')`);
    await site.must('backup', 'create');
    const machine = await reader(site, way, env?.(site));
    await make(site, machine);
    const again = await rememberState(site);
    const held = (await site.run('quarantine', 'list')).stdout;
    const [quarantine = ''] = /^\S*quarantine_\w+/m.exec(held) ?? [];
    const words = command.map((word) => (word === '@' ? quarantine : word));

    const left = [...options];
    for (let number = 0; ; number++) {
      const refused = await machine.dbInit(...words);
      expect({ exitCode: refused.exitCode, all: refused.all }).toMatchObject({ exitCode: code });
      const option = optionsOf(refused.all)[number];
      if (option === undefined) break;
      if (option.commands.length === 0) continue;
      const [sentence, outcome] = left.shift() ?? [/an outcome of it/, shown];
      expect(option.words).toMatch(sentence);
      expect(way === 'entrypoint' && refused.all.includes('docker compose')).toBe(false);
      const { exitCode, all } = await machine.follow(option.commands);
      // what only shows something may exit with the code of what it shows
      expect(outcome === shown ? 0 : exitCode, all).toBe(0);
      await outcome(site, machine);
      await again();
    }
    expect(left).toEqual([]);
  });
});

type Nested =
  'refused' | 'archive-rejected' | 'restore-refused' | 'quarantine-refused' | 'reset-refused' | 'backup-failed';
type Failed = 'migration-failed' | 'database-failed';

/** Every banner that there is: a kind of problem, and where it has several, which of them. */
type Banner =
  | Exclude<Problem['kind'], Nested | Failed>
  | `refused ${Exclude<State['kind'], 'current' | 'behind'>}`
  | `archive-rejected ${ArchiveFault['kind']}`
  | `restore-refused ${RestoreObstacle['kind']}`
  | `quarantine-refused ${QuarantineObstacle['kind']}`
  | `reset-refused ${ResetObstacle['kind']}`
  | `backup-failed ${BackupObstacle['kind']}`
  | `failed ${Cause['kind']}`;

/** Why the options of a banner are followed by no case. */
const why = {
  words: { reason: 'its options are in words, or their commands only begin the run again' },
  docker: { reason: 'its commands act on containers, volumes or other users of the machine' },
  sql: { reason: 'its statements are run by the test of the state: health, rights, repair, schemas' },
  state: { reason: 'its state is made in the tests of faults, crashes and restores, which begin the run again' },
  todo: { reason: 'nobody has followed it yet' },
} as const;

/** Each banner, and the case that follows its options: a new kind of problem does not compile without a line here. */
const followed: Readonly<Record<Banner, string | { readonly reason: string }>> = {
  usage: 'a command that there is not',
  declined: why.words,
  configuration: 'settings that cannot be understood',
  'unsupported-server': why.todo,
  'unfit-encoding': why.todo,
  'transaction-pooler': why.words,
  'network-file-system': why.words,
  unreachable: 'a server that does not answer',
  'connection-lost': why.state,
  'no-such-database': 'a database that is not there',
  'closed-database': why.sql,
  'access-denied': why.todo,
  'file-access-denied': why.docker,
  'missing-rights': why.sql,
  'broken-indexes': why.sql,
  locked: why.words,
  unreadable: why.todo,
  'adoption-refused': 'an adoption at another revision',
  'verification-failed': why.todo,
  'backups-not-listed': why.words,
  'backups-not-pruned': why.words,
  'seed-refused': why.words,
  'run-once-refused': why.words,
  interrupted: why.words,
  'refused fresh': 'an empty database where one must be',
  'refused corrupted': 'tables of somebody else',
  'refused partial': 'a partial migration',
  'refused unversioned': 'a schema of no known revision, without a version',
  'refused drifted': 'a schema that may not be mended',
  'refused ahead': 'a revision that is not known',
  'refused foreign': "another application's database",
  'refused elsewhere': why.sql,
  'refused interrupted': why.state,
  'refused unreadable': why.todo,
  'archive-rejected missing': 'an archive that is not there',
  'archive-rejected invalid': 'an archive that is damaged',
  'archive-rejected piece': 'one piece of an archive',
  'archive-rejected stream': why.words,
  'archive-rejected access': why.docker,
  'archive-rejected too-large': why.words,
  'archive-rejected unknown-objects': why.todo,
  'archive-rejected other-format': 'a plain dump instead of an archive',
  'archive-rejected wrapped': 'an archive that is packed once more',
  'archive-rejected other-engine': 'an archive of the other engine',
  'archive-rejected unusable': why.todo,
  'archive-rejected no-tool': why.words,
  'restore-refused others-are-connected': why.todo,
  'restore-refused prepared-transactions': why.sql,
  'restore-refused file-in-use': why.todo,
  'restore-refused openers-unknown': why.todo,
  'restore-refused folder': why.words,
  'restore-refused no-space': why.words,
  'restore-refused nothing-kept': 'nothing that an undo could put back',
  'restore-refused former-gone': why.todo,
  'restore-refused former-dropped': why.todo,
  'restore-refused former-changed': why.todo,
  'restore-refused depended-upon': why.words,
  'restore-refused rows-do-not-fit': 'rows that PostgreSQL does not hold',
  'restore-refused unfinished': why.state,
  'restore-refused taken-over': why.state,
  'restore-refused failed': why.state,
  'quarantine-refused others-are-connected': why.docker,
  'quarantine-refused file-in-use': why.docker,
  'quarantine-refused not-held': 'a quarantine that is not there',
  'quarantine-refused names-taken': 'a quarantine whose names are in use again',
  'quarantine-refused depended-upon': why.words,
  'quarantine-refused changed': why.words,
  'reset-refused not-recognised': 'a reset of what may be anybody’s',
  'reset-refused others-are-connected': why.todo,
  'reset-refused file-in-use': why.docker,
  'reset-refused in-the-way': why.words,
  'reset-refused no-backup': why.todo,
  'backup-failed folder': 'a backup folder that is none',
  'backup-failed no-space': why.words,
  'backup-failed no-tool': why.words,
  'backup-failed not-proven': why.words,
  'backup-failed failed': why.words,
  'failed connection-lost': why.state,
  'failed disk-full': why.state,
  'failed disk-full-here': why.state,
  'failed memory': why.state,
  'failed lock-table': why.state,
  'failed connections': why.sql,
  'failed deadlock': why.state,
  'failed cancelled': why.state,
  'failed read-only': why.state,
  'failed rights': why.sql,
  'failed damage': why.todo,
  'failed rows': why.todo,
  'failed other': why.todo,
  'failed dependents': why.sql,
  'failed event-triggers': why.sql,
  'failed lock-timeout': why.sql,
};

it('every banner has a case that follows it, or a reason why there is none', () => {
  const titles = new Set([...casesOn('sqlite'), ...casesOn('postgresql')].map(({ title }) => title));
  const named = Object.values(followed).filter((each) => typeof each === 'string');
  expect(named.filter((title) => !titles.has(title))).toEqual([]);
});
