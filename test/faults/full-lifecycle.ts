import { expect } from 'vitest';
import { archivesIn } from '../integration/backup/backups.ts';
import { few } from '../integration/seed/seeds.ts';
import { withClient } from '../support/database.ts';
import { release } from '../support/fixtures.ts';
import { restoreSql } from '../support/restore-sql.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { runInProcess } from '../support/run-in-process.ts';

/** The database of an older release, as SQL. */
export const oldRelease = release('pg', 'v4.20.0', 'before.sql.gz');

/** An old installation in which all users are called `name`. @returns the environment for db-init */
export async function oldInstallation(url: string, name: string, sql = oldRelease): Promise<Environment> {
  await restoreSql(url, sql);
  await withClient(url, (client) => client.query('UPDATE users SET full_name = $1', [name]));
  const folder = await temporaryDirectory();
  return { DATABASE_URL: url, UPLOAD_FOLDER: folder, BACKUP_FOLDER: `${folder}/backups`, TT_WAIT_TIMEOUT: '10' };
}

export const namesIn = (url: string): Promise<unknown[]> =>
  withClient(url, async (client) => {
    await client.query('SET statement_timeout TO 0; SET search_path TO public; SET client_encoding TO UTF8');
    const { rows } = await client.query<{ full_name: string }>('SELECT DISTINCT full_name FROM users');
    return rows.map((row) => row.full_name);
  });

type Environment = Readonly<Record<string, string>>;

async function succeed(env: Environment, ...args: readonly string[]): Promise<string> {
  const { exitCode, all } = await runInProcess(args, env);
  expect(exitCode, `${args.join(' ')}: ${all}`).toBe(0);
  return all;
}

/** Migrates an old installation, restores the state from before, and undoes the restore. */
export async function goBackAndForth(env: Environment, superuser: string, name: string): Promise<void> {
  const { BACKUP_FOLDER: backups = '' } = env;
  expect(await succeed(env, 'gate')).toContain('Safety backup: ');
  expect(await namesIn(superuser)).toEqual([name]);
  const [safety = ''] = await archivesIn(backups);
  await succeed(env, 'restore', `${backups}/${safety}`, '--yes');
  expect(await namesIn(superuser)).toEqual([name]);
  await succeed(env, 'restore', '--undo', '--yes');
  expect(await namesIn(superuser)).toEqual([name]);
}

/** The command that resets a database. */
export const resetOf = (url: string): readonly string[] => [
  'reset',
  `--yes-delete-all-data=${decodeURIComponent(new URL(url).pathname.slice(1))}`,
];

/** All steps in the life of an installation. A disturbing setting would make one of them fail. */
export async function runLifecycle(env: Environment, superuser: string, name: string): Promise<number> {
  await goBackAndForth(env, superuser, name);
  await succeed(env, ...resetOf(superuser));
  expect(await namesIn(superuser)).toEqual([]);
  return (await runInProcess(['verify'], env)).exitCode;
}

/**
 * Runs all manual commands on a new database: repair of damage, seed, adopt, quarantine.
 * @returns the quarantines that are left
 */
export async function runManualCommands(url: string, superuser: string): Promise<readonly string[]> {
  const env = {
    DATABASE_URL: url,
    UPLOAD_FOLDER: await temporaryDirectory(),
    BACKUP_FOLDER: await temporaryDirectory(),
    FLASK_ENV: 'development',
  };
  const damage = (sql: string): Promise<unknown> => withClient(superuser, (client) => client.query(sql));
  await succeed(env, 'gate');
  await damage(`DROP TABLE deleted_usernames; DROP INDEX ix_tasks_external_ref;
    ALTER TABLE users ALTER COLUMN role DROP DEFAULT; ALTER TABLE tasks DROP COLUMN priority`);
  await succeed(env, 'repair');
  await succeed(env, 'seed', ...few);
  await damage('DROP TABLE alembic_version');
  await succeed(env, 'adopt');
  await succeed(env, 'verify');
  // first, so that the shortest time limit does not end the run while it loads its modules
  await succeed(env, 'quarantine', 'list');
  await succeed(env, 'quarantine', 'create', '--all', '--yes');
  const [put] = await namesHeld(superuser);
  await succeed(env, 'quarantine', 'restore', put ?? '');
  await succeed(env, 'verify');
  await succeed(env, 'quarantine', 'create', '--all', '--yes');
  const [held] = await namesHeld(superuser);
  await succeed(env, 'quarantine', 'purge', held ?? '', '--yes');
  return namesHeld(superuser);
}

const namesHeld = (url: string): Promise<readonly string[]> =>
  withClient(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      "SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE 'tt_quarantine_%'",
    );
    return rows.map(({ name }) => name);
  });
