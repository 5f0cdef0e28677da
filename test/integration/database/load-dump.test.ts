import { openRestorer, type RestorerResult } from '../../../src/database/postgres/dump/restorer.ts';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { atEnd } from '../../support/cleanup.ts';
import { admin, createDatabase, databaseUrl, withClient } from '../../support/database.ts';
import { describePostgres, requirePostgres } from '../../support/postgres-server.ts';
import { snapshot } from '../../support/snapshot.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { reasonOfFault } from '../../../src/report/archive-reasons.ts';
import { dumpOf, future, futureHeader, restorerFor, never, sessionsIn, targetOf } from './loads.ts';

// objects of every kind that pg_dump writes in a special form
const content = `
  CREATE TABLE people (id serial PRIMARY KEY, name text NOT NULL UNIQUE, twice int GENERATED ALWAYS AS (id * 2) STORED);
  INSERT INTO people (name) SELECT 'person ' || i FROM generate_series(1, 500) i;
  INSERT INTO people (name) VALUES (E'tab\\t, \\\\., \\nSET transaction_timeout = 0;\\n\\\\! echo größe 日本');
  CREATE TYPE mood AS ENUM ('well', 'ill');
  CREATE TABLE days (day date, mood mood, person int REFERENCES people) PARTITION BY RANGE (day);
  CREATE TABLE days_2026 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  INSERT INTO days VALUES ('2026-02-03', 'well', 7);
  CREATE VIEW well AS SELECT * FROM days WHERE mood = 'well';
  CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM people;
  CREATE SEQUENCE free START 41; SELECT nextval('free'), nextval('free');
  CREATE SCHEMA "other Schema"; CREATE TABLE "other Schema"."a table" (a int); COMMENT ON SCHEMA public IS 'a comment';
  SELECT lo_from_bytea(0, 'large');
  CREATE FUNCTION nothing() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
  CREATE EVENT TRIGGER on_ddl ON ddl_command_end EXECUTE FUNCTION nothing();`;
const oddName = `dbi_${randomBytes(6).toString('hex')} a=b 'c' "d" \\e host=f`;
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
/** Objects that a load does not change, because they belong to the database and not to the dump. */
const comparable = async (url: string): Promise<string> =>
  (await snapshot(url)).replace(/--\n-- Name: SCHEMA public;.*\n--\n+COMMENT ON SCHEMA public .*\n+/, '');

/** Why a dump was refused, in words. */
const wordsOf = (result: RestorerResult): string =>
  result.kind === 'unusable' || result.kind === 'no-tool' ? reasonOfFault(result) : result.kind;

const source = async (sql: string): Promise<string> => {
  const { url } = await createDatabase();
  await withClient(url, (client) => client.query(sql));
  return url;
};

