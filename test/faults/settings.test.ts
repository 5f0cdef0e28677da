import { beforeAll, expect, it } from 'vitest';
import { createDatabase, withClient } from '../support/database.ts';
import { describePostgres, requirePostgres } from '../support/postgres-server.ts';
import { describePrivateCluster, type PrivateCluster, startPrivateCluster } from '../support/private-cluster.ts';
import { release } from '../support/fixtures.ts';
import { restoreSql } from '../support/restore-sql.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { archivesIn } from '../integration/backup/backups.ts';
import { runHere } from './here.ts';
import { ownerOf } from './owners.ts';

/** Settings of sessions that would make some statement fail, or come out otherwise. */
const biting: readonly (readonly [string, string])[] = [
  ['statement_timeout', '20'],
  ['lock_timeout', '20'],
  ['idle_in_transaction_session_timeout', '1'],
  ['idle_session_timeout', '50'],
  ['default_transaction_read_only', 'on'],
  ['default_transaction_isolation', 'serializable'],
  ['default_transaction_deferrable', 'on'],
  ['search_path', 'elsewhere'],
  ['standard_conforming_strings', 'off'],
  ['quote_all_identifiers', 'on'],
  ['row_security', 'off'],
  ['DateStyle', "'SQL, DMY'"],
  ['IntervalStyle', 'sql_standard'],
  ['TimeZone', "'Asia/Kathmandu'"],
  ['bytea_output', 'escape'],
  ['extra_float_digits', '-15'],
  ['client_encoding', 'LATIN1'],
];

const tag = 'v4.20.0';
/** Nothing that LATIN1 knows, and what strings are quoted with. */
const name = String.raw`Größe € 日本 \' "x" \\`;

/** An old installation with a name in it that an encoding or a quotation mark could spoil. */
async function oldInstallation(url: string): Promise<Readonly<Record<string, string>>> {
  await restoreSql(url, release('pg', tag, 'before.sql.gz'));
  await withClient(url, (client) => client.query('UPDATE users SET full_name = $1', [name]));
  const folder = await temporaryDirectory();
  return { DATABASE_URL: url, UPLOAD_FOLDER: folder, BACKUP_FOLDER: `${folder}/backups`, TT_WAIT_TIMEOUT: '10' };
}

const namesIn = (url: string): Promise<unknown[]> =>
  withClient(url, async (client) => {
    await client.query('SET statement_timeout TO 0; SET search_path TO public; SET client_encoding TO UTF8');
    const { rows } = await client.query<{ full_name: string }>('SELECT DISTINCT full_name FROM users');
    return rows.map((row) => row.full_name);
  });

/** Everything that an installation goes through, each step of which would fail if it let a setting bite. */
async function liveThrough(env: Readonly<Record<string, string>>, superuser: string): Promise<number> {
  const { BACKUP_FOLDER: backups = '' } = env;
  const succeed = async (...args: readonly string[]): Promise<string> => {
    const { exitCode, all } = await runHere(args, env);
    expect(exitCode, `${args.join(' ')}: ${all}`).toBe(0);
    return all;
  };
  expect(await succeed('gate')).toContain('Safety backup: ');
  expect(await namesIn(superuser)).toEqual([name]);
  const [safety = ''] = await archivesIn(backups);
  await succeed('restore', `${backups}/${safety}`, '--yes');
  expect(await namesIn(superuser)).toEqual([name]);
  await succeed('restore', '--undo', '--yes');
  await succeed('reset', '--yes-delete-all-data', new URL(superuser).pathname.slice(1));
  expect(await namesIn(superuser)).toEqual([]);
  return (await runHere(['verify'], env)).exitCode;
}

describePostgres(
  'settings that bite',
  () => {
    const known = (): typeof biting =>
      biting.filter(([setting]) => requirePostgres().major >= 14 || setting !== 'idle_session_timeout');

    it.each([
      ['a role that may create databases', 'CREATEDB', true],
      ['a role that may not', '', true],
      ['a database, for a superuser', 'SUPERUSER', false],
    ] as const)('do not, of %s', async (_, rights, ofRole) => {
      const database = await createDatabase();
      const { role, url } = await ownerOf(database, rights);
      const env = await oldInstallation(url);
      const bearer = ofRole ? `ROLE ${role}` : `DATABASE ${database.name}`;
      await withClient(requirePostgres().url, async (client) => {
        for (const [setting, value] of known()) await client.query(`ALTER ${bearer} SET ${setting} TO ${value}`);
        if (rights === 'SUPERUSER') await client.query(`ALTER ${bearer} SET session_replication_role TO replica`);
      });
      expect(await liveThrough(env, database.url)).toBe(0);
    });
  },
  'tools',
);

describePrivateCluster('settings of a server', () => {
  let server: PrivateCluster;
  beforeAll(async () => {
    server = await startPrivateCluster();
    await server.run('CREATE ROLE app LOGIN CREATEDB');
  });
  const database = (of: string, user: string): string => {
    const url = new URL(server.url);
    url.username = user;
    url.pathname = `/${of}`;
    return url.href;
  };

  it('do not bite either', async () => {
    await server.run('CREATE DATABASE tt OWNER app');
    const env = await oldInstallation(database('tt', 'app'));
    for (const [setting, value] of biting) {
      // clients that do not say theirs get the server's
      if (setting !== 'client_encoding') await server.run(`ALTER SYSTEM SET ${setting} TO ${value}`);
    }
    await server.run('SELECT pg_reload_conf()');
    expect(await liveThrough(env, database('tt', 'postgres'))).toBe(0);
  });
});
