import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import AdmZip from 'adm-zip';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { execute } from '../../support/database.ts';
import { describePostgres, requirePostgres } from '../../support/postgres-server.ts';
import { runInProcess } from '../../support/run-in-process.ts';
import { archivePath, ask, relatedDatabases, install, realArchives, uploadsIn, uploadsOf } from './restores.ts';
import { restoreIntoFile } from './sqlite-rows.ts';

const [older] = realArchives.postgresql;

const intoClients = 'INSERT INTO clients (id, name, status, created_at, updated_at) VALUES';

/** Values of PostgreSQL that SQLite stores in another form or not at all. */
const odd = String.raw`
  CREATE SCHEMA "Other one";
  CREATE TABLE "Other one"."Mine" (n numeric, at timestamptz, raw bytea, tags text[], big bigint, yes boolean, "real" real);
  INSERT INTO "Other one"."Mine" VALUES
    (12345678901234567890.0123456789, '2024-01-01 00:00+00', '\x00ff', '{a,"b c"}', 9223372036854775807, true, 0.1),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL);
  CREATE SCHEMA tt_quarantine_20260101t000000;
  COMMENT ON SCHEMA tt_quarantine_20260101t000000 IS
    '{"by":"db-init","state":"complete","at":"2026-01-01T00:00:00Z","why":"rows","relations":1,"rows":1,"holds":"rows"}';
  CREATE TABLE tt_quarantine_20260101t000000.roles (tt_reason text, id text, name text, is_system_role text, created_at text, updated_at text);
  INSERT INTO tt_quarantine_20260101t000000.roles VALUES ('', '77', 'former', 'yes', '2024-01-01', '2024-01-01T10:00');
  CREATE TABLE of_mine (id integer PRIMARY KEY, word varchar(3));
  CREATE TABLE "Of_Mine" ("A" integer, a text);
  INSERT INTO "Of_Mine" VALUES (1, 'one');
  INSERT INTO of_mine VALUES (1, ''), (2, NULL);
  ALTER TABLE clients ADD COLUMN mine double precision DEFAULT 'NaN';
  ${intoClients} (1, E'tab\there, \\ and \n line, \\N and \u00e9\U0001F469', 'active', '2024-02-29 03:04:05.12', '2024-02-29'),
    (2, 'endless', 'active', 'infinity', '2024-01-01'), (3, 'far away', 'active', '2024-01-01', '10000-01-01'),
    (4, 'long ago', 'active', '0044-03-15 BC', '2024-01-01');
  INSERT INTO projects (id, name, client_id, billable, status, created_at, updated_at)
    VALUES (1, 'stays', 1, true, 'active', now(), now()), (2, 'follows', 2, true, 'active', now(), now());
  UPDATE clients SET mine = 'Infinity' WHERE id = 1;
  UPDATE clients SET mine = 0.1 WHERE id > 1;
  UPDATE clients SET default_hourly_rate = 0.1 WHERE id = 1;
  ALTER TABLE clients ALTER COLUMN default_hourly_rate TYPE numeric;
  UPDATE clients SET default_hourly_rate = 12345678901234567.89 WHERE id = 2;
  UPDATE clients SET default_hourly_rate = 'NaN' WHERE id = 3;
`;

/** What pg_dumpall, `--clean` and `--create` write before the tables. */
const beforeDatabase = `SET default_transaction_read_only = off;
CREATE ROLE timetracker;
ALTER ROLE timetracker WITH NOSUPERUSER LOGIN PASSWORD 'SCRAM-SHA-256$4096:x==$y=:z=';
\\connect template1
-- PostgreSQL database dump complete
DROP DATABASE timetracker;
CREATE DATABASE timetracker WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE = 'C.UTF-8';
\\connect timetracker
ALTER TABLE IF EXISTS ONLY public.users DROP CONSTRAINT IF EXISTS users_pkey;
DROP TABLE IF EXISTS public.users;
`;

const dumpOf = (archive: string): Buffer => new AdmZip(archive).readFile('db.dump') ?? Buffer.alloc(0);

/** A plain dump, as pg_dump writes it without `--format`, and pg_restore from an archive. */
async function sqlOf(dump: Buffer): Promise<string> {
  const { binDirectory } = requirePostgres();
  return (await execa(join(binDirectory ?? '', 'pg_restore'), ['--file=-'], { input: dump })).stdout;
}