describePostgres(
  'loading a dump',
  () => {
    let full: string;
    let dump: string;
    /** The reason why pg_restore cannot write directly to this server; null if it can. */
    let indirect: string | null = null;

    beforeAll(async () => {
      full = await source(content);
      dump = await dumpOf(full);
      const { tool } = (await restorerFor(dump, full)).restorer;
      const { major } = requirePostgres();
      if (major < 17 && Number(tool.split(' ')[1]) >= 17) indirect = `${tool} goes through psql to PostgreSQL ${major}`;
    });
    afterEach(() => {
      vi.unstubAllEnvs();
    });

    it('restores everything, into a database of any name', async () => {
      await admin(`CREATE DATABASE ${quoted(oddName)} TEMPLATE template0 ENCODING 'UTF8'`);
      atEnd(() => admin(`DROP DATABASE ${quoted(oddName)} WITH (FORCE)`));
      const url = databaseUrl(oddName);
      const { restorer, warnings } = await restorerFor(dump, url);
      expect(warnings).toEqual([]);
      expect(restorer.tool).toMatch(/^pg_restore \d+$/);
      await restorer.loadIntoDatabase(targetOf(url), { role: null, jobs: 2, signal: never });
      expect(await comparable(url)).toBe(await comparable(full));
      expect(await readdir(dirname(dump))).toEqual(['db.dump']);
    });

    it('uses psql if a server refuses a setting of a newer pg_restore', async () => {
      const { url } = await createDatabase();
      const { dump: newer } = await future(dump);
      const { restorer } = await restorerFor(newer, url, 16);
      expect(restorer.tool).toBe('pg_restore 99');
      await restorer.loadIntoDatabase(targetOf(url), { role: null, jobs: 2, signal: never });
      expect(await comparable(url)).toBe(await comparable(full));
    });

    it('treats texts without an encoding as texts of the database, and refuses invalid ones', async () => {
      const bytes = `dbi_${randomBytes(6).toString('hex')}`;
      await admin(`CREATE DATABASE ${bytes} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'`);
      atEnd(() => admin(`DROP DATABASE ${bytes} WITH (FORCE)`));
      const { url } = await createDatabase();
      const load = async (): Promise<void> => {
        const { restorer } = await restorerFor(await dumpOf(databaseUrl(bytes)), url);
        await restorer.loadIntoDatabase(targetOf(url), { role: null, jobs: 1, signal: never });
      };
      await withClient(databaseUrl(bytes), (client) =>
        client.query("CREATE TABLE texts (v text); INSERT INTO texts VALUES ('größe 日本')"),
      );
      await load();
      await withClient(url, async (client) => {
        expect((await client.query('SELECT v, length(v) AS length FROM texts')).rows).toEqual([
          { v: 'größe 日本', length: 8 },
        ]);
        await client.query('DROP TABLE texts');
      });
      await withClient(databaseUrl(bytes), (client) => client.query(String.raw`UPDATE texts SET v = E'gr\366\337e'`));
      await expect(load()).rejects.toThrow('invalid byte sequence for encoding "UTF8"');
    });

    it('gives everything to a role, except objects that only a superuser may own', async () => {
      const role = `dbi ${randomBytes(6).toString('hex')} "It's"`;
      await admin(`CREATE ROLE ${quoted(role)}`);
      const { url, name } = await createDatabase();
      atEnd(() => admin(`DROP ROLE ${quoted(role)}`));
      atEnd(() => admin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
      await admin(
        `ALTER DATABASE ${name} OWNER TO ${quoted(role)}; GRANT CREATE ON DATABASE ${name} TO ${quoted(role)}`,
      );
      await withClient(url, (client) => client.query(`GRANT CREATE ON SCHEMA public TO ${quoted(role)}`));
      const { restorer } = await restorerFor(dump, url);
      await restorer.loadIntoDatabase(targetOf(url), { role, jobs: 1, signal: never });
      const owners = await withClient(url, (client) =>
        client.query<{ owner: string; kind: string }>(`
        SELECT DISTINCT pg_get_userbyid(relowner) AS owner, 'relation' AS kind FROM pg_class
        WHERE relnamespace IN (to_regnamespace('public'), to_regnamespace('"other Schema"'))
        UNION ALL SELECT pg_get_userbyid(nspowner), 'schema' FROM pg_namespace WHERE nspname = 'other Schema'
        UNION ALL SELECT pg_get_userbyid(lomowner), 'large object' FROM pg_largeobject_metadata
        UNION ALL SELECT pg_get_userbyid(evtowner), 'event trigger' FROM pg_event_trigger`),
      );
      expect(owners.rows).toEqual([
        { owner: role, kind: 'relation' },
        { owner: role, kind: 'schema' },
        { owner: role, kind: 'large object' },
        { owner: targetOf(url).user, kind: 'event trigger' },
      ]);
    });

    it('leaves out, with a warning, objects that a plain user may not create', async () => {
      const user = `dbi_${randomBytes(6).toString('hex')}`;
      await admin(`CREATE ROLE ${user} LOGIN PASSWORD '${user}'`);
      const { name } = await createDatabase();
      atEnd(() => admin(`DROP ROLE ${user}`));
      atEnd(() => admin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
      await admin(`ALTER DATABASE ${name} OWNER TO ${user}`);
      const url = new URL(databaseUrl(name));
      [url.username, url.password] = [user, user];
      const { restorer, warnings } = await restorerFor(dump, url.href);
      expect(warnings).toEqual(['the event trigger on_ddl is left out: only a superuser may create it']);
      await restorer.loadIntoDatabase(targetOf(url.href), { role: null, jobs: 2, signal: never });
      const { rows } = await withClient(url.href, (client) =>
        client.query('SELECT count(*)::int AS count FROM people'),
      );
      expect(rows).toEqual([{ count: 501 }]);
    });

    it('reports the message of the tool, and leaves no session connected', async () => {
      const url = await source('CREATE TABLE people (id int)');
      const direct = (await restorerFor(dump, url)).restorer.loadIntoDatabase(targetOf(url), {
        role: null,
        jobs: 2,
        signal: never,
      });
      const message = /^(?:pg_restore: error:|psql:<stdin>:\d+:) .*"people" already exists(?: \(and \d+ more\))?$/;
      await expect(direct).rejects.toThrow(message);
      const other = await source('CREATE TABLE people (id int)');
      const { restorer } = await restorerFor((await future(dump)).dump, other, 16);
      const bySql = restorer.loadIntoDatabase(targetOf(other), { role: null, jobs: 2, signal: never });
      await expect(bySql).rejects.toThrow(/^psql:<stdin>:\d+: ERROR: .*"people" already exists$/);
      expect([await sessionsIn(url), await sessionsIn(other)]).toEqual([0, 0]);
    });

    describe('in one transaction', () => {
      const work = {
        before: 'ALTER SCHEMA public RENAME TO former; CREATE SCHEMA public -- a comment',
        after: "UPDATE people SET name = 'größe' WHERE id = 1 -- another",
        role: null,
        signal: never,
      };
      const load = async (file: string, url: string, changes: Partial<typeof work & { commit: boolean }>) => {
        const { restorer } = await restorerFor(file, url);
        await restorer.loadInTransaction(targetOf(url), { ...work, commit: true, ...changes });
      };

      it('replaces only schema public', async () => {
        const url = await source('CREATE TABLE people (id int)');
        await load(dump, url, {});
        const { rows } = await withClient(url, (client) =>
          client.query(`SELECT (SELECT name FROM people WHERE id = 1), (SELECT count(*)::int AS count FROM days),
          (SELECT last_value::int FROM free), (SELECT count FROM counted)::int AS counted,
          to_regclass('former.people') IS NOT NULL AS former, to_regnamespace('"other Schema"') AS other`),
        );
        expect(rows).toEqual([{ name: 'größe', count: 1, last_value: 42, counted: 501, former: true, other: null }]);
      });

      it('leaves everything unchanged in a dry run', async () => {
        const url = await source('CREATE TABLE people (id int)');
        const earlier = await snapshot(url);
        await load(dump, url, { commit: false });
        expect(await snapshot(url)).toBe(earlier);
      });

      it.each([
        ['before', { before: 'CREATE TABLE people (id int)' }],
        ['after', { after: 'SELECT 1 / 0' }],
        [
          'the commit',
          { after: 'CREATE TABLE d (a int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO d VALUES (1), (1)' },
        ],
      ])('leaves everything unchanged if %s fails', async (_, changes) => {
        const url = await source('CREATE TABLE people (id int)');
        const earlier = await snapshot(url);
        await expect(load(dump, url, changes)).rejects.toThrow(/^psql:<stdin>:\d+: ERROR: /);
        expect(await snapshot(url)).toBe(earlier);
      });

      it('leaves everything unchanged if the dump ends too early', async () => {
        const url = await source('CREATE TABLE people (id int)');
        const earlier = await snapshot(url);
        const large = await source(`CREATE TABLE large AS SELECT md5(i::text) FROM generate_series(1, 20000) i`);
        const cut = await dumpOf(large);
        await truncate(cut, 200_000);
        await expect(load(cut, url, { after: '' })).rejects.toThrow(/^pg_restore: error: /);
        expect(await snapshot(url)).toBe(earlier);
      });
    });

    describe('of a long load', () => {
      let slow: string;

      // the index on this row is never finished
      beforeAll(async () => {
        const url = await source('CREATE TABLE t AS SELECT generate_series(1, 3) AS a; CREATE TABLE u AS TABLE t');
        await withClient(url, (client) =>
          client.query(`
          CREATE FUNCTION slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
            IF current_database() <> '${targetOf(url).database}' THEN PERFORM pg_sleep(600); END IF; RETURN 1; END $$;
          CREATE INDEX ON t (slow(a)); CREATE INDEX ON u (slow(a))`),
        );
        slow = await dumpOf(url);
      });
      const sleeping = (url: string, count: number): Promise<void> =>
        vi.waitFor(
          async () => {
            const query =
              "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
            const { rows } = await withClient(url, (client) => client.query(query));
            expect(rows).toHaveLength(count);
          },
          { timeout: 60_000, interval: 50 },
        );

      const giveUp = async (file: string, serverMajor: number, connections: number) => {
        const { url } = await createDatabase();
        const { restorer } = await restorerFor(file, url, serverMajor);
        const interruption = new AbortController();
        const load = restorer.loadIntoDatabase(targetOf(url), { role: null, jobs: 2, signal: interruption.signal });
        const outcome = load.catch((error: unknown) => error);
        await sleeping(url, connections);
        interruption.abort('SIGTERM');
        return { outcome: await outcome, sessions: await sessionsIn(url) };
      };
      const nothingLeft = { outcome: 'SIGTERM', sessions: 0 };

      it('ends the sessions of pg_restore when the run is aborted', async ({ skip }) => {
        if (indirect !== null) skip(indirect);
        expect(await giveUp(slow, requirePostgres().major, 2)).toEqual(nothingLeft);
      });

      it('ends the session of psql when the run is aborted', async () => {
        expect(await giveUp((await future(slow)).dump, 16, 1)).toEqual(nothingLeft);
      });

      it('leaves no session connected when pg_restore is killed', async ({ skip }) => {
        if (indirect !== null) skip(indirect);
        const { url } = await createDatabase();
        const { dump: file, pidFile } = await future(slow);
        const { restorer } = await restorerFor(file, url, 99);
        const load = restorer.loadIntoDatabase(targetOf(url), { role: null, jobs: 2, signal: never });
        const outcome = load.catch((error: unknown) => error);
        await sleeping(url, 2);
        process.kill(Number(await readFile(pidFile, 'utf8')), 'SIGKILL');
        await outcome;
        expect(await sessionsIn(url)).toBe(0);
      });
    });

    it('ends the other jobs of a checked load when one fails', async () => {
      const checked = await dumpOf(
        await source('CREATE TABLE t (a int); CREATE INDEX bad ON t (a); CREATE INDEX slow ON t (a)'),
      );
      // one index fails while the other, which never finishes, is being made
      const url = await source(`
        CREATE FUNCTION hinder() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
          IF current_query() LIKE '%INDEX slow %' THEN PERFORM pg_sleep(600); END IF;
          WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                            AND wait_event = 'PgSleep' AND pid <> pg_backend_pid())
            LOOP PERFORM pg_sleep(0.01), pg_stat_clear_snapshot(); END LOOP;
          RAISE EXCEPTION 'no such index'; END $$;
        CREATE EVENT TRIGGER hinder ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION hinder()`);
      const { restorer } = await restorerFor(checked, url, requirePostgres().major, false);
      const load = restorer.loadIntoDatabase(targetOf(url), { role: null, jobs: 2, signal: never });
      await expect(load).rejects.toThrow(/^psql:<stdin>:\d+: ERROR: +no such index$/);
      expect(await sessionsIn(url)).toBe(0);
    });

    it.each<[string, Buffer, string, RegExp]>([
      [
        'that no tool reads',
        futureHeader(),
        'no-tool',
        /^the dump was made by pg_dump 99\.0 \(archive format 1\.99\), which pg_restore 99 and newer read, and the newest pg_restore here is \d+$/,
      ],
      [
        'that is none',
        Buffer.from('CREATE TABLE t ();'.repeat(9)),
        'unusable',
        /^the dump cannot be read: it is not a dump in PostgreSQL's custom format$/,
      ],
      ['that is empty', Buffer.alloc(0), 'unusable', /^the dump cannot be read: its header is cut off$/],
    ])('reports a dump %s', async (_, bytes, kind, reason) => {
      const file = join(await temporaryDirectory(), 'db.dump');
      await writeFile(file, bytes);
      const opened = await openRestorer(file, targetOf(full), {
        serverMajor: requirePostgres().major,
        trusted: true,
        maxBytes: Infinity,
        signal: never,
      });
      expect(opened.kind).toBe(kind);
      expect(wordsOf(opened)).toMatch(reason);
    });

    it('reports a dump that is cut off after its header', async () => {
      const file = await dumpOf(full);
      await truncate(file, 1500);
      const opened = await openRestorer(file, targetOf(full), {
        serverMajor: requirePostgres().major,
        trusted: true,
        maxBytes: Infinity,
        signal: never,
      });
      expect(opened.kind).toBe('unusable');
      expect(wordsOf(opened)).toMatch(/^the dump cannot be read: pg_restore: error: /);
    });
  },
  'tools',
);
