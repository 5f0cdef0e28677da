import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import AdmZip from 'adm-zip';
import { execa } from 'execa';
import { beforeAll, expect, it } from 'vitest';
import { execute, type TestDatabase } from '../../support/database.ts';
import { release, sqliteFile } from '../../support/fixtures.ts';
import { describePostgres, requirePostgres } from '../../support/postgres-server.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { archivePath, ask, contentsOf, difference, install, madeByHand, now, realArchives } from './restores.ts';

/** What `sqlite3 .dump` writes of a file. */
const textOfFile = async (file: string): Promise<string> => (await execa('sqlite3', [file, '.dump'])).stdout;
const hasSqlite3 = (await execa('sqlite3', ['--version'], { reject: false })).exitCode === 0;

it('restores a SQLite file that is packed with gzip', async () => {
  const { database, root, must, run } = await install('sqlite');
  const file = await sqliteFile(release('sqlite', 'v5.10.0', 'before.db.gz'));
  const packed = join(root, 'timetracker.db.gz');
  await writeFile(packed, gzipSync(await readFile(file)));
  expect((await must('backup', 'verify', packed)).stdout).toContain('The archive is whole');
  await must('restore', packed, '--yes');
  const entries = 'SELECT count(*) FROM time_entries';
  expect(await ask(database, entries)).toEqual(await ask({ ...database, name: file }, entries));

  const whole = await readFile(packed);
  for (const [content, reason] of [
    [whole.subarray(0, whole.length / 2), /damaged/],
    [Buffer.concat([whole, whole]), /another SQLite\s+database follows/],
  ] as const) {
    await writeFile(packed, content);
    for (const args of [
      ['restore', packed, '--yes'],
      ['backup', 'verify', packed],
    ]) {
      const refused = await run(...args);
      expect(refused.exitCode, refused.all).toBe(32);
      expect(refused.stderr).toMatch(reason);
    }
  }
});

it.skipIf(!hasSqlite3)('restores what sqlite3 .dump wrote, cell by cell', async () => {
  const since = now();
  const file = await sqliteFile(release('sqlite', 'v5.10.0', 'before.db.gz'));
  const [one, other] = [await install('sqlite'), await install('sqlite')];
  const text = join(one.root, 'dump.sql.gz');
  await writeFile(text, gzipSync(await textOfFile(file)));
  await one.must('restore', text, '--yes');
  await other.must('restore', file, '--yes');
  expect(difference(await contentsOf(other.database, since), await contentsOf(one.database, since))).toEqual([]);
  // nothing of a text with a trigger runs
  await writeFile(
    text,
    gzipSync(
      (await textOfFile(file)).replace(
        'COMMIT;',
        'CREATE TRIGGER t AFTER INSERT ON users BEGIN\nDELETE FROM users;\nEND;\nCOMMIT;',
      ),
    ),
  );
  const refused = await one.run('restore', text, '--yes');
  expect(refused.exitCode, refused.all).toBe(32);
  expect(refused.stderr).toMatch(/- trigger t/);
});

