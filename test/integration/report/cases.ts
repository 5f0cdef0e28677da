import assert from 'node:assert/strict';
import { chmod, chown, copyFile, mkdir, readdir, readFile, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import AdmZip from 'adm-zip';
import Database from 'better-sqlite3';
import { execa } from 'execa';
import { lockFileOf } from '../../../src/database/sqlite/lock.ts';
import { runLock } from '../../../src/database/postgres/lock.ts';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { coreTables } from '../../../src/schema/catalog.ts';
import {
  admin,
  connectClient,
  createDatabase,
  createSqliteDatabase,
  databaseUrl,
  sqliteUrl,
  type TestDatabase,
} from '../../support/database.ts';
import { snapshot } from '../../support/snapshot.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { execute } from '../backup/backups.ts';
import { migrateToRows } from '../upgrade/migrate-to-rows.ts';
import { applicationArchive } from '../restore/crafted.ts';
import {
  ask,
  relatedDatabases,
  copyDatabase,
  currentArchive,
  type EngineName,
  type Installation,
} from '../restore/restores.ts';
import type { Cause } from '../../../src/model/cause.ts';
import type { Operator, Runner } from './follow.ts';
import { run as runAlone } from '../../support/run.ts';
import { atEnd, oncePerFile } from '../../support/cleanup.ts';
import { mountVolume, type Volume } from '../../faults/volumes.ts';
import { machineWith } from '../../faults/tools.ts';
import { statfsSync } from 'node:fs';
import { type Case, type Preparation, follow, leave, marker, type Option, type Outcome, outside } from './options.ts';

/** The option only shows something, or opens a program. */
const shown: Outcome = { shows: true, check: () => Promise.resolve() };
const outcome = (check: Outcome['check']): Outcome => ({ shows: false, check });

const healthy = outcome(async ({ operator }) => assert.equal((await operator.dbInit('verify')).exitCode, 0));
const restored = outcome(async (situation) => {
  await healthy.check(situation);
  assert((await snapshot(situation.installation.database.url)).includes(marker));
});
/** A dump of this database is in the reader's folder; for SQLite a copy of its file, in a folder beside it. */
const savedWith = (word: string): Outcome =>
  outcome(async ({ installation: { engine, database }, operator: { folder } }) => {
    const copy = engine === 'sqlite' ? join(`${database.name}.copy`, 'timetracker.db') : join(folder, 'backup.sql');
    assert((await readFile(copy, 'latin1')).includes(word));
  });
const saved = savedWith('odd_table');
const kept = outcome(async (situation) => {
  await healthy.check(situation);
  assert((await situation.operator.dbInit('quarantine', 'list')).all.includes('quarantine_'));
});
/** The refused command succeeds now. */
const done = outcome(async ({ operator, words }) => {
  const { exitCode, all } = await operator.dbInit(...words);
  assert.equal(exitCode, 0, all);
});
const restoredAgain = outcome(async (situation) => {
  await done.check(situation);
  await restored.check(situation);
});
/** The refused command succeeds now, with another option. */
const doneWith = (...more: readonly string[]): Outcome =>
  outcome(async ({ operator, words }) => {
    const { exitCode, all } = await operator.dbInit(...words, ...more);
    assert.equal(exitCode, 0, all);
  });
/** The same without the archive, where another folder takes it. */
const archived = outcome(async ({ operator: { folder } }) =>
  assert.match((await readdir(join(folder, 'backups'))).join('\n'), /^\S+\.zip$/),
);

const set =
  (name: string, value?: string): Preparation =>
  ({ operator }) =>
    operator.set(name, value);
const releaseAll: Preparation = (situation) => situation.release();
const inDatabase =
  (sql: string): Preparation =>
  ({ installation }) =>
    execute(installation.database, sql);

const elsewhere = 'it is for another cause than the one of this state';
const itsStatements = 'its statements are run by the tests of the repair and of the health';
const newImage = 'it needs another image or another release';

const restoring = (words = /estore (?:a|the) backup/): Option => follow(words, restored);
const anotherBackup = follow(/^See which other backups there are/, restored);
/** The same commands, which do not depend on the state of the database. */
const likewise = leave(
  /^See which other backups there are/,
  'the same commands are followed where an archive is damaged',
);
const saving = (word = 'odd_table'): Option => follow(/^Before anything else, save/, savedWith(word));

const oddTable = 'CREATE TABLE odd_table (id integer PRIMARY KEY); INSERT INTO odd_table VALUES (1);';

/** The name of the backup that was made before. */
const backupIn = async ({ backups }: Installation): Promise<string> =>
  (await readdir(backups)).find((name) => name.endsWith('.zip')) ?? '';

/** Puts a file into the reader's folder and into a folder in which db-init finds it. */
async function lay({ backups }: Installation, { folder }: Operator, name: string, content: Buffer | string) {
  for (const place of [backups, folder]) await writeFile(join(place, name), content);
}

/** Replaces the database by another one. */
async function emptied({ database }: Installation, sql = 'SELECT 1;'): Promise<void> {
  const empty = await (database.engine === 'sqlite' ? createSqliteDatabase() : createDatabase());
  await execute(empty, sql);
  await copyDatabase(empty, database);
}

const dumpOf = async ({ database }: Installation, ...options: readonly string[]): Promise<Buffer> =>
  Buffer.from((await execa('pg_dump', ['--no-owner', ...options, database.url], { encoding: 'buffer' })).stdout);

/** A dump in plain SQL, by the engine's own program. */
const textOf = async (installation: Installation): Promise<string> =>
  installation.engine === 'sqlite'
    ? (await execa('sqlite3', [installation.database.name, '.dump'])).stdout
    : (await dumpOf(installation)).toString();

/** The database that the last restore has kept. */
const formerOf = async ({ database }: Installation): Promise<string> =>
  (await relatedDatabases(database)).find((name) => /_before_|\.bak_/.test(name)) ?? '';

/** Connects to the database like the application. */
async function connectAsApplication(url: string, ...statements: readonly string[]): Promise<() => Promise<void>> {
  const client = await connectClient(url, 'TimeTracker');
  for (const statement of statements) await client.query(statement);
  return () => client.end();
}

/** Leaves a database in the state of an interrupted DROP DATABASE. */
async function cutOffDrop(name: string): Promise<() => Promise<void>> {
  await admin(`UPDATE pg_database SET datconnlimit = -2 WHERE datname = '${name}'`);
  return () => Promise.resolve();
}

/** Another program that writes to a SQLite file. */
async function writeInto(file: string): Promise<() => Promise<void>> {
  const program = execa('sqlite3', [file], { reject: false });
  program.stdin.write('BEGIN IMMEDIATE;\nSELECT 1;\n');
  await new Promise((resolve) => program.stdout.once('data', resolve));
  return async () => {
    program.stdin.end();
    await program;
  };
}

async function holdRunLock(database: TestDatabase): Promise<() => Promise<void>> {
  if (database.engine === 'postgresql') {
    return connectAsApplication(database.url, `SELECT pg_advisory_lock(${runLock.application}, ${runLock.key})`);
  }
  const file = new Database(lockFileOf(database.name));
  file.exec('BEGIN EXCLUSIVE');
  return async () => void file.close();
}

/** Puts the write-ahead log of another copy beside the file. */
async function addForeignLog({ database }: Installation): Promise<void> {
  const { name } = await createSqliteDatabase();
  const other = new Database(name);
  other.exec('PRAGMA journal_mode = wal; CREATE TABLE other (id int); INSERT INTO other VALUES (1)');
  await copyFile(`${name}-wal`, `${database.name}-wal`);
  other.close();
}

/** A database of a user, a few revisions before the head. */
async function makeEarlier(engine: EngineName): Promise<TestDatabase> {
  const database = await (engine === 'sqlite' ? createSqliteDatabase() : createDatabase());
  const row = releaseGraph.pending([]).at(-3)?.id ?? '';
  await migrateToRows(database, [row], (session) =>
    session.run(`${oddTable} INSERT INTO clients (id, name) VALUES (1, 'Ada');`),
  );
  return database;
}

const earlier: Readonly<Record<EngineName, () => Promise<TestDatabase>>> = {
  sqlite: oncePerFile(() => makeEarlier('sqlite')),
  postgresql: oncePerFile(() => makeEarlier('postgresql')),
};

/** Replaces the database by one with rows and pending revisions. */
async function useOlderDatabase({ engine, database }: Installation): Promise<void> {
  await copyDatabase(await earlier[engine](), database);
}

/** The name of a user without any right. */
const powerlessUserOf = ({ database }: Installation): string => `${database.name}_user`;

/** The address of the installation for a user without any right. */
function addressOf(installation: Installation, schema = ''): { readonly DATABASE_URL: string } {
  const url = new URL(installation.database.url);
  url.username = powerlessUserOf(installation);
  if (schema !== '') url.searchParams.set('options', `-csearch_path=${schema}`);
  return { DATABASE_URL: url.href };
}

/** Creates a user without any right, with the superuser's password. */
async function createPowerlessUser(installation: Installation): Promise<void> {
  const user = powerlessUserOf(installation);
  const { password } = new URL(installation.database.url);
  await admin(`CREATE ROLE "${user}" LOGIN PASSWORD '${decodeURIComponent(password)}'`);
  // after the databases in which it has a right are dropped
  atEnd(() => admin(`DROP ROLE "${user}"`), 'last');
}

const givingTables = (schema: string, user: string): string =>
  `DO $$ DECLARE one record; BEGIN
     FOR one IN SELECT c.oid::regclass AS name FROM pg_class c WHERE relnamespace = '${schema}'::regnamespace AND relkind = 'r'
     LOOP EXECUTE format('ALTER TABLE %s OWNER TO "${user}"', one.name); END LOOP; END $$`;

const smallVolumeOf = ({ root }: Installation): string => join(root, 'small');

/** Mounts a small file system. @returns a volume that can be filled and released */
async function mountSmall(installation: Installation, size = '24m'): Promise<Volume> {
  await mkdir(smallVolumeOf(installation), { recursive: true });
  return mountVolume(size, smallVolumeOf(installation));
}

/** Fills a small file system up to the given number of bytes. */
async function fillUp(installation: Installation, spare = 0): Promise<() => Promise<void>> {
  const { bavail, bsize } = statfsSync(smallVolumeOf(installation));
  const ballast = join(smallVolumeOf(installation), 'ballast');
  await writeFile(ballast, Buffer.alloc(Math.max(0, bavail * bsize - spare)));
  return () => rm(ballast);
}

/** Makes the user nobody own an installation with all its files. */
async function openTo({ root, database, engine }: Installation): Promise<void> {
  const folders = engine === 'sqlite' ? [root, dirname(database.name)] : [root];
  await execa('chown', ['-R', '65534:65534', ...folders]);
}

/** Runs db-init as nobody. */
const asNobody = (): Promise<Runner> => Promise.resolve((words, env) => runAlone(words, { env, uid: 65_534 }));

/** A database whose server refuses every change of the schema, and says that this is the cause. */
async function failWith(installation: Installation, sqlstate: string): Promise<void> {
  await useOlderDatabase(installation);
  await execute(
    installation.database,
    `CREATE SCHEMA watch; CREATE FUNCTION watch.refuse() RETURNS event_trigger LANGUAGE plpgsql
       AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '${sqlstate}'; END $$;
     CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION watch.refuse()`,
  );
}
const remedied = inDatabase('DROP EVENT TRIGGER refuse');

/** Every case of an engine. */
export const casesOn = (engine: EngineName): readonly Case[] => [...statesOn(engine), ...othersOn(engine)];

/** States of the database, quarantines and backups. */
export function statesOn(engine: EngineName): readonly Case[] {
  const sqlite = engine === 'sqlite';
  const drop = (table: string): string => `DROP TABLE ${table}${sqlite ? '' : ' CASCADE'};`;
  const run = (sql: string) => async (installation: Installation) =>
    execute(installation.database, sqlite ? `PRAGMA foreign_keys = OFF; ${sql}` : sql);
  const withoutKey = (table: string): string =>
    `CREATE TABLE loaded AS SELECT * FROM ${table}; ${drop(table)} ALTER TABLE loaded RENAME TO ${table};`;
  const lastResort = sqlite ? [] : [follow(/^LAST RESORT, THIS DELETES ALL/, healthy)];
  const startOver = sqlite
    ? follow(/^Start over without losing anything/, kept)
    : follow(/^LAST RESORT, THIS DELETES ALL DATA: stop the application and start over/, healthy);
  const dangling = ({ root }: Installation) => ({ BACKUP_FOLDER: join(root, 'dangling') });
  const dangle = ({ root }: Installation) => symlink(join(root, 'nowhere/backups'), join(root, 'dangling'));
  const mendFolder: Preparation = async ({ installation: { root } }) => {
    await unlink(join(root, 'dangling'));
    await mkdir(join(root, 'dangling'));
  };
  const dangleAgain = (situation: { readonly check: Outcome['check'] }): Outcome =>
    outcome(async (given) => {
      await situation.check(given);
      await rm(join(given.installation.root, 'dangling'), { recursive: true });
      await dangle(given.installation);
    });
  const states: readonly Case[] = [
    {
      banner: 'refused partial',
      title: 'a partial migration',
      code: 11,
      make: run(`${oddTable} ${drop('users')}`),
      options: [saving(), follow(/^Start over without losing anything/, kept), restoring(), ...lastResort],
    },
    {
      banner: 'refused unversioned',
      title: 'a schema of no known revision, without a version',
      code: 12,
      make: run(`${oddTable} ${drop('alembic_version')} ALTER TABLE clients DROP COLUMN address;`),
      options: [
        saving(),
        follow(/^See every difference/, shown),
        follow(
          /^If you know its revision/,
          outcome(async ({ operator }) => assert.notEqual((await operator.dbInit('status')).exitCode, 12)),
        ),
        restoring(),
        startOver,
      ],
    },
    {
      banner: 'refused unversioned',
      title: 'a load that was cut off',
      code: 12,
      make: run(`${oddTable} ${coreTables.map(withoutKey).join(' ')} ${drop('alembic_version')}`),
      options: [restoring(/^Restore the backup again/), saving(), follow(/^Start over without losing anything/, kept)],
    },
    {
      banner: 'refused unversioned',
      title: 'a load that was cut off before its rows',
      code: 12,
      make: run(
        `${oddTable} DELETE FROM role_permissions; DELETE FROM user_roles; DELETE FROM permissions; DELETE FROM roles; ${drop('alembic_version')}`,
      ),
      options: [
        restoring(/^Restore the backup again/),
        saving(),
        follow(/^Start over without losing anything/, kept),
        follow(
          /^If you are certain that nothing is missing/,
          outcome(async ({ operator }) => assert.match((await operator.dbInit('status')).all, /revisions: \d/)),
        ),
      ],
    },
    {
      banner: 'refused ahead',
      title: 'a revision that is not known',
      code: 13,
      make: run(`UPDATE alembic_version SET version_num = '999_later'`),
      options: [
        leave(/^Use a newer db-init/, newImage),
        follow(/TT_ALLOW_NEWER_SCHEMA=true/, done, set('TT_ALLOW_NEWER_SCHEMA', 'true')),
        restoring(),
      ],
    },
    {
      banner: 'refused ahead',
      title: 'a version row that is cut off',
      code: 13,
      env: () => ({ TT_ALLOW_NEWER_SCHEMA: 'true' }),
      make: run(`UPDATE alembic_version SET version_num = substr(version_num, 1, 12)`),
      options: [
        follow(/^If the schema is at that revision/, healthy),
        follow(/^If you do not know where the schema is/, healthy),
        restoring(),
      ],
    },
    {
      banner: 'refused drifted',
      title: 'a schema that may not be mended',
      code: 14,
      env: () => ({ TT_DRIFT: 'fail' }),
      make: run(`${oddTable} ALTER TABLE clients DROP COLUMN address;`),
      options: [follow(/^See the SQL/, shown), saving(), follow(/^Repair it now/, healthy), restoring(), startOver],
    },
    {
      banner: 'refused drifted',
      title: 'a schema that cannot be mended',
      code: 14,
      make: run(
        `${oddTable} DELETE FROM role_permissions; DELETE FROM permissions WHERE id = (SELECT max(id) FROM permissions);`,
      ),
      options: [
        follow(/^See the SQL/, shown),
        saving(),
        leave(/^Correct these by hand/, itsStatements),
        restoring(),
        startOver,
      ],
    },
    {
      banner: 'refused drifted',
      title: 'a schema that would lack something at the head',
      code: 14,
      env: () => ({ TT_DRIFT: 'fail' }),
      make: async (installation) => {
        await useOlderDatabase(installation);
        await execute(installation.database, 'DROP INDEX ix_time_entries_billable_start_time');
      },
      options: [
        saving(),
        follow(/^Correct it by hand, or set TT_DRIFT=repair/, healthy, set('TT_DRIFT', 'repair')),
        restoring(),
        startOver,
      ],
    },
    {
      banner: 'refused drifted',
      title: 'an older schema that was stamped with a later revision',
      code: 14,
      make: async (installation) => {
        await emptied(installation);
        const stamp = sqlite ? '171_merge_kanban_feature_heads' : releaseGraph.heads.join();
        await migrateToRows(installation.database, ['049'], (session) =>
          session.run(`${oddTable} UPDATE alembic_version SET version_num = '${stamp}'`),
        );
      },
      options: [saving(), follow(/^After that backup, stamp it/, healthy), restoring(), startOver],
    },
    {
      banner: 'refused corrupted',
      title: 'tables of somebody else',
      code: 10,
      env: () => ({ TT_SKIP_DB_CLEANUP: 'true' }),
      make: (installation) => emptied(installation, oddTable),
      options: [
        follow(/^Check whether DATABASE_URL names the right/, done, async ({ operator }) =>
          operator.set('DATABASE_URL', (await (sqlite ? createSqliteDatabase() : createDatabase())).url),
        ),
        ...(sqlite ? [] : [follow(/TT_SKIP_DB_CLEANUP=false/, done, set('TT_SKIP_DB_CLEANUP', 'false'))]),
        follow(sqlite ? /put the file aside/ : /do the same by hand/, kept),
        restoring(),
        ...lastResort,
      ],
    },
    {
      banner: 'refused corrupted',
      title: 'tables of somebody else where TimeTracker must be',
      code: 16,
      env: () => ({ TT_REQUIRE_EXISTING: 'true' }),
      make: (installation) => emptied(installation, oddTable),
      options: [
        follow(/^Check which volume is mounted/, shown),
        leave(/^Check whether DATABASE_URL names the right/, 'the same sentence is followed where the cleanup is off'),
        restoring(),
        follow(/unset TT_REQUIRE_EXISTING/, kept, set('TT_REQUIRE_EXISTING')),
      ],
    },
    {
      banner: 'refused fresh',
      title: 'an empty database where one must be',
      code: 16,
      env: () => ({ TT_REQUIRE_EXISTING: 'true' }),
      make: (installation) => emptied(installation),
      options: [
        follow(/^Check which volume is mounted/, shown),
        restoring(),
        follow(/unset TT_REQUIRE_EXISTING/, healthy, set('TT_REQUIRE_EXISTING')),
      ],
    },
    {
      banner: 'refused foreign',
      title: "another application's database",
      code: 15,
      make: (installation) =>
        emptied(installation, 'CREATE TABLE django_migrations (id int); INSERT INTO django_migrations VALUES (1);'),
      options: [
        follow(/^Create a separate database for TimeTracker/, done, async ({ operator }) =>
          operator.set('DATABASE_URL', (await (sqlite ? createSqliteDatabase() : createDatabase())).url),
        ),
        follow(/^If nobody needs the data in this one/, kept),
      ],
    },
    {
      banner: 'verification-failed',
      title: 'a database that lacks rows of its revisions, without a version',
      code: 21,
      make: run(`${oddTable} ${drop('alembic_version')} DELETE FROM role_permissions; DELETE FROM permissions;`),
      options: [saving(), leave(/^Correct these by hand/, itsStatements), restoring(), startOver],
    },
    {
      banner: 'failed rows',
      title: 'rows that a revision forbids',
      code: 20,
      make: async (installation) => {
        await emptied(installation);
        await migrateToRows(installation.database, ['022'], (session) =>
          session.run(`
            INSERT INTO clients (id, name) VALUES (1, 'Ada'), (2, 'Bob');
            INSERT INTO projects (id, name, client_id) VALUES (1, 'Engine', 1), (2, 'Loom', 2);
            ALTER TABLE projects ADD COLUMN code VARCHAR(20); UPDATE projects SET code = 'ENG';`),
        );
      },
      options: [
        leave(/^If the reason is outside the database/, elsewhere),
        saving('Engine'),
        follow(/^If the reason names rows/, healthy, inDatabase("UPDATE projects SET code = 'LOOM' WHERE id = 2")),
        leave(/^Until then, you can start the former/, newImage),
      ],
    },
    {
      banner: 'refused unreadable',
      title: 'an alembic_version that is a view',
      code: 17,
      make: run(`${drop('alembic_version')} CREATE VIEW alembic_version AS SELECT 'x' AS version_num;`),
      options: [
        leave(/^If another program is working/, elsewhere),
        leave(/^If the reason names a missing right/, elsewhere),
        leave(/^If the reason names a damaged file/, elsewhere),
        restoring(),
      ],
    },
    {
      banner: 'locked',
      title: 'another run that holds the lock',
      code: 5,
      env: () => ({ TT_LOCK_TIMEOUT: '0' }),
      hold: ({ database }) => holdRunLock(database),
      options: [
        follow(/^Let it finish/, healthy, releaseAll),
        leave(/TT_LOCK_TIMEOUT/, 'it is a matter of time: that the lock is waited for is tested in gate/lock'),
        follow(/^If that run hangs/, done, releaseAll),
        leave(/^A paused run/, 'crash/stopped makes this state'),
      ],
    },
    {
      banner: 'adoption-refused',
      title: 'an adoption at another revision',
      code: 12,
      command: ['adopt', '--revision', '001'],
      make: run(drop('alembic_version')),
      options: [
        follow(/^Let db-init find the revision/, shown),
        leave(/^Correct by hand/, 'what is right depends on what the owner knows of the database'),
        follow(
          /^Make a backup, then stamp it/,
          outcome(async ({ operator }) => assert.match((await operator.dbInit('status')).all, /revisions: 001$/m)),
        ),
      ],
    },
    {
      banner: 'seed-refused',
      title: 'a seed of a database that is not current',
      code: 14,
      command: ['seed'],
      env: () => ({ FLASK_ENV: 'development' }),
      make: run('DROP INDEX ix_time_entries_billable_start_time;'),
      options: [follow(/^Run the gate first/, done), follow(/^See what is wrong/, shown)],
    },
    {
      banner: 'usage',
      title: 'a seed outside of development',
      code: 2,
      command: ['seed'],
      options: [
        follow(
          /^If you want that/,
          outcome(async ({ installation }) => assert((await snapshot(installation.database.url)).includes('@'))),
        ),
      ],
    },
    {
      banner: 'usage',
      title: 'a command that there is not',
      code: 2,
      command: ['resotre'],
      options: [follow(/^See which commands/, shown)],
    },
    {
      banner: 'configuration',
      title: 'settings that cannot be understood',
      code: 2,
      env: () => ({ TT_WAIT_TIMEOUT: 'soon' }),
      options: [
        follow(/^Correct the variables/, healthy, set('TT_WAIT_TIMEOUT', '9')),
        follow(/^See what every variable means/, shown),
      ],
    },
  ];
  const quarantines: readonly Case[] = [
    {
      banner: 'quarantine-refused names-taken',
      title: 'a quarantine whose names are in use again',
      code: 31,
      command: ['quarantine', 'restore', '@'],
      async make(_, { dbInit }) {
        await dbInit('quarantine', 'create', '--all', '--yes');
        await dbInit('gate');
      },
      options: [
        follow(/^Stop the application, move everything/, restored),
        leave(/rename the objects that have these names/, 'what to rename, and to what, is for a person to say'),
      ],
    },
    {
      banner: 'quarantine-refused not-held',
      title: 'a quarantine that is not there',
      code: 2,
      command: ['quarantine', 'restore', 'nothing'],
      options: [follow(/^List the quarantines/, shown)],
    },
    {
      banner: 'reset-refused not-recognised',
      title: 'a reset of what may be anybody’s',
      code: 15,
      command: ['reset'],
      make: (installation) => emptied(installation, 'CREATE TABLE users (id int);'),
      options: [
        follow(/^If it belongs to another application, create/, done, async ({ operator }) => {
          const { url } = await (sqlite ? createSqliteDatabase() : createDatabase());
          operator.set('DATABASE_URL', url);
        }),
        follow(/^Start over without losing anything/, kept),
      ],
    },
    {
      banner: 'reset-refused no-backup',
      title: 'a reset of which no backup can be made',
      code: 30,
      command: ['reset'],
      env: dangling,
      make: async (installation) => {
        await dangle(installation);
        await run(oddTable)(installation);
      },
      options: [
        follow(/^Correct that, then start again/, dangleAgain(healthy), mendFolder),
        follow(/^Save the database yourself/, saved),
        follow(/^Continue without a backup/, healthy),
      ],
    },
    {
      banner: 'backup-failed folder',
      title: 'a backup folder that is none',
      code: 30,
      command: ['backup', 'create'],
      env: dangling,
      make: dangle,
      options: [
        follow(/^Correct that/, dangleAgain(done), mendFolder),
        follow(/^Give the folder/, dangleAgain(done), mendFolder),
        follow(/somewhere else/, archived),
      ],
    },
    {
      banner: 'backup-failed folder',
      title: 'no safety backup where one must be made',
      code: 30,
      env: (installation) => ({ ...dangling(installation), TT_BACKUP_BEFORE_MIGRATE: 'always' }),
      make: async (installation) => {
        await dangle(installation);
        await useOlderDatabase(installation);
      },
      options: [
        follow(/^Correct that, then start again/, dangleAgain(healthy), mendFolder),
        follow(/TT_BACKUP_BEFORE_MIGRATE=auto/, saved),
      ],
    },
    {
      banner: 'backup-failed no-space',
      title: 'no room for a backup',
      code: 30,
      needsRoot: true,
      command: ['backup', 'create'],
      env: (installation) => ({ BACKUP_FOLDER: smallVolumeOf(installation) }),
      make: (installation) => mountSmall(installation),
      hold: (installation) => fillUp(installation),
      options: [
        follow(/^Free some space, then make the backup again/, done, releaseAll),
        follow(/^Put the archive somewhere else/, archived),
      ],
    },
    {
      banner: 'backup-failed no-space',
      title: 'no room for a safety backup',
      code: 30,
      needsRoot: true,
      env: (installation) => ({ BACKUP_FOLDER: smallVolumeOf(installation), TT_BACKUP_BEFORE_MIGRATE: 'always' }),
      async make(installation) {
        await mountSmall(installation);
        await useOlderDatabase(installation);
      },
      hold: (installation) => fillUp(installation),
      options: [
        follow(/^Correct that, then start again/, healthy, releaseAll),
        follow(/TT_BACKUP_BEFORE_MIGRATE=auto/, saved),
      ],
    },
    {
      banner: 'restore-refused no-space',
      title: 'no room for the uploads of an archive',
      code: 31,
      needsRoot: true,
      command: ['restore', 'FIRST', '--yes'],
      env: (installation) => ({ TT_STATIC_UPLOAD_FOLDER: smallVolumeOf(installation) }),
      async make(installation, { dbInit }) {
        await mountSmall(installation);
        await dbInit('restore', await backupIn(installation), '--yes');
      },
      hold: (installation) => fillUp(installation),
      options: [
        follow(/^Free some space, then restore again/, restoredAgain, releaseAll),
        follow(/^Or add --database-only/, doneWith('--database-only')),
        follow(
          /^Or delete what an earlier restore has kept/,
          outcome(async ({ operator }) =>
            assert.match((await operator.dbInit('restore', '--undo', '--yes')).all, /nothing to go back to/),
          ),
        ),
      ],
    },
    {
      banner: 'restore-refused folder',
      title: 'uploads that may not be written',
      code: 31,
      needsRoot: true,
      command: ['restore', 'FIRST', '--yes'],
      env: (installation) => ({ TT_STATIC_UPLOAD_FOLDER: smallVolumeOf(installation) }),
      hold: async (installation) => {
        const volume = await mountSmall(installation);
        volume.makeReadOnly();
        return async () => volume.makeWritable();
      },
      options: [
        follow(/^Mount a volume there/, restoredAgain, releaseAll),
        follow(/^Or add --database-only/, doneWith('--database-only')),
      ],
    },
    {
      banner: 'restore-refused folder',
      title: 'a restore that cannot note what it does',
      code: 31,
      needsRoot: true,
      command: ['restore', 'OUTSIDE', '--yes'],
      env: (installation) => ({ BACKUP_FOLDER: smallVolumeOf(installation) }),
      make: async (installation) =>
        copyFile(join(installation.backups, await backupIn(installation)), join(installation.root, outside)),
      hold: async (installation) => {
        const volume = await mountSmall(installation);
        volume.makeReadOnly();
        return async () => volume.makeWritable();
      },
      options: [follow(/^Mount a volume there/, restoredAgain, releaseAll)],
    },
    {
      banner: 'run-once-refused',
      title: 'a memory of TT_RUN_ONCE that is damaged',
      code: 2,
      env: () => ({ TT_RUN_ONCE: 'backup create' }),
      make: async ({ backups }) => {
        await mkdir(join(backups, '.db-init'), { recursive: true });
        await writeFile(join(backups, '.db-init/run-once.json'), 'nonsense');
      },
      options: [
        leave(/^Let the user of db-init/, elsewhere),
        follow(/^If the file is damaged, move it away/, done, ({ installation: { backups } }) =>
          rm(join(backups, '.db-init/run-once.json')),
        ),
        follow(/^Or unset TT_RUN_ONCE/, healthy, set('TT_RUN_ONCE')),
      ],
    },
    {
      banner: 'archive-rejected access',
      title: 'an archive that may not be read',
      code: 32,
      needsRoot: true,
      command: ['restore', 'zz-mine.zip', '--dry-run'],
      async make(installation) {
        await copyFile(
          join(installation.backups, await backupIn(installation)),
          join(installation.backups, 'zz-mine.zip'),
        );
        await openTo(installation);
        await chmod(join(installation.backups, 'zz-mine.zip'), 0o600);
        await chown(join(installation.backups, 'zz-mine.zip'), 0, 0);
      },
      runner: asNobody,
      options: [follow(/^Give the file to that user/, done), likewise],
    },
    {
      banner: 'backups-not-listed',
      title: 'backups that cannot be listed',
      code: 30,
      command: ['backup', 'list'],
      env: ({ root }) => ({ BACKUP_FOLDER: join(root, 'dangling') }),
      make: ({ root }) => writeFile(join(root, 'dangling'), 'a file'),
      options: [
        follow(
          /^Correct that, then list them again/,
          outcome(async ({ installation: { root } }) => {
            await rm(join(root, 'dangling'), { recursive: true });
            await writeFile(join(root, 'dangling'), 'a file');
          }),
          mendFolder,
        ),
      ],
    },
  ];
  return [...states, ...quarantines];
}

/** Archives, with obstacles of the machine or the server. */
export const othersOn = (engine: EngineName): readonly Case[] => [
  ...archives(engine),
  ...(engine === 'sqlite' ? onSqlite() : onPostgres()),
];

/** A tar archive of a folder. */
async function packed(fill: (folder: string) => Promise<unknown>): Promise<Buffer> {
  const folder = await temporaryDirectory();
  await fill(folder);
  return Buffer.from((await execa('tar', ['-czC', folder, '.'], { encoding: 'buffer' })).stdout);
}

/** Archives, and files that are given as one. */
function archives(engine: EngineName): readonly Case[] {
  const sqlite = engine === 'sqlite';
  const damaged = (whole: Buffer): Buffer => {
    const middle = Math.floor(whole.length / 2);
    return whole.fill(0, middle, middle + 8);
  };
  const halves = async (installation: Installation): Promise<readonly [Buffer, Buffer]> => {
    const whole = await readFile(join(installation.backups, await backupIn(installation)));
    const middle = Math.floor(whole.length / 2);
    return [whole.subarray(0, middle), whole.subarray(middle)];
  };
  const innerOf = async (installation: Installation, change: (sql: TestDatabase) => Promise<void>): Promise<Buffer> => {
    const copy = await (sqlite ? createSqliteDatabase() : createDatabase());
    await copyDatabase(installation.database, copy);
    await change(copy);
    return sqlite ? readFile(copy.name) : dumpOf({ ...installation, database: copy }, '--format=custom');
  };
  const craft = async (installation: Installation, name: string, change: (copy: TestDatabase) => Promise<void>) => {
    const [revision] = await ask(installation.database, 'SELECT version_num FROM alembic_version');
    const archive = await applicationArchive(engine, await innerOf(installation, change), String(revision));
    await copyFile(archive, join(installation.backups, name));
  };
  const given =
    (name: string, content: (installation: Installation) => Promise<Buffer | string>) =>
    async (installation: Installation, operator: Operator) =>
      lay(installation, operator, name, await content(installation));
  const intoDatabase = sqlite
    ? leave(/^Set DATABASE_URL to a PostgreSQL database/, 'it asks for a server that is not there')
    : follow(/^Restore it into a new database/, restored);
  const folderOf =
    (path: (name: string) => string) =>
    async (installation: Installation): Promise<Buffer> => {
      const zip = new AdmZip();
      const name = await backupIn(installation);
      zip.addFile(path(name), await readFile(join(installation.backups, name)));
      return zip.toBuffer();
    };
  const other = (
    title: string,
    name: string,
    content: (installation: Installation) => Promise<Buffer | string>,
    option: Option,
  ): Case => ({
    banner: 'archive-rejected other-format',
    title,
    code: 32,
    command: ['restore', name],
    make: given(name, content),
    options: [option, likewise],
  });
  return [
    {
      banner: 'archive-rejected missing',
      title: 'an archive that is not there',
      code: 32,
      command: ['restore', 'my copy.zip'],
      make: async (installation, { folder }) =>
        copyFile(join(installation.backups, await backupIn(installation)), join(folder, 'my copy.zip')),
      options: [
        follow(/^See which backups there are/, shown),
        follow(/^If the archive is in another folder/, restored),
      ],
    },
    {
      banner: 'archive-rejected missing',
      title: 'an archive that is not there at a start',
      code: 32,
      env: () => ({ TT_RESTORE_FROM: 'my copy.zip' }),
      make: async (installation, { folder }) =>
        copyFile(join(installation.backups, await backupIn(installation)), join(folder, 'my copy.zip')),
      options: [
        follow(/^See which backups there are/, shown),
        leave(/^If the archive is in another folder/, 'the same commands are followed where it is given by hand'),
        follow(/^Or start without it/, healthy, set('TT_RESTORE_FROM')),
      ],
    },
    {
      banner: 'archive-rejected invalid',
      title: 'an archive that is damaged',
      code: 32,
      command: ['restore', 'zz-damaged.zip', '--dry-run'],
      make: async (installation) =>
        writeFile(
          join(installation.backups, 'zz-damaged.zip'),
          damaged(await readFile(join(installation.backups, await backupIn(installation)))),
        ),
      options: [
        follow(/^If it is a copy, copy it again/, done, async ({ installation }) =>
          copyFile(
            join(installation.backups, await backupIn(installation)),
            join(installation.backups, 'zz-damaged.zip'),
          ),
        ),
        anotherBackup,
      ],
    },
    {
      banner: 'archive-rejected piece',
      title: 'one piece of an archive',
      code: 32,
      command: ['restore', 'backup.zip.001'],
      async make(installation, { folder }) {
        const [one, two] = await halves(installation);
        await writeFile(join(installation.backups, 'backup.zip.001'), one);
        await writeFile(join(folder, 'backup.zip.001'), one);
        await writeFile(join(folder, 'backup.zip.002'), two);
      },
      options: [
        follow(/^If the pieces were cut/, restored),
        leave(/^If it is a split ZIP archive/, 'it is for pieces of another kind'),
        likewise,
      ],
    },
    {
      banner: 'archive-rejected unknown-objects',
      title: 'an archive with code of somebody else',
      code: 32,
      command: ['restore', 'zz-code.zip', '--dry-run'],
      make: (installation) =>
        craft(installation, 'zz-code.zip', (copy) =>
          execute(
            copy,
            sqlite
              ? 'CREATE TRIGGER theirs AFTER INSERT ON clients BEGIN DELETE FROM users; END;'
              : 'CREATE FUNCTION theirs() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;',
          ),
        ),
      options: [likewise, follow(/^If you made the archive yourself/, restored)],
    },
    {
      banner: 'archive-rejected unusable',
      title: 'an archive of a database that cannot be brought up to date',
      code: 32,
      command: ['restore', 'zz-newer.zip', '--yes'],
      make: (installation) =>
        craft(installation, 'zz-newer.zip', (copy) =>
          execute(copy, "UPDATE alembic_version SET version_num = '999_later'"),
        ),
      options: [leave(/^Use the image of db-init/, newImage), likewise],
    },
    {
      banner: 'archive-rejected too-large',
      title: 'an archive with more files than are allowed',
      code: 32,
      command: ['restore', 'FIRST', '--yes'],
      env: () => ({ TT_ARCHIVE_MAX_ENTRIES: '1' }),
      options: [follow(/raise TT_ARCHIVE_MAX_/, restoredAgain, set('TT_ARCHIVE_MAX_ENTRIES', '100')), likewise],
    },
    {
      banner: 'archive-rejected wrapped',
      title: 'an archive that is packed once more',
      code: 32,
      command: ['restore', 'packed.zip.gz'],
      make: given('packed.zip.gz', async (installation) =>
        gzipSync(await readFile(join(installation.backups, await backupIn(installation)))),
      ),
      options: [follow(/^Unpack it/, restored), likewise],
    },
    ...(sqlite
      ? []
      : [
          {
            banner: 'restore-refused rows-do-not-fit',
            title: 'rows of SQLite that PostgreSQL does not hold',
            code: 31,
            command: ['restore', 'zz-other.zip', '--yes'],
            make: ({ backups }) => copyFile(currentArchive('sqlite'), join(backups, 'zz-other.zip')),
            options: [
              leave(/^Correct these rows/, 'what is right depends on what the owner knows of the database'),
              follow(/^Or put these rows into a quarantine schema/, healthy),
            ],
          } satisfies Case,
        ]),
    other(
      'a dump of plain SQL instead of an archive',
      'backup.sql',
      textOf,
      sqlite ? follow(/^It was made from an SQLite file/, shown) : intoDatabase,
    ),
    ...(sqlite
      ? []
      : [
          other(
            'a dump in the format of a directory',
            'zz-dump.tar.gz',
            (installation) =>
              packed((folder) =>
                execa('pg_dump', ['-Fd', '--no-owner', '-f', join(folder, 'dump'), installation.database.url]),
              ),
            follow(/^Restore it into a new database/, restored),
          ),
          other(
            'a dump for pg_restore',
            'backup.dump.gz',
            async (installation) => gzipSync(await dumpOf(installation, '-Fc')),
            intoDatabase,
          ),
        ]),
    other(
      'an export instead of an archive',
      'export.json',
      () => Promise.resolve(JSON.stringify({ clients: [{ id: 1, name: 'Ada' }] })),
      follow(
        /^Take a ZIP archive instead/,
        outcome(async ({ installation }) =>
          assert.equal((await readdir(installation.backups)).filter((name) => name.endsWith('.zip')).length, 2),
        ),
      ),
    ),
    other(
      'an archive within another one',
      'zz-all.zip',
      folderOf((name) => `backups/${name}`),
      follow(/^Unpack it, and let db-init restore what is in it/, restored),
    ),
    other(
      'an archive that was unpacked',
      'zz-all.tar.gz',
      (installation) =>
        packed(async (folder) =>
          new AdmZip(join(installation.backups, await backupIn(installation))).extractAllTo(folder),
        ),
      follow(/^Pack it again as a ZIP archive/, restored),
    ),
    other(
      'a folder of uploads',
      'zz-uploads.tar.gz',
      () =>
        packed(async (folder) => {
          await mkdir(join(folder, 'uploads/logos'), { recursive: true });
          await writeFile(join(folder, 'uploads/logos/mine.png'), 'an older logo');
        }),
      follow(
        /^Files of the same name are replaced/,
        outcome(async ({ installation }) =>
          assert.equal(await readFile(join(installation.statics, 'logos/mine.png'), 'utf8'), 'an older logo'),
        ),
      ),
    ),
    {
      banner: 'restore-refused nothing-kept',
      title: 'nothing that an undo could put back',
      code: 31,
      command: ['restore', '--undo', '--yes'],
      options: [follow(/^See which backups there are, and/, restored)],
    },
    {
      banner: 'restore-refused former-gone',
      title: 'a former database that is gone',
      code: 31,
      command: ['restore', '--undo', '--yes'],
      async make(installation, { dbInit }) {
        await dbInit('restore', await backupIn(installation), '--yes');
        const former = await formerOf(installation);
        if (sqlite) await rm(join(dirname(installation.database.name), former));
        else await admin(`DROP DATABASE "${former}" WITH (FORCE)`);
      },
      options: [
        follow(/^See which backups there are, and/, restored),
        follow(
          /^Remove it from the history/,
          outcome(async ({ operator, words }) =>
            assert.match((await operator.dbInit(...words)).all, /has no record of a restore of this database/),
          ),
        ),
      ],
    },
    {
      banner: 'restore-refused former-changed',
      title: 'a former database that somebody changed',
      code: 31,
      command: ['restore', '--undo', '--yes'],
      async make(installation, { dbInit }) {
        await dbInit('restore', await backupIn(installation), '--yes');
        const former = await formerOf(installation);
        const name = sqlite ? join(dirname(installation.database.name), former) : former;
        await execute(
          { ...installation.database, name, url: sqlite ? '' : databaseUrl(former) },
          'DELETE FROM clients',
        );
      },
      options: [
        leave(/^Correct these changes/, 'what is right depends on what the owner knows of the database'),
        follow(/^Or put it back with these changes/, healthy),
        follow(/^Or restore a backup/, restored),
      ],
    },
  ];
}

/** Refusals on SQLite because of other programs or users. */
function onSqlite(): readonly Case[] {
  const inUse = (
    banner: Case['banner'],
    title: string,
    code: number,
    command: readonly string[],
    words: RegExp,
  ): Case => ({
    banner,
    title,
    code,
    command,
    hold: ({ database }) => writeInto(database.name),
    options: [follow(words, done, releaseAll)],
  });
  const small = (installation: Installation): string => join(smallVolumeOf(installation), 'timetracker.db');
  return [
    {
      banner: 'failed disk-full',
      title: 'a migration on a disk that is full',
      code: 20,
      needsRoot: true,
      env: (installation) => ({ DATABASE_URL: sqliteUrl(small(installation)), TT_BACKUP_BEFORE_MIGRATE: 'never' }),
      async make(installation) {
        await mountSmall(installation);
        await useOlderDatabase(installation);
        await copyFile(installation.database.name, small(installation));
      },
      hold: (installation) => fillUp(installation),
      options: [
        follow(/^See how full the disk is/, shown),
        follow(/^Then start again/, healthy, releaseAll),
        leave(/^Until then, you can start the former/, newImage),
      ],
    },
    {
      banner: 'file-access-denied',
      title: 'a file that may not be written',
      code: 4,
      needsRoot: true,
      runner: asNobody,
      async make(installation) {
        await openTo(installation);
        await execa('chown', ['-R', '0:0', dirname(installation.database.name)]);
        await chmod(dirname(installation.database.name), 0o755);
      },
      options: [
        follow(/^Give the folder of the file/, done),
        follow(/^Or run both as the owner/, done, ({ operator }) => operator.runBy(null)),
      ],
    },
    {
      banner: 'state-folder-denied',
      title: "a folder of db-init's that belongs to another user",
      code: 31,
      needsRoot: true,
      runner: asNobody,
      async make(installation) {
        await openTo(installation);
        await execa('chown', ['-R', '0:0', join(installation.backups, '.db-init')]);
      },
      options: [
        follow(/^Give the folder to the user/, done),
        follow(/^Or run db-init as uid/, done, ({ operator }) => operator.runBy(null)),
      ],
    },
    {
      banner: 'restore-refused symbolic-link',
      title: 'a restore in the place of a link',
      code: 31,
      command: ['restore', 'FIRST', '--yes'],
      env: ({ root }) => ({ DATABASE_URL: sqliteUrl(join(root, 'link.db')) }),
      make: ({ database, root }) => symlink(database.name, join(root, 'link.db')),
      options: [
        follow(/^Set DATABASE_URL to the file itself/, restoredAgain, ({ installation: { database }, operator }) =>
          operator.set('DATABASE_URL', database.url),
        ),
      ],
    },
    {
      banner: 'refused unreadable',
      title: 'a log of another copy beside the file',
      code: 17,
      make: addForeignLog,
      options: [
        follow(/^Stop the application, move the write-ahead log away/, healthy),
        leave(
          /^If the file was copied while the application was running/,
          'it asks for the files where they came from',
        ),
        follow(/^Or move it away as above/, restored, ({ installation }) => rm(`${installation.database.name}-wal`)),
      ],
    },
    inUse(
      'restore-refused file-in-use',
      'a restore beside a program that has the file open',
      31,
      ['restore', 'FIRST', '--yes'],
      /^Stop the program that uses it/,
    ),
    inUse(
      'quarantine-refused file-in-use',
      'a quarantine beside a program that has the file open',
      10,
      ['quarantine', 'create', '--all', '--yes'],
      /^Stop the program that uses it/,
    ),
    inUse(
      'reset-refused file-in-use',
      'a reset beside a program that has the file open',
      2,
      ['reset'],
      /^Stop the program that uses it/,
    ),
  ];
}

/** The causes of a failure of the server. */
function causes(): readonly Case[] {
  const cause = (kind: Cause['kind'], sqlstate: string, options: readonly Option[], code = 20): Case => ({
    banner: `failed ${kind}`,
    title: `a migration that failed: ${kind}`,
    code,
    make: (installation) => failWith(installation, sqlstate),
    options: [...options, leave(/^Until then, you can start the former/, newImage)],
  });
  const log = follow(/^Read the log of the server/, shown);
  return [
    cause('disk-full', '53100', [
      follow(/^See how full the disk is/, shown),
      follow(/^Then start again/, healthy, remedied),
    ]),
    cause('memory', '53200', [follow(/^Give the database server more memory/, healthy, remedied), log]),
    cause(
      'connections',
      '53300',
      [follow(/^See who is connected/, healthy, remedied), follow(/^Or raise the limit/, shown)],
      3,
    ),
    cause('deadlock', '40P01', [follow(/^Stop the application and everything else/, healthy, remedied)]),
    cause('cancelled', '57014', [
      follow(/^If TT_STATEMENT_TIMEOUT is set/, healthy, remedied),
      follow(/^If it is not set, find out from the server's log what cancels statements/, healthy, remedied),
    ]),
    cause('read-only', '25006', [follow(/^If the server is a standby/, healthy, remedied), log]),
    cause('rights', '42501', [leave(/^Let a superuser make this user the owner/, itsStatements)], 4),
    cause('damage', '58030', [
      follow(/^Before anything else, stop the application and the server/, shown),
      leave(/^Check the disk/, 'it is a look at the machine'),
      restoring(),
    ]),
    cause('event-triggers', 'P0001', [follow(/^Let a superuser disable it/, healthy)]),
  ];
}

/** Refusals because of other sessions, or of the server itself. */
function onPostgres(): readonly Case[] {
  const inside = ({ database }: Installation) => connectAsApplication(database.url);
  return [
    {
      banner: 'missing-rights',
      title: 'a user who may not make tables',
      code: 4,
      env: (installation) => addressOf(installation),
      async make(installation) {
        await createPowerlessUser(installation);
        await emptied(installation);
        await execute(installation.database, 'REVOKE CREATE ON SCHEMA public FROM PUBLIC');
      },
      options: [follow(/^Let a superuser or the owner/, done)],
    },
    {
      banner: 'refused elsewhere',
      title: 'TimeTracker in another schema',
      code: 17,
      env: (installation) => addressOf(installation),
      async make(installation) {
        await createPowerlessUser(installation);
        const user = powerlessUserOf(installation);
        await execute(
          installation.database,
          `ALTER SCHEMA public RENAME TO app; CREATE SCHEMA public AUTHORIZATION "${user}"; ALTER SCHEMA app OWNER TO "${user}";
           ${givingTables('app', user)}`,
        );
      },
      options: [
        follow(
          /^If the tables in schema/,
          outcome(async (situation) => {
            await done.check(situation);
            await admin(
              `ALTER ROLE "${powerlessUserOf(situation.installation)}" IN DATABASE "${situation.installation.database.name}" RESET search_path`,
            );
          }),
        ),
        follow(/^Or add this to DATABASE_URL/, done, ({ installation, operator }) =>
          operator.set('DATABASE_URL', addressOf(installation, 'app').DATABASE_URL),
        ),
        follow(/^If you want a second installation/, done, async ({ operator }) =>
          operator.set('DATABASE_URL', (await createDatabase()).url),
        ),
      ],
    },
    {
      banner: 'refused elsewhere',
      title: 'a user who may not use the schema',
      code: 17,
      env: (installation) => addressOf(installation),
      async make(installation) {
        await createPowerlessUser(installation);
        const user = powerlessUserOf(installation);
        await execute(
          installation.database,
          `${givingTables('public', user)};
           REVOKE ALL ON SCHEMA public FROM PUBLIC, "${user}"`,
        );
      },
      options: [
        follow(/^If the tables in schema .* grant the right/, done),
        follow(/^If you want a second installation/, done, async ({ operator }) =>
          operator.set('DATABASE_URL', (await createDatabase()).url),
        ),
      ],
    },
    {
      banner: 'closed-database',
      title: 'a database whose drop was cut off, with a former one beside it',
      code: 4,
      make: async (installation, { dbInit }) => dbInit('restore', await backupIn(installation), '--yes'),
      hold: async (installation) => cutOffDrop(installation.database.name),
      options: [
        leave(/^Finish the drop, create the database again/, 'it is followed where nothing lies beside the database'),
        follow(/^Or use .* instead/, restored),
      ],
    },
    {
      banner: 'closed-database',
      title: 'a database that lets nobody in, with the journal of a restore that cannot be read',
      code: 4,
      async make({ database, backups }) {
        await mkdir(join(backups, '.db-init'), { recursive: true });
        await writeFile(join(backups, '.db-init', 'restore.json'), 'nonsense');
        await admin(`ALTER DATABASE "${database.name}" ALLOW_CONNECTIONS false`);
      },
      options: [
        leave(
          /^Allow connections again/,
          'the gate refuses the journal until it is moved away, which the next option says',
        ),
        follow(/^When the right database has the name/, healthy, async ({ installation: { database, backups } }) => {
          await admin(`ALTER DATABASE "${database.name}" ALLOW_CONNECTIONS true`);
          await rm(join(backups, '.db-init', 'restore.json'));
        }),
      ],
    },
    {
      banner: 'backup-failed no-tool',
      title: 'a backup without pg_dump',
      code: 30,
      needsRoot: true,
      command: ['backup', 'create'],
      runner: () => machineWith({}),
      options: [
        follow(/^Use a newer image of db-init/, done, ({ operator }) => operator.runBy(null)),
        follow(/^Until then, save the database by hand/, savedWith(marker)),
      ],
    },
    {
      banner: 'backup-failed no-tool',
      title: 'a safety backup without pg_dump',
      code: 30,
      needsRoot: true,
      env: () => ({ TT_BACKUP_BEFORE_MIGRATE: 'always' }),
      make: useOlderDatabase,
      runner: () => machineWith({}),
      options: [
        leave(/^Correct that/, 'the same tools are brought where the backup is made by hand'),
        follow(/TT_BACKUP_BEFORE_MIGRATE=auto/, saved),
      ],
    },
    {
      banner: 'archive-rejected no-tool',
      title: 'an archive without pg_restore',
      code: 32,
      needsRoot: true,
      command: ['restore', 'FIRST', '--yes'],
      runner: () => machineWith({}),
      options: [
        follow(/^Use a newer image of db-init/, restoredAgain, ({ operator }) => operator.runBy(null)),
        likewise,
      ],
    },
    {
      banner: 'unreachable',
      title: 'a server that does not answer',
      code: 3,
      env: () => ({ DATABASE_URL: 'postgresql://app:app@127.0.0.1:1/app', TT_WAIT_TIMEOUT: '0' }),
      options: [
        follow(/^Check whether the database server is running/, shown),
        follow(/^Compare the host and port/, done, ({ installation, operator }) =>
          operator.set('DATABASE_URL', installation.database.url),
        ),
        leave(/TT_WAIT_TIMEOUT/, 'it is a matter of time: that a server is waited for is tested in database/waiting'),
      ],
    },
    {
      banner: 'no-such-database',
      title: 'a database that is not there',
      code: 3,
      make: ({ database }) => database.drop(),
      options: [
        follow(/^Compare the name at the end/, done, async ({ operator }) =>
          operator.set('DATABASE_URL', (await createDatabase()).url),
        ),
        follow(/^If it never existed, create it/, healthy),
        leave(/^The server reads POSTGRES_DB/, 'it is an explanation'),
      ],
    },
    {
      banner: 'access-denied',
      title: 'a user whom the server does not know',
      code: 4,
      env: ({ database: { url } }) => ({
        DATABASE_URL: url.replace(/\/\/[^:@]*/, '//nobody_at_all'),
        TT_WAIT_TIMEOUT: '0',
      }),
      options: [
        follow(/^Compare the user and password/, done, ({ installation, operator }) =>
          operator.set('DATABASE_URL', installation.database.url),
        ),
        leave(/^The server reads POSTGRES_PASSWORD/, 'its command asks for the new password at a terminal'),
        leave(/^If the reason names TLS/, elsewhere),
      ],
    },
    {
      banner: 'closed-database',
      title: 'a database that lets nobody in',
      code: 4,
      make: ({ database }) => admin(`ALTER DATABASE "${database.name}" ALLOW_CONNECTIONS false`),
      options: [follow(/^Allow connections again/, healthy)],
    },
    {
      banner: 'closed-database',
      title: 'a database whose drop was cut off',
      code: 4,
      hold: ({ database }) => cutOffDrop(database.name),
      options: [follow(/^Finish the drop, create the database again/, restored)],
    },
    {
      banner: 'restore-refused former-dropped',
      title: 'a former database whose drop was cut off',
      code: 31,
      command: ['restore', '--undo', '--yes'],
      make: async (installation, { dbInit }) => dbInit('restore', await backupIn(installation), '--yes'),
      hold: async (installation) => cutOffDrop(await formerOf(installation)),
      options: [
        follow(/^See which backups there are, and/, restored),
        follow(/^Finish the drop/, healthy),
        leave(/^Or finish it by hand/, 'it is the statement that the option before runs'),
      ],
    },
    {
      banner: 'unfit-encoding',
      title: 'a database in another encoding than UTF-8',
      code: 2,
      async make({ database: { name } }) {
        await admin(`DROP DATABASE "${name}" WITH (FORCE)`);
        await admin(`CREATE DATABASE "${name}" TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`);
      },
      options: [
        follow(/^If this database contains rows/, shown),
        follow(/^Create a database in UTF8/, healthy, ({ installation: { database }, operator }) =>
          operator.set('DATABASE_URL', databaseUrl(`${database.name}_utf8`)),
        ),
        follow(
          /^Restore the backup into the new database/,
          outcome(async ({ installation: { database } }) => {
            const url = databaseUrl(`${database.name}_utf8`);
            assert((await snapshot(url)).includes(marker));
          }),
          async ({ installation: { database }, operator }) => {
            await admin(`DROP DATABASE IF EXISTS "${database.name}_utf8" WITH (FORCE)`);
            await admin(`CREATE DATABASE "${database.name}_utf8" TEMPLATE template0 ENCODING 'UTF8'`);
            operator.set('DATABASE_URL', databaseUrl(`${database.name}_utf8`));
          },
        ),
      ],
    },
    {
      banner: 'restore-refused others-are-connected',
      title: 'a restore while the application is connected',
      code: 31,
      command: ['restore', 'FIRST', '--yes'],
      hold: inside,
      options: [
        follow(/^Stop the connected programs/, done, releaseAll),
        follow(/^Or give --disconnect/, doneWith('--disconnect')),
      ],
    },
    {
      banner: 'reset-refused others-are-connected',
      title: 'a reset while the application is connected',
      code: 2,
      command: ['reset'],
      hold: inside,
      options: [
        follow(/^Stop the connected programs/, healthy, releaseAll),
        follow(/^Or let db-init end these sessions/, healthy),
      ],
    },
    {
      banner: 'quarantine-refused others-are-connected',
      title: 'a quarantine while the application is connected',
      code: 10,
      command: ['quarantine', 'create', '--all', '--yes'],
      hold: inside,
      options: [follow(/^Stop the connected programs/, done, releaseAll)],
    },
    {
      banner: 'refused corrupted',
      title: 'a cleanup while somebody is connected',
      code: 10,
      make: (installation) => emptied(installation, oddTable),
      hold: inside,
      options: [follow(/^Stop the connected programs/, healthy, releaseAll)],
    },
    {
      banner: 'failed lock-timeout',
      title: 'a table that somebody has locked',
      code: 20,
      env: () => ({ TT_MIGRATION_LOCK_TIMEOUT: '1' }),
      make: useOlderDatabase,
      hold: ({ database }) => connectAsApplication(database.url, 'BEGIN', 'SELECT FROM users'),
      options: [
        follow(/^Stop the application, or the other program/, healthy, releaseAll),
        follow(/^Or end these sessions/, healthy),
        leave(/TT_MIGRATION_LOCK_TIMEOUT/, 'it is a matter of time'),
        leave(/^Until then, you can start the former/, newImage),
      ],
    },
    {
      banner: 'reset-refused blocking-objects',
      title: 'a reset of what somebody else needs',
      code: 2,
      command: ['reset'],
      make: ({ database }) => execute(database, 'CREATE VIEW theirs AS SELECT id FROM users'),
      options: [
        follow(/^Start over without losing anything/, kept),
        follow(/^Or drop the listed objects yourself/, done, inDatabase('DROP VIEW theirs')),
      ],
    },
    ...causes(),
  ];
}
