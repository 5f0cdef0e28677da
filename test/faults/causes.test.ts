import { join } from 'node:path';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { withClient } from '../support/database.ts';
import { startProxy } from '../support/postgres-proxy.ts';
import { describePrivateCluster, type PrivateCluster, startPrivateCluster } from '../support/private-cluster.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { requireTrueSafeSentence } from '../support/safe-sentence.ts';
import { bugPattern, runInProcess } from '../support/run-in-process.ts';
import { namesIn, oldInstallation } from './full-lifecycle.ts';

describePrivateCluster('the cause of a failure in its banner', () => {
  let server: PrivateCluster;
  beforeAll(async () => {
    server = await startPrivateCluster(['-c', 'max_prepared_transactions=5']);
    await server.run('CREATE DATABASE old TEMPLATE template0');
    await oldInstallation(new URL('/old', server.url).href, 'x');
  });

  let url: string;
  let count = 0;
  beforeEach(async () => {
    count += 1;
    await server.run(`CREATE DATABASE d${count} TEMPLATE old`);
    url = new URL(`/d${count}`, server.url).href;
  });

  async function fail(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
    const env = { DATABASE_URL: url, TT_BACKUP_BEFORE_MIGRATE: 'never', TT_MIGRATION_LOCK_TIMEOUT: '1', ...more };
    const { exitCode, all } = await runInProcess(args, env);
    expect(all).not.toMatch(bugPattern);
    // each test looks at the rows afterwards
    requireTrueSafeSentence(all, false);
    return { exitCode, text: all.replaceAll(/\s+/g, ' ') };
  }

  it('names the session that holds a table, without the values of its query, and how to end it', async () => {
    await withClient(url, async (holder) => {
      const { rows } = await holder.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const pid = String(rows[0]?.pid);
      await holder.query("SET application_name = 'a report'; BEGIN; SELECT FROM tasks LIMIT 1");
      await holder.query("UPDATE users SET password_hash = 'hunter2', full_name = $$hunter3$$");
      await withClient(url, async (other) => {
        await other.query("BEGIN; DELETE FROM tasks WHERE name = 'hunter4'; PREPARE TRANSACTION 'it''s mine'");
      });
      const { exitCode, text } = await fail(['gate']);
      await withClient(url, (other) => other.query("ROLLBACK PREPARED 'it''s mine'"));
      expect(exitCode, text).toBe(20);
      expect(text).toContain('another session holds a table');
      expect(text).toContain(`pid ${pid}, a report, user postgres`);
      expect(text).toContain('idle in transaction');
      expect(text).toMatch(/it holds [^;]*users/);
      expect(text).toContain("its last statement: UPDATE users SET password_hash = '…', full_name = '…'");
      expect(text).toContain(`SELECT pg_terminate_backend(${pid})`);
      expect(text).toContain("ROLLBACK PREPARED 'it''s mine';");
      expect(text).toContain('TT_MIGRATION_LOCK_TIMEOUT');
      expect(text).not.toMatch(/hunter\d/);
    });
    expect(await namesIn(url)).toEqual(['x']);
  });

  it('names the session or prepared transaction that prevents the inspection', async () => {
    await withClient(url, (other) =>
      other.query("BEGIN; LOCK TABLE alembic_version, users; PREPARE TRANSACTION 'it''s mine'"),
    );
    const looked = await fail(['status']);
    expect([looked.exitCode, looked.text]).toEqual([17, expect.stringContaining("prepared transaction 'it's mine'")]);
    await withClient(url, (other) => other.query("ROLLBACK PREPARED 'it''s mine'"));
  });

  it('is a lost connection (3) if it breaks in the middle of a migration', async () => {
    let changes = 0;
    const cut = (query: string): 'before' | null =>
      /ALTER TABLE|CREATE TABLE/.test(query) && ++changes === 5 ? 'before' : null;
    const proxy = await startProxy(() => ({ kind: 'forward', url, cut }));
    const { exitCode, text } = await fail(['gate'], { DATABASE_URL: proxy.urlOf(url) });
    expect(changes).toBeGreaterThan(4);
    expect([exitCode, text]).toEqual([3, expect.stringContaining('The connection was lost')]);
    expect(await namesIn(url)).toEqual(['x']);
  });

  it('names TT_STATEMENT_TIMEOUT if it was too short', async () => {
    await withClient(url, async (holder) => {
      await holder.query('BEGIN; SELECT FROM users LIMIT 1');
      const { exitCode, text } = await fail(['gate'], { TT_STATEMENT_TIMEOUT: '1', TT_MIGRATION_LOCK_TIMEOUT: '60' });
      expect([exitCode, text]).toEqual([20, expect.stringMatching(/a statement was cancelled .*TT_STATEMENT_TIMEOUT/)]);
    });
  });

  it.each([8, 40, 300])('names the server and not the archive if it has room for only %i more locks', async (room) => {
    const archive = join(import.meta.dirname, '../fixtures/archives/pg-v5.0.0-pgdump15.zip');
    const volume = await temporaryDirectory();
    await withClient(server.url, async (holder) => {
      // as many locks as possible, and the same number is released again
      const taken = `DO $$ DECLARE i int := 0; BEGIN LOOP PERFORM pg_advisory_lock(7, i); i := i + 1; END LOOP;
        EXCEPTION WHEN out_of_memory THEN NULL; END $$`;
      await holder.query(taken);
      await holder.query(`SELECT pg_advisory_unlock(7, i) FROM generate_series(0, ${room - 1}) AS i`);
      const { exitCode, text } = await fail(['restore', archive, '--yes', '--database-only'], {
        UPLOAD_FOLDER: volume,
      });
      expect(text).toContain('max_locks_per_transaction = 256');
      expect([exitCode, text]).toEqual([31, expect.stringContaining('Safe: the live database is as it was.')]);
    });
    expect(await namesIn(url)).toEqual(['x']);
  });

  const quarantine = ['quarantine', 'create', '--all', '--yes'];
  it.each([
    ['53100', ['gate'], 20, /failed: the disk is full .*disk of the database server/],
    ['53200', ['gate'], 20, /failed: the memory is used up/],
    ['53300', ['gate'], 3, /failed: the server allows no further connection .*pg_stat_activity/],
    ['25006', ['gate'], 20, /failed: the database can only be read/],
    ['40P01', ['gate'], 20, /failed: a deadlock with another session/],
    ['42501', ['gate'], 4, /failed: the database user lacks a right .*OWNER TO/],
    ['58030', ['gate'], 20, /failed: data on the disk is damaged/],
    ['P0001', ['gate'], 20, /failed: an event trigger refuses the change .*refuse, on ddl_command_start/],
    ['53100', ['plan', '--rehearse'], 20, /failed: the disk is full/],
    ['53100', ['reset', '--yes-delete-all-data=NAME', '--no-backup'], 20, /failed: the disk is full/],
    ['42501', ['reset', '--yes-delete-all-data=NAME', '--no-backup'], 4, /failed: the database user lacks a right/],
    ['53100', quarantine, 20, /✗ The disk is full: /],
    ['53200', quarantine, 20, /✗ The memory is used up: /],
    ['42501', quarantine, 4, /✗ The database user lacks a right: /],
    ['57014', quarantine, 20, /✗ A statement was cancelled: /],
    ['53100', ['adopt', '--yes'], 20, /✗ The disk is full: /],
    ['42501', ['adopt', '--yes'], 4, /✗ The database user lacks a right: /],
  ] as const)('names %s in %s', async (state, args, code, words) => {
    await withClient(url, async (client) => {
      if (args[0] === 'adopt') await client.query('DROP TABLE alembic_version');
      await client.query(`CREATE SCHEMA watch; CREATE FUNCTION watch.refuse() RETURNS event_trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '${state}'; END $$;
        CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION watch.refuse()`);
    });
    const name = new URL(url).pathname.slice(1);
    const { exitCode, text } = await fail(args.map((word) => word.replace('NAME', name)));
    expect([exitCode, text]).toEqual([code, expect.stringMatching(words)]);
    expect(await namesIn(url)).toEqual(['x']);
  });
});
