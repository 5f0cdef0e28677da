import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { archivesIn, describeBackups, execute, fill } from '../integration/backup/backups.ts';
import { atEnd } from '../support/cleanup.ts';
import { admin, databaseUrl, sqliteUrl, type TestDatabase, withClient } from '../support/database.ts';
import { state } from '../support/fixtures.ts';
import { describePostgres } from '../support/postgres-server.ts';
import { restoredDatabase } from '../support/templates.ts';
import { snapshot } from '../support/snapshot.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { bugPattern, runInProcess } from '../support/run-in-process.ts';
import { runLifecycle, oldInstallation } from './full-lifecycle.ts';

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
/** A name with the maximum length of PostgreSQL, with multi-byte characters. */
const long = (beginning: string): string => beginning + 'é'.repeat(Math.floor((63 - Buffer.byteLength(beginning)) / 2));

describePostgres(
  'a database and a role with an unusual name',
  () => {
    it.each([
      ['of all sorts of signs', `-d "b'c\\d\ne\tf %20{}!~ \u{1F600} ü`],
      ['of 63 bytes', long('')],
    ])('%s', async (_, beginning) => {
      const tag = randomBytes(3).toString('hex');
      const name = beginning.startsWith('é') ? long(`${tag} `) : `${beginning} ${tag}`;
      const former = async (): Promise<void> => {
        await withClient(databaseUrl('postgres'), async (client) => {
          const { rows } = await client.query<{ datname: string }>(
            'SELECT datname FROM pg_database WHERE datdba = (SELECT oid FROM pg_roles WHERE rolname = $1)',
            [name],
          );
          for (const { datname } of rows) await client.query(`DROP DATABASE ${quoted(datname)} WITH (FORCE)`);
        });
      };
      atEnd(() => admin(`DROP ROLE ${quoted(name)}`));
      atEnd(former);
      await admin(`CREATE ROLE ${quoted(name)} LOGIN CREATEDB PASSWORD 'pw'`);
      await admin(`CREATE DATABASE ${quoted(name)} TEMPLATE template0 ENCODING 'UTF8' OWNER ${quoted(name)}`);
      const superuser = databaseUrl(name);
      await withClient(superuser, (client) => client.query(`ALTER SCHEMA public OWNER TO ${quoted(name)}`));
      const url = new URL(superuser);
      url.username = encodeURIComponent(name);
      url.password = 'pw';
      expect(await runLifecycle(await oldInstallation(url.href, name), superuser, name)).toBe(0);
    });
  },
  'tools',
);

describePostgres('unexpected objects with unusual names', () => {
  it('are moved to quarantine, and brought back', async () => {
    const { url } = await restoredDatabase(state('polluted'));
    const odd = ['a"b', "c'd", 'e\nf', '\u{1F600}', long('g'), 'h;--', '-i', 'SELECT', ' ', '%s', '$1', '\u001B[2J'];
    await withClient(url, async (client) => {
      for (const name of odd) {
        await client.query(`CREATE TABLE ${quoted(name)} (${quoted(name)} int PRIMARY KEY)`);
        await client.query(`INSERT INTO ${quoted(name)} VALUES (1)`);
      }
      await client.query(`CREATE TYPE ${quoted(`${odd[0] ?? ''}t`)} AS ENUM ('x''y')`);
    });
    const before = await snapshot(url);
    const env = { DATABASE_URL: url };
    const gate = await runInProcess(['gate'], env);
    expect([gate.exitCode, gate.all]).toEqual([0, expect.not.stringMatching(bugPattern)]);
    expect(gate.all).not.toContain('\u001B');
    const [, schema = ''] = /quarantine restore (tt_quarantine_\w+)/.exec(gate.all) ?? [];
    expect(schema).not.toBe('');
    for (const name of odd) {
      const found = await withClient(url, (client) => client.query(`SELECT 1 FROM ${schema}.${quoted(name)}`));
      expect([name, found.rowCount]).toEqual([name, 1]);
    }
    expect((await runInProcess(['quarantine', 'list'], env)).exitCode).toBe(0);
    // the new schema must be dropped first
    const aside = await runInProcess(['quarantine', 'create', '--yes'], env);
    expect([aside.exitCode, aside.all]).toEqual([0, expect.not.stringMatching(bugPattern)]);
    const back = await runInProcess(['quarantine', 'restore', schema], env);
    expect([back.exitCode, back.all]).toEqual([0, expect.not.stringMatching(bugPattern)]);
    const after = await snapshot(url);
    const own = (text: string): readonly string[] =>
      text.split('\n').filter((line) => !line.includes('tt_quarantine_'));
    expect(own(before).filter((line) => !own(after).includes(line))).toEqual([]);
  });
});

const odd: readonly [string, string][] = [
  ['a blank', 'a b'],
  ['the end of a line', 'a\nb'],
  ['signs', `%20 'a' "b" $(id) \\ &;*`],
  ['an emoji', '\u{1F600} ü'],
  ['a leading dash', '-a --help'],
  ['255 bytes', 'é'.repeat(127)],
];

describeBackups('folders and files with unusual names', ({ name: engine, create }) => {
  // SQLite accepts no longer path
  it.each(engine === 'sqlite' ? odd : [['all of that', odd.map(([, name]) => name).join('/')]])(
    '%s',
    async (_, name) => {
      const home = join(await temporaryDirectory(), name);
      await mkdir(home, { recursive: true });
      const database: TestDatabase =
        engine === 'sqlite'
          ? {
              engine,
              name: join(home, 'x.db'),
              url: sqliteUrl(join(home, 'x.db')),
              drop: () => Promise.resolve(),
            }
          : await create();
      await fill(database);
      const env = {
        DATABASE_URL: database.url,
        UPLOAD_FOLDER: join(home, 'uploads'),
        BACKUP_FOLDER: join(home, 'backups'),
      };
      const must = async (...args: readonly string[]): Promise<string> => {
        const { exitCode, all } = await runInProcess(args, env, home);
        expect([args[0], exitCode, all]).toEqual([args[0], 0, expect.not.stringMatching(bugPattern)]);
        return all;
      };
      await mkdir(join(home, 'uploads'));
      await must('gate');
      await must('backup', 'create');
      const [archive = ''] = (await archivesIn(env.BACKUP_FOLDER)).toReversed();
      await must('backup', 'verify', join(env.BACKUP_FOLDER, archive));
      const before = await snapshot(database.url);
      await execute(database, "UPDATE users SET full_name = 'somebody else'");
      await must('restore', join(env.BACKUP_FOLDER, archive), '--yes');
      expect((await snapshot(database.url)) === before || engine === 'postgresql').toBe(true);
      await must('restore', '--undo', '--yes');
      expect(await snapshot(database.url)).toContain('somebody else');
      await must('restore', '--drop-former', '--yes');
    },
  );
});

describe('a path that is too long', () => {
  it.each([
    ['for SQLite', Array.from({ length: 15 }, () => 'x'.repeat(200)).join('/')],
    ['for any file', 'x'.repeat(5000)],
  ])('%s, is refused', async (_, name) => {
    const home = join(await temporaryDirectory(), name);
    await mkdir(home, { recursive: true }).catch(() => undefined);
    for (const command of ['gate', 'status', 'verify']) {
      const { exitCode, all } = await runInProcess([command], { DATABASE_URL: sqliteUrl(join(home, 'x.db')) });
      expect(all).not.toMatch(bugPattern);
      // the limit of SQLite shows only where the file is created
      expect([command, ...(command === 'gate' ? [4] : [0, 4, 17, 21])]).toContain(exitCode);
    }
  });
});
