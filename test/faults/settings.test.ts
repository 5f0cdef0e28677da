import { beforeAll, expect, it } from 'vitest';
import { createDatabase, withClient } from '../support/database.ts';
import { describePostgres, requirePostgres } from '../support/postgres-server.ts';
import { describePrivateCluster, type PrivateCluster, startPrivateCluster } from '../support/private-cluster.ts';
import { runLifecycle, oldInstallation, runManualCommands } from './full-lifecycle.ts';
import { ownerOf } from './owners.ts';

/**
 * Settings of sessions that would make a statement fail or change its result. `default_transaction_read_only` and
 * `search_path` are not in the list: the application would fail with them, and the gate says so.
 */
const disturbing: readonly (readonly [string, string])[] = [
  ['statement_timeout', '20'],
  ['lock_timeout', '20'],
  ['idle_in_transaction_session_timeout', '1'],
  ['idle_session_timeout', '250'],
  ['default_transaction_isolation', 'serializable'],
  ['default_transaction_deferrable', 'on'],
  ['standard_conforming_strings', 'off'],
  ['quote_all_identifiers', 'on'],
  ['row_security', 'off'],
  ['DateStyle', "'SQL, DMY'"],
  ['IntervalStyle', 'sql_standard'],
  ['TimeZone', "'Asia/Kathmandu'"],
  ['bytea_output', 'escape'],
  ['extra_float_digits', '-15'],
  ['array_nulls', 'off'],
  ['backslash_quote', 'off'],
  ['check_function_bodies', 'off'],
  ['transform_null_equals', 'on'],
  ['xmloption', 'document'],
  ['client_encoding', 'LATIN1'],
];

/** Nothing that LATIN1 knows, and what strings are quoted with. */
const name = String.raw`Größe € 日本 \' "x" \\`;

describePostgres(
  'disturbing settings of sessions',
  () => {
    const known = (): typeof disturbing =>
      disturbing.filter(([setting]) => requirePostgres().major >= 14 || setting !== 'idle_session_timeout');

    it.each([
      ['a role that may create databases', 'CREATEDB', true],
      ['a role that may not', '', true],
      ['a database, for a superuser', 'SUPERUSER', false],
    ] as const)('of %s have no effect', async (_, rights, ofRole) => {
      const database = await createDatabase();
      const { role, url } = await ownerOf(database, rights);
      const env = await oldInstallation(url, name);
      const target = ofRole ? `ROLE ${role}` : `DATABASE ${database.name}`;
      await withClient(requirePostgres().url, async (client) => {
        for (const [setting, value] of known()) await client.query(`ALTER ${target} SET ${setting} TO ${value}`);
        if (rights === 'SUPERUSER') await client.query(`ALTER ${target} SET session_replication_role TO replica`);
      });
      expect(await runLifecycle(env, database.url, name)).toBe(0);
    });

    it('have no effect on commands that are run by hand', async () => {
      const database = await createDatabase();
      const { role, url } = await ownerOf(database);
      await withClient(requirePostgres().url, async (client) => {
        for (const [setting, value] of known()) await client.query(`ALTER ROLE ${role} SET ${setting} TO ${value}`);
      });
      expect(await runManualCommands(url, database.url)).toEqual([]);
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

  it('have no effect either', async () => {
    await server.run('CREATE DATABASE tt OWNER app');
    const env = await oldInstallation(database('tt', 'app'), name);
    for (const [setting, value] of disturbing) {
      // clients that do not say theirs get the server's
      if (setting !== 'client_encoding') await server.run(`ALTER SYSTEM SET ${setting} TO ${value}`);
    }
    await server.run('SELECT pg_reload_conf()');
    expect(await runLifecycle(env, database('tt', 'postgres'), name)).toBe(0);
  });
});