const expected = [
  /clients\.created_at: 2 rows have no date and time key 4: 0044-03-15 00:00:00 BC key 2: infinity/,
  /clients\.updated_at: 1 row has no date and time .*key 3: 10000-01-01 00:00:00/,
  /clients\.default_hourly_rate: 1 row has a number of more digits than SQLite keeps \(numeric\) key 2: 12345678901234567\.89/,
  /clients\.default_hourly_rate: 1 row has no number \(numeric\) key 3: NaN/,
];

describePostgres(
  'the rows of a PostgreSQL archive in SQLite',
  () => {
    it('are restored from the application’s own archive, cell by cell, with its uploads, and removed by an undo', async () => {
      const { must, database, statics } = await install('sqlite');
      await execute(database, 'CREATE TABLE of_mine (id integer)');
      expect(await restoreIntoFile(archivePath(older), { database, must })).toEqual([]);
      expect(await uploadsIn(statics)).toEqual(uploadsOf(archivePath(older)));
      expect((await must()).stdout).toContain('nothing to do');
      // new ids come after the highest one
      await execute(
        database,
        "INSERT INTO clients (name, created_at, updated_at) VALUES ('n', '2024-01-01', '2024-01-01')",
      );
      await must('restore', '--undo', '--yes');
      expect(await ask(database, 'SELECT count(*) FROM of_mine')).toEqual([0]);
      await must('restore', '--drop-former', '--yes');
    });

    it.each([
      ['a dump in the custom format', 'timetracker.dump', (dump: Buffer) => Promise.resolve(dump)],
      [
        'a dump in plain SQL of Windows, packed, with roles, drops, owners and rights',
        'backup.sql.gz',
        async (dump: Buffer) => {
          const sql = (await sqlOf(dump))
            .replace(/^COPY public.users \(.*\)/m, 'COPY public.users')
            .replace('SET default_tablespace', 'REVOKE ALL ON SCHEMA public FROM PUBLIC;\nSET default_tablespace');
          const lines = `${beforeDatabase}${sql}\nALTER TABLE public.users OWNER TO "some body";
GRANT SELECT(id) ON TABLE public.users TO other;\n\\connect zoo\nSET default_transaction_read_only = off;\n`;
          return gzipSync(`\uFEFF${lines.replaceAll('\n', '\r\n')}`);
        },
      ],
    ] as const)(
      'are restored from %s, verified with backup verify --prove, and restored at a start',
      async (_title, name, make) => {
        const { database, root, env } = await install('sqlite');
        const file = join(root, name);
        await writeFile(file, await make(dumpOf(archivePath(older))));
        const on = (...args: readonly string[]) => runInProcess(args, { TT_COMMAND_PREFIX: 'db-init', ...env });
        for (const args of [
          ['backup', 'verify', file],
          ['backup', 'verify', file, '--prove'],
        ]) {
          const proven = await on(...args);
          expect(proven.exitCode, proven.all).toBe(0);
        }
        expect(await relatedDatabases(database)).toEqual(['timetracker.db']);
        await execute(database, 'CREATE TABLE as_it_was (id integer)');
        const start = await runInProcess([], { ...env, TT_RESTORE_FROM: file });
        expect(start.exitCode, start.all).toBe(0);
        const archived = await on('restore', archivePath(older), '--dry-run');
        const rows = /[\d,]+ rows/.exec(archived.stdout)?.[0] ?? 'rows';
        expect(start.stdout).toContain(rows);
        expect(await ask(database, "SELECT name FROM sqlite_schema WHERE name IN ('as_it_was', 'users')")).toEqual([
          'users',
        ]);
      },
    );

    it('are not taken out of plain SQL that holds something else', async () => {
      const { database, root, env } = await install('sqlite');
      const file = join(root, 'backup.sql');
      const sql = await sqlOf(dumpOf(archivePath(older)));
      for (const more of [
        "INSERT INTO public.clients (name) VALUES ('Ada');",
        '\\! touch ran',
        'CREATE VIEW public.everybody AS SELECT 1;',
        'ALTER TABLE public.users OWNER TO x; DROP TABLE public.users;',
        'COPY public.users (username, id) FROM stdin;\nx\t99\n\\.',
        '\\connect other\nCREATE TABLE public.users_of_others (id integer);',
      ]) {
        await writeFile(file, `${sql}\n${more}\n`);
        const refused = await runInProcess(['restore', file, '--yes'], env);
        expect([more, refused.exitCode]).toEqual([more, 32]);
      }
      // the rows of all later tables are missing, although every statement is complete
      const cut = sql.slice(0, sql.indexOf('-- Data for Name: tasks;'));
      await writeFile(file, cut);
      for (const args of [
        ['restore', file, '--yes'],
        ['backup', 'verify', file],
      ]) {
        const refused = await runInProcess(args, { TT_COMMAND_PREFIX: 'db-init', ...env });
        expect(refused.exitCode, refused.all).toBe(32);
        expect(refused.stderr.replaceAll(/\s+/g, ' ')).toMatch(/is cut off: the rows of public\.\w+ are missing/);
      }
      expect(await relatedDatabases(database)).toEqual(['timetracker.db']);
    });

    it('stop the restore if SQLite does not keep them, or are set aside', async () => {
      const large = await install('postgresql');
      const on = (installation: typeof large, ...args: readonly string[]) =>
        runInProcess(args, { TT_COMMAND_PREFIX: 'db-init', ...installation.env });
      expect((await on(large)).exitCode).toBe(0);
      await execute(large.database, odd);
      const made = await on(large, 'backup', 'create');
      expect(made.exitCode, made.all).toBe(0);
      const name = (await readdir(large.backups)).find((each) => each.endsWith('.zip')) ?? '';
      const archive = join(large.backups, name);

      const small = await install('sqlite');
      await execute(small.database, 'CREATE TABLE as_it_was (id integer)');
      const stopped = await on(small, 'restore', archive, '--yes');
      expect(stopped.exitCode, stopped.all).toBe(31);
      const text = stopped.stderr.replaceAll(/\s+/g, ' ');
      for (const line of expected) expect(text).toMatch(line);
      expect(await relatedDatabases(small.database)).toEqual(['timetracker.db']);
      expect(await ask(small.database, 'SELECT count(*) FROM as_it_was')).toEqual([0]);

      expect((await on(small, 'restore', archive, '--set-aside', '--dry-run')).exitCode).toBe(0);
      expect(await ask(small.database, 'SELECT count(*) FROM as_it_was')).toEqual([0]);
      const done = await on(small, 'restore', archive, '--set-aside', '--yes');
      expect(done.exitCode, done.all).toBe(0);
      const said = done.stdout.replaceAll(/\s+/g, ' ');
      expect(said).toContain('columns clients.mine');
      expect(said).toMatch(/projects\.client_id: 1 row refers to a row that does not fit .* key 2: 2/);
      const [aside = ''] = /tt_quarantine_\w+?(?=_…)/.exec(said) ?? [];
      const held = await on(small, 'quarantine', 'list');
      expect(held.stdout).toMatch(new RegExp(`^${aside}: complete, since .*\n.*rows of a PostgreSQL archive`));
      expect(held.stdout).toContain(`${aside}_projects (1 row)`);
      const { database } = small;
      expect(await ask(database, `SELECT group_concat(id) FROM (SELECT id FROM ${aside}_clients ORDER BY id)`)).toEqual(
        ['2,3,4'],
      );
      expect(await ask(database, `SELECT id || tt_reason FROM ${aside}_projects`)).toEqual([
        expect.stringContaining('2follows'),
      ]);
      expect(await ask(database, 'SELECT count(*) FROM clients UNION ALL SELECT count(*) FROM projects')).toEqual([
        1, 1,
      ]);
      const one = `SELECT quote(name) || created_at || updated_at || default_hourly_rate || typeof(default_hourly_rate) || mine FROM clients`;
      expect(await ask(database, one)).toEqual([
        "'tab\there, \\ and \n line, \\N and é👩'2024-02-29 03:04:05.1200002024-02-29 00:00:00.0000000.1realInf",
      ]);
      const mine = `SELECT concat_ws('|', n, at, hex(raw), tags, big, yes, real) FROM "Other one.Mine" WHERE n IS NOT NULL`;
      expect(await ask(database, mine)).toEqual([
        '12345678901234567890.0123456789|2024-01-01 00:00:00+00|00FF|{a,"b c"}|9223372036854775807|1|0.1',
      ]);
      expect(await ask(database, "SELECT group_concat(id || coalesce('=' || word, '')) FROM of_mine_2")).toEqual([
        '1=,2',
      ]);
      // names that differ only in upper and lower case are distinguished
      expect(await ask(database, 'SELECT "A" || a_2 FROM "Of_Mine"')).toEqual(['1one']);

      const earlier = 'tt_quarantine_20260101t000000';
      const back = await on(small, 'quarantine', 'restore', earlier);
      expect(back.exitCode, back.all).toBe(0);
      expect(await ask(database, 'SELECT id || is_system_role || updated_at FROM roles WHERE id = 77')).toEqual([
        '7712024-01-01 10:00:00.000000',
      ]);
      const early = await on(small, 'quarantine', 'restore', aside);
      expect(early.exitCode, early.all).toBe(31);
      expect(early.stdout).toContain('clients: 0 rows brought back, 3 left');
      expect(early.stderr).toContain('reference: FOREIGN KEY (client_id) REFERENCES clients(id)');
      // PostgreSQL gets them as a schema, as it had them
      const returned = await on(large, 'restore', database.name, '--yes');
      expect(returned.exitCode, returned.all).toBe(0);
      expect((await on(large, 'quarantine', 'list')).stdout).toMatch(
        new RegExp(`^${aside}: complete.*\n.*\n  table +clients \\(3 rows\\)\n`),
      );
      await on(large, 'restore', '--undo', '--yes');
      await on(large, 'restore', '--drop-former', '--yes');
      await execute(
        database,
        `UPDATE ${aside}_clients SET created_at = '2024-01-01', updated_at = '2024-01-01 10:00', default_hourly_rate = '12.5', mine = '0.5' WHERE id <> '4'`,
      );
      expect((await on(small, 'quarantine', 'restore', aside)).exitCode).toBe(31);
      expect(await ask(database, 'SELECT group_concat(id) FROM clients')).toEqual(['1,2,3']);
      expect(await ask(database, 'SELECT count(*) FROM projects')).toEqual([2]);
      expect((await on(small, 'quarantine', 'purge', aside, '--yes')).exitCode).toBe(0);
      expect((await on(small, 'quarantine', 'list')).stdout).toBe('Nothing is in quarantine.\n');
      const again = await on(small);
      expect(again.exitCode, again.all).toBe(0);
      expect(again.stdout).toContain('nothing to do');

      const tar = join(small.root, 'timetracker.tar');
      const { binDirectory } = requirePostgres();
      await execa(join(binDirectory ?? '', 'pg_dump'), ['-Ft', '-f', tar, '-d', large.database.url]);
      const archived = await on(small, 'restore', tar, '--set-aside', '--dry-run');
      expect(archived.exitCode, archived.all).toBe(0);
      expect(archived.stdout).toMatch(/projects\.client_id: 1 row refers/);
      expect((await on(small, 'backup', 'verify', tar)).exitCode).toBe(0);

      // no statement of a stranger is run; with --trust-archive the rows are restored without it
      await execute(
        large.database,
        `DELETE FROM clients WHERE id BETWEEN 2 AND 4; DELETE FROM projects WHERE id = 2;
         CREATE VIEW everybody AS SELECT username FROM users;`,
      );
      expect((await on(large, 'backup', 'create')).exitCode).toBe(0);
      const later = (await readdir(large.backups)).find((each) => each.endsWith('.zip') && each !== name);
      const theirs = join(large.backups, later ?? '');
      const refused = await on(small, 'restore', theirs, '--yes');
      expect(refused.exitCode, refused.all).toBe(32);
      expect(refused.stderr).toContain('everybody');
      const trusted = await on(small, 'restore', theirs, '--trust-archive', '--yes');
      expect(trusted.exitCode, trusted.all).toBe(0);
      expect(trusted.stdout).toMatch(/are left out:\n.*view everybody/);
      expect(await ask(database, 'SELECT count(*) FROM clients')).toEqual([1]);
    });
  },
  'tools',
);
