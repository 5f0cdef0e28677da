import { openRestorer } from '../../../src/database/postgres/dump/restorer.ts';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import AdmZip from 'adm-zip';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { filterScript } from '../../../src/database/postgres/dump/script-filter.ts';
import { attacks } from '../../support/attacks.ts';
import { randomOf } from '../../crash/random.ts';
import { admin, createDatabase, createSqliteDatabase, withClient } from '../../support/database.ts';
import { editDump } from '../../support/dump-editor.ts';
import { describePostgres, requirePostgres } from '../../support/postgres-server.ts';
import { run } from '../../support/run.ts';
import { snapshot } from '../../support/snapshot.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { applicationArchive } from '../restore/crafted.ts';
import { archivePath, install } from '../restore/restores.ts';
import { dumpOf, restorerFor, never, targetOf } from './loads.ts';

const realDump = new AdmZip(archivePath('pg-v5.10.0-pgdump15.zip')).readFile('db.dump') ?? Buffer.alloc(0);

const check = (onUnknown: 'stop' | 'collect') =>
  filterScript({ settings: { withoutTransactionTimeout: false, encoding: 'UTF8' }, onUnknown, maxBytes: Infinity });

describePostgres(
  'a dump from a stranger',
  () => {
    let script: string;
    beforeAll(async () => {
      const { binDirectory } = requirePostgres();
      const { stdout } = await execa(join(binDirectory ?? '', 'pg_restore'), ['--no-owner', '--no-acl', '--file=-'], {
        input: realDump,
      });
      script = stdout;
    });

    it('passes a real dump unchanged, for every size of the chunks', async () => {
      const whole = check('collect');
      const passed = await text(Readable.from([Buffer.from(`${script}\n`)]).pipe(whole.stream));
      expect(whole.summary.unknown).toEqual([]);
      expect(whole.summary.rows).toBeGreaterThan(4000);
      const withoutComments = (sql: string): string => sql.replaceAll(/^(?:--.*|\\(?:un)?restrict .*|)\n/gm, '');
      expect(passed.replaceAll(/^\n/gm, '')).toBe(withoutComments(`${script}\n`));
      const bytes = Buffer.from(`${script.slice(0, 150_000)}\n`);
      const pieces = Array.from({ length: Math.ceil(bytes.length / 13) }, (_, at) =>
        bytes.subarray(at * 13, at * 13 + 13),
      );
      const again = check('collect');
      const slowly = await text(Readable.from(pieces).pipe(again.stream));
      expect(passed.startsWith(slowly.slice(0, -200))).toBe(true);
    });

    it('is refused if any statement has another form, before, after or instead of a real one', async () => {
      const headings = [...script.matchAll(/^-- (?:Data for )?Name: .*; Type: ([A-Z ]+);/gm)];
      const kinds = new Map(headings.map((heading) => [heading[1] ?? '', heading.index]));
      expect(kinds.size).toBe(10);
      const passed: string[] = [];
      for (const [position, [kind, at]] of [...kinds].entries()) {
        const begin = script.indexOf('\n--\n\n', at) + 5;
        const next = script.indexOf('\n--\n-- ', begin);
        const [before, real, after] = [script.slice(at - 3, begin), script.slice(begin, next), script.slice(next)];
        const rest = after.slice(0, 2000);
        for (const [number, attack] of attacks('/nowhere', 'live').entries()) {
          // each one replaces a third of the kinds
          if ((number + position) % 3 > 0) continue;
          for (const put of [attack, `${attack}\n${real}`, `${real}\n${attack}`]) {
            const { stream, summary } = check('collect');
            await text(Readable.from([Buffer.from(`${before}${put}${rest}\n`)]).pipe(stream));
            if (summary.unknown.length === 0) passed.push(`${kind}: ${put.slice(0, 80)}`);
          }
        }
      }
      expect(passed).toEqual([]);
    });

    it('is read in linear time, even with many texts like the end of a statement or nested defaults', async () => {
      const comment = `COMMENT ON TABLE public.users IS '${';\n'.repeat(500_000)}';`;
      const nested = `CREATE TABLE public.evil (a integer DEFAULT ${'('.repeat(500_000)});`;
      const { stream, summary } = check('collect');
      await text(Readable.from([Buffer.from(`${comment}\n${nested}\n`)]).pipe(stream));
      expect(summary.unknown).toMatchObject([{ statement: expect.stringContaining('CREATE TABLE public.evil') }]);
    });

    it('cannot hide a statement behind a zero byte in a line', async () => {
      // psql treats the rest of a line as the next line if a part of the line begins with a zero byte
      const rest = 'DROP TABLE t; CREATE TABLE ran (a integer);\nCOPY public.ran (a) FROM stdin;';
      const hidden = `\0${'A'.repeat(8188)}\\.\n${rest}`;
      const { url } = await createDatabase();
      await withClient(url, async (client) => {
        await client.query('CREATE TABLE t (a text)');
        await client.query('INSERT INTO t VALUES ($1), ($2)', ['1', 'Z'.repeat(hidden.length)]);
      });
      const dump = await dumpOf(url, '--compress=0');
      const bytes = await readFile(dump, 'latin1');
      await writeFile(
        dump,
        bytes.replace(/Z{100,}/, () => hidden),
        'latin1',
      );
      const empty = await createDatabase();
      const opened = await openRestorer(dump, targetOf(empty.url), {
        serverMajor: requirePostgres().major,
        trusted: false,
        maxBytes: Infinity,
        signal: never,
      });
      if (opened.kind === 'ready')
        await opened.restorer.loadIntoDatabase(targetOf(empty.url), { role: null, jobs: 1, signal: never });
      expect(await snapshot(empty.url)).not.toContain('TABLE public.ran');
      expect(opened).toMatchObject({ kind: 'unknown-objects', objects: [{ statement: 'rows with a zero byte' }] });
    });

    it('names no object outside of its schema if it shares a database with other applications', async () => {
      const { url } = await createDatabase();
      await withClient(url, (client) =>
        client.query(`CREATE SCHEMA tt; CREATE TABLE tt.users (id integer); COMMENT ON TABLE tt.users IS 'x';
          CREATE TABLE theirs (id serial)`),
      );
      const dump = await dumpOf(url);
      const real = await readFile(dump);
      const before = await snapshot(url);
      const target = { ...targetOf(url), schema: 'tt' };
      for (const attack of [
        "SELECT pg_catalog.setval('public.theirs_id_seq', 77, true);",
        'COPY public.theirs (id) FROM stdin;\n5\n\\.\n',
        'ALTER TABLE public.theirs ADD CONSTRAINT evil CHECK (false) NOT VALID;',
        "COMMENT ON TABLE public.theirs IS 'evil';",
        'CREATE TABLE public.evil (id integer);',
        'CREATE SCHEMA evil;',
      ]) {
        const edited = editDump(real);
        const comment = edited.entries.find(({ description }) => description === 'COMMENT');
        if (comment === undefined) throw new Error('no comment');
        comment.definition = attack;
        await writeFile(dump, edited.save());
        const { restorer } = await restorerFor(dump, url, undefined, false);
        const made = restorer.loadInTransaction(target, {
          before: 'ALTER SCHEMA tt RENAME TO aside; CREATE SCHEMA tt',
          after: '',
          commit: true,
          role: null,
          signal: never,
        });
        await expect(made, attack).rejects.toThrow('something that TimeTracker does not make');
      }
      expect(await snapshot(url)).toBe(before);
    });

    describe.each(['a superuser', 'an owner without CREATEDB', 'an installation on SQLite'])('for %s', (user) => {
      it('is refused with the name of the object, and runs and changes nothing', async () => {
        const engine = user === 'an installation on SQLite' ? 'sqlite' : 'postgresql';
        const database = await (engine === 'sqlite' ? createSqliteDatabase() : createDatabase());
        const installation = await install(engine, { database });
        await installation.must('gate');
        const env: Record<string, string> = { ...installation.env };
        if (user === 'an owner without CREATEDB') env['DATABASE_URL'] = await ownerOf(database.url, database.name);
        const before = await snapshot(database.url);
        const next = randomOf(Number(process.env['TEST_FAULTS_SEED'] ?? 1), user);
        const pick = <Item>(items: readonly Item[]): Item => {
          const item = items[Math.floor(next() * items.length)];
          if (item === undefined) throw new Error('nothing to choose from');
          return item;
        };
        const marker = join(await temporaryDirectory(), 'ran');
        for (const way of ['restore', '--dry-run', '--prove', 'TT_RESTORE_FROM']) {
          const edited = editDump(realDump);
          const entry = pick(edited.entries.filter(({ definition }) => definition !== null && definition !== ''));
          const attack = pick(attacks(marker, database.name));
          entry.definition = pick([
            attack,
            `${attack}\n${entry.definition ?? ''}`,
            `${entry.definition ?? ''}\n${attack}`,
          ]);
          const archive = await applicationArchive('postgresql', edited.save(), '171_merge_kanban_feature_heads');
          const args =
            {
              restore: ['restore', archive, '--yes', '--disconnect'],
              '--dry-run': ['restore', archive, '--dry-run'],
              '--prove': ['backup', 'verify', archive, '--prove'],
              TT_RESTORE_FROM: ['gate'],
            }[way] ?? [];
          const result = await run(args, {
            env: way === 'TT_RESTORE_FROM' ? { ...env, TT_RESTORE_FROM: archive } : env,
          });
          const told = `${way}, ${entry.description} ${entry.tag}: ${attack}\n${result.all}`;
          expect(result.exitCode, told).toBe(32);
          expect(existsSync(marker), told).toBe(false);
        }
        expect(await snapshot(database.url)).toBe(before);
        if (engine === 'sqlite') return;
        await withClient(database.url, async (client) => {
          const { rows } = await client.query("SELECT rolname FROM pg_roles WHERE rolname LIKE 'tt_evil%'");
          expect(rows).toEqual([]);
        });
      });
    });
  },
  'tools',
);

/** Makes a role without rights the owner of a database and of all that is in it. @returns the URL for that role */
async function ownerOf(url: string, database: string): Promise<string> {
  const role = `${database}_owner`;
  await admin(`CREATE ROLE "${role}" LOGIN PASSWORD 'secret'`);
  await admin(`ALTER DATABASE "${database}" OWNER TO "${role}"`);
  await withClient(url, async (client) => {
    const { rows } = await client.query<{ order: string }>(`
      SELECT format('ALTER %s %I.%I OWNER TO %I', CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, nspname, relname, '${role}') AS order
      FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
      WHERE nspname = 'public' AND relkind IN ('r', 'S')
        AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = c.oid AND deptype IN ('a', 'i') AND relkind = 'S')
      UNION ALL SELECT format('ALTER TYPE public.%I OWNER TO %I', typname, '${role}') FROM pg_type
      WHERE typnamespace = to_regnamespace('public') AND typtype = 'e'
      UNION ALL SELECT format('ALTER SCHEMA public OWNER TO %I', '${role}')`);
    for (const { order } of rows) await client.query(order);
  });
  const owned = new URL(url);
  owned.username = role;
  owned.password = 'secret';
  return owned.href;
}
