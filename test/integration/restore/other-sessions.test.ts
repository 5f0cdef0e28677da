import { join } from 'node:path';
import { execa } from 'execa';
import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { admin, connectClient } from '../../support/database.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { run, start } from '../../support/run.ts';
import { waitForOutput } from '../../support/wait-for-output.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { relatedDatabases, currentArchive, everything, fillWithNewer, type Installation, install } from './restores.ts';
import { atMoment, journalOf, stopped } from './phases.ts';

/** The application, as a server sees it. */
const connect = (url: string): Promise<pg.Client> => connectClient(url, 'the application');

describePostgres(
  'a restore while other sessions are connected (postgresql)',
  () => {
    const args = ['restore', currentArchive('postgresql'), '--yes'];
    let place: Installation;
    beforeAll(async () => {
      place = await install('postgresql');
      await fillWithNewer(place.database);
    });

    it('is refused, and names the sessions', async () => {
      const before = await everything(place);
      const client = await connect(place.database.url);
      const { exitCode, stderr } = await place.run(...args);
      expect(exitCode, stderr).toBe(31);
      expect(stderr).toContain('the application');
      await client.query('SELECT 1');
      await client.end();
      expect(await everything(place)).toEqual(before);
    });

    it('is rolled back if they connect before the swap', async () => {
      const before = await everything(place);
      const env = { ...place.env, ...(await atMoment('before swapping', 'SIGSTOP')) };
      const restore = start(args, { env });
      await stopped(restore.pid);
      const client = await connect(place.database.url);
      process.kill(restore.pid ?? 0, 'SIGCONT');
      const { exitCode, stderr } = await restore;
      expect(exitCode, stderr).toBe(31);
      expect(stderr).toContain('the application');
      await client.query('SELECT 1');
      await client.end();
      expect(await everything(place)).toEqual(before);
    });

    it('opens the database again at the next start if it was killed while the database was closed', async () => {
      await run(args, { env: { ...place.env, ...(await atMoment('after swapping', 'SIGKILL')) } });
      await admin(`ALTER DATABASE "${place.database.name}" ALLOW_CONNECTIONS false`);
      const gate = await place.run();
      expect(gate.exitCode, gate.all).toBe(0);
      await (await connect(place.database.url)).end();
      expect(journalOf(place)).toBeNull();
      expect(await relatedDatabases(place.database)).toHaveLength(1);
    });

    it('ends their sessions with --disconnect', async () => {
      const client = await connect(place.database.url);
      const { exitCode, all } = await place.run(...args, '--disconnect');
      expect(exitCode, all).toBe(0);
      await expect(client.query('SELECT 1')).rejects.toThrow(/terminat|closed|not queryable|connection/i);
      await client.end().catch(() => undefined);
    });

    it('reports a former database that was dropped by hand, and changes nothing', async () => {
      const [, former = ''] = (await relatedDatabases(place.database)).toSorted(
        (one, other) => one.length - other.length,
      );
      await admin(`DROP DATABASE "${former}"`);
      const before = await everything(place);
      const { exitCode, stderr } = await place.run('restore', '--undo', '--yes');
      expect(exitCode, stderr).toBe(31);
      expect(stderr).toContain(former);
      expect(await everything(place)).toEqual(before);
    });
  },
  'tools',
);

describe('a restore while other programs have the file open (sqlite)', () => {
  it('is refused, and changes nothing', async () => {
    const place = await install('sqlite');
    const { name } = place.database;
    await fillWithNewer(place.database);
    const before = await everything(place);
    const script = `
      import Database from 'better-sqlite3';
      const database = new Database(${JSON.stringify(name)});
      console.log(database.prepare('SELECT count(*) FROM users').pluck().get(), 'users');
      process.stdin.on('end', () => database.close()).resume();`;
    const other = execa(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: join(import.meta.dirname, '../../..'),
    });
    await waitForOutput(other, /users/);
    const { exitCode, stderr } = await place.run('restore', currentArchive('sqlite'), '--yes');
    expect(exitCode, stderr).toBe(31);
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain(`Another program is using ${name}`);
    other.stdin.end();
    await other;
    expect(await everything(place)).toEqual(before);
    expect((await place.run('restore', currentArchive('sqlite'), '--yes')).exitCode).toBe(0);
  });
});

// needs the right to make a namespace of processes, as a container has one
const namespace = ['--pid', '--fork', '--mount-proc'];
const { failed: isDenied } = await execa('unshare', [...namespace, 'true'], { reject: false, stdin: 'ignore' });

describe.skipIf(isDenied)(
  'a restore of a SQLite file in a container of its own, beside the application in another',
  () => {
    let place: Installation;
    let pathWithoutPerl: string;
    beforeAll(async () => {
      place = await install('sqlite');
      await fillWithNewer(place.database);
      pathWithoutPerl = await temporaryDirectory();
    });
    const restore = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
      const path = `PATH=${env['PATH'] ?? process.env['PATH'] ?? ''}`;
      return execa('unshare', [...namespace, 'env', path, process.execPath, main, ...args], {
        env: { TT_COMMAND_PREFIX: 'db-init', ...place.env, ...env, PATH: process.env['PATH'] },
        extendEnv: false,
        reject: false,
        all: true,
        stdin: 'ignore',
      });
    };
    const main = join(import.meta.dirname, '../../../dist/main.js');
    const args = ['restore', currentArchive('sqlite'), '--yes'];

    it('sees that the application has the file open between two transactions, and continues when it is stopped', async () => {
      const before = await everything(place);
      const script = `
      const { default: Database } = await import('better-sqlite3');
      const database = new Database(${JSON.stringify(place.database.name)});
      console.log(database.prepare('SELECT count(*) FROM users').pluck().get(), 'users');
      process.stdin.on('end', () => database.close()).resume();`;
      const application = execa(process.execPath, ['--input-type=module', '--eval', script], {
        cwd: join(import.meta.dirname, '../../..'),
      });
      await waitForOutput(application, /users/);
      for (const more of [[], ['--disconnect']]) {
        const { exitCode, stderr } = await restore([...args, ...more]);
        expect(exitCode, stderr).toBe(31);
        expect(stderr.replaceAll(/\s+/g, ' ')).toContain(`Another program is using ${place.database.name}`);
      }
      application.stdin.end();
      await application;
      expect(await everything(place)).toEqual(before);
      const { exitCode, all } = await restore(args);
      expect(exitCode, all).toBe(0);
      expect(all).not.toContain('could not see whether');
    });

    it('needs a consent if the kernel cannot be asked, and says at the end what may be left to do', async () => {
      const env = { PATH: pathWithoutPerl };
      for (const refused of [args, ['restore', '--undo', '--yes']]) {
        const { exitCode, stderr } = await restore(refused, env);
        expect(exitCode, stderr).toBe(31);
        expect(stderr.replaceAll(/\s+/g, ' ')).toContain('db-init cannot see whether a program');
        expect(stderr).toContain('--disconnect');
      }
      const undone = await restore(['restore', '--undo', '--yes', '--disconnect'], env);
      expect(undone.exitCode, undone.all).toBe(0);
      expect(undone.all).toContain('if the application was not stopped, restart it now');
      // compose has not started the application yet
      const atStart = await restore(['gate'], { ...env, TT_RESTORE_FROM: currentArchive('sqlite') });
      expect(atStart.exitCode, atStart.all).toBe(0);
      expect(atStart.all).toContain('if the application was not stopped, restart it now');
    });
  },
);