describePostgres(
  'a bare database in PostgreSQL',
  () => {
    const since = now();
    const [archive] = realArchives.postgresql;
    let expected: readonly string[];
    let dump: string;
    let source: TestDatabase;
    beforeAll(async () => {
      source = await madeByHand(archivePath(archive));
      expected = await contentsOf(source, since);
      dump = join(await temporaryDirectory(), 'db.dump');
      await writeFile(dump, new AdmZip(archivePath(archive)).readFile('db.dump') ?? '');
    });

    const tool = (name: string): string => join(requirePostgres().binDirectory ?? '', name);
    const sql = async (...options: readonly string[]): Promise<string> =>
      (await execa(tool('pg_restore'), [...options, '--file=-', dump])).stdout;
    /** A plain dump whose rows are statements, without comments, and of another owner. */
    const inserts = async (): Promise<string> => {
      const { stdout } = await execa(tool('pg_dump'), [
        '--inserts',
        '--rows-per-insert=3',
        '--clean',
        '--no-comments',
        source.url,
      ]);
      const lines = stdout.split('\n').filter((line) => !line.startsWith('--'));
      return `${lines.join('\n')}\nALTER TABLE public.users OWNER TO "some body";\n-- PostgreSQL database dump complete\n`;
    };

    it.each([
      ['a custom dump, packed', 'a.dump.gz', async () => gzipSync(await readFile(dump))],
      [
        'a plain dump of pg_dumpall with roles, packed',
        'all.sql.gz',
        async () =>
          gzipSync(
            `-- PostgreSQL database cluster dump\nCREATE ROLE timetracker;\n\\connect timetracker\n${await sql('--clean', '--if-exists')}\nCREATE DATABASE zoo WITH TEMPLATE = template0 LOCALE = 'C';\n\\connect zoo\n-- PostgreSQL database dump complete\n`,
          ),
      ],
      ['a plain dump with INSERT', 'inserts.sql', inserts],
    ] as const)('is restored row by row as it was: %s', async (_title, name, make) => {
      const { database, root, must, run } = await install('postgresql');
      await execute(database, 'CREATE TABLE of_mine (id integer)');
      const file = join(root, name);
      await writeFile(file, await make());
      expect((await must('backup', 'verify', file)).stdout).toContain('The archive is whole');
      await must('restore', file, '--yes');
      expect(difference(expected, await contentsOf(database, since))).toEqual([]);
      expect((await run()).stdout).toContain('nothing to do');
      await must('restore', '--undo', '--yes');
      expect(await ask(database, 'SELECT count(*)::int FROM of_mine')).toEqual([0]);
    });

    it('is restored from a dump in the format of a directory: a folder, and a packed tar archive, also at a start', async () => {
      const { database, root, env, must, run } = await install('postgresql');
      const folder = join(root, 'given');
      await mkdir(folder);
      await execa(tool('pg_dump'), ['--format=directory', `--file=${join(folder, 'dump')}`, source.url]);
      await must('restore', join(folder, 'dump'), '--dry-run');
      await execa('tar', ['-czf', join(root, 'dump.tgz'), '-C', folder, 'dump']);
      const start = await (
        await install('postgresql', { database, env: { ...env, TT_RESTORE_FROM: join(root, 'dump.tgz') } })
      ).run();
      expect(start.exitCode, start.all).toBe(0);
      expect(difference(expected, await contentsOf(database, since))).toEqual([]);

      const whole = await readFile(join(root, 'dump.tgz'));
      await writeFile(join(root, 'cut.tgz'), whole.subarray(0, whole.length / 2));
      await execa('tar', ['-cf', join(root, 'whole.tar'), '-C', folder, 'dump']);
      const tar = await readFile(join(root, 'whole.tar'));
      await writeFile(join(root, 'cut.tar'), tar.subarray(0, Math.floor(tar.length / 1024) * 512));
      const toc = join(folder, 'dump/toc.dat');
      await writeFile(toc, (await readFile(toc, 'latin1')).replace(/\d{3}\.dat/, '../.dat'), 'latin1');
      for (const name of ['cut.tgz', 'cut.tar', 'given/dump']) {
        for (const args of [
          ['restore', join(root, name), '--yes'],
          ['backup', 'verify', join(root, name)],
        ]) {
          const refused = await run(...args);
          expect([name, refused.exitCode], refused.all).toEqual([name, 32]);
        }
      }
      expect((await run('restore', join(folder, 'dump'), '--dry-run')).stderr).toMatch(/files outside of\s+the dump/);
    });

    it('runs nothing of a plain dump that holds something else, and nothing of one that is cut off or joined', async () => {
      const { database, root, run } = await install('postgresql');
      const text = await sql();
      const file = join(root, 'backup.sql');
      for (const [more, flags, reason] of [
        ['CREATE VIEW public.everybody AS SELECT 1;', [], /objects that TimeTracker does\s+not make/],
        ['CREATE VIEW public.everybody AS SELECT 1;', ['--trust-archive'], /pg_dump\s+--format=custom/],
        ['\\! touch ran', [], /objects that TimeTracker does\s+not make/],
        ["INSERT INTO public.clients (name) VALUES ('Ada');", [], /objects that TimeTracker does\s+not make/],
        [text, [], /as if\s+two dumps had been joined/],
        ['\\connect other\nCREATE TABLE public.zoo (id integer);', [], /tables of more\s+than one database/],
      ] as const) {
        await writeFile(file, `${text}\n${more}\n`);
        const refused = await run('restore', file, '--yes', ...flags);
        expect([more.slice(0, 80), refused.exitCode], refused.all).toEqual([more.slice(0, 80), 32]);
        expect(refused.stderr).toMatch(reason);
      }
      await writeFile(file, text.slice(0, text.indexOf('-- Data for Name: tasks;')));
      const cut = await run('restore', file, '--yes');
      expect([cut.exitCode, cut.stderr]).toEqual([
        32,
        expect.stringMatching(/is cut off: the rows of\s+public\.\w+ are missing/),
      ]);
      expect(await ask(database, 'SELECT count(*)::int FROM pg_class WHERE relnamespace = 2200')).toEqual([0]);
    });
  },
  'tools',
);
