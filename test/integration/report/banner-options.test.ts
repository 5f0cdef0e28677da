import { copyFile, cp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { createDatabase, createSqliteDatabase } from '../../support/database.ts';
import { snapshot } from '../../support/snapshot.ts';
import { execute } from '../backup/backups.ts';
import { copyDatabase, describeRestores, type EngineName, type Installation, install } from '../restore/restores.ts';
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

/** Lays a file of some kind where the reader stands and where db-init finds it. */
async function layFile(site: Installation, { folder }: Reader, name: string): Promise<void> {
  const [archive = ''] = await readdir(site.backups).then((names) => names.filter((each) => each.endsWith('.zip')));
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
  const withServer: readonly Case[] = [
    {
      title: 'a database that is not there',
      code: 3,
      make: ({ database }) => database.drop(),
      options: [[/Create it/, healthy]],
    },
  ];
  return sqlite ? cases : [...cases, ...withServer];
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
      expect(way === 'entrypoint' && refused.all.includes('compose')).toBe(false);
      const { exitCode, all } = await machine.follow(option.commands);
      // what only shows something may exit with the code of what it shows
      expect(outcome === shown ? 0 : exitCode, all).toBe(0);
      await outcome(site, machine);
      await again();
    }
    expect(left).toEqual([]);
  });
});
