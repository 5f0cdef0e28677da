import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { execa } from 'execa';
import type pg from 'pg';
import { beforeAll, expect, it } from 'vitest';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { atEnd } from '../../support/cleanup.ts';
import {
  execute,
  admin,
  connectClient,
  createDatabase,
  databaseUrl,
  type TestDatabase,
  withClient,
} from '../../support/database.ts';
import { describePostgres, requirePostgres } from '../../support/postgres-server.ts';
import { describePrivateCluster, startPrivateCluster } from '../../support/private-cluster.ts';
import { run } from '../../support/run.ts';
import { applicationArchive, databaseOf, dumpOf, unknownRevision } from './crafted.ts';
import { atMoment, journalOf } from './phases.ts';
import {
  archivePath,
  ask,
  relatedDatabases,
  currentArchive,
  difference,
  type Installation,
  install,
  madeByHand,
  uploadsIn,
  uploadsOf,
} from './restores.ts';

const head = releaseGraph.heads.join();

/** A new role for one test that may log in. */
async function createRole(): Promise<string> {
  const name = `dbi_role_${randomBytes(4).toString('hex')}`;
  await admin(`CREATE ROLE ${name} LOGIN PASSWORD 'secret' NOCREATEDB`);
  atEnd(() => admin(`DROP ROLE IF EXISTS ${name}`));
  return name;
}

/** The same database, seen as another role. */
function as(role: string, database: TestDatabase): TestDatabase {
  const url = new URL(database.url);
  url.username = role;
  url.password = 'secret';
  return { ...database, url: url.href };
}

/** The application's session, as a server sees it. */
const applicationAt = (url: string): Promise<pg.Client> => connectClient(url, 'the application');

/** The rows of all tables of schema public. */
async function rowsOf(database: TestDatabase): Promise<readonly string[]> {
  const tables = await ask(
    database,
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1",
  );
  const questions = tables.map((name) => `SELECT '${String(name)}: ' || t FROM public."${String(name)}" t`);
  return [...tables.map(String), ...(await ask(database, `${questions.join(' UNION ALL ')} ORDER BY 1`)).map(String)];
}

describePostgres(
  'a user whose connections are limited',
  () => {
    it('restores with as many jobs as it may have connections, or gets the limit that is needed', async () => {
      const role = await createRole();
      const database = await createDatabase();
      await admin(`ALTER DATABASE "${database.name}" OWNER TO ${role}`);
      await admin(`ALTER ROLE ${role} CREATEDB CONNECTION LIMIT 2`);
      const place = await install('postgresql', { database: as(role, database) });
      const restore = () => place.run('restore', currentArchive('postgresql'), '--dry-run');
      const refused = await restore();
      expect(refused.exitCode, refused.all).toBe(4);
      expect(refused.stderr).toContain(`ALTER ROLE ${role} CONNECTION LIMIT 3;`);
      await admin(`ALTER ROLE ${role} CONNECTION LIMIT 3`);
      const { exitCode, all } = await restore();
      expect(exitCode, all).toBe(0);
    });
  },
  'tools',
);

describePostgres(
  'a user who may have one connection',
  () => {
    it('passes the gate, and gets the number that a backup and a restore need', async () => {
      const role = await createRole();
      const database = await createDatabase();
      await admin(`ALTER DATABASE "${database.name}" OWNER TO ${role}`);
      if (requirePostgres().major < 15) await execute(database, `ALTER SCHEMA public OWNER TO ${role}`);
      await admin(`ALTER ROLE ${role} CONNECTION LIMIT 1`);
      const place = await install('postgresql', { database: as(role, database) });
      // over a socket, db-init checks for a pooler with a second connection
      const { rows } = await withClient(database.url, (client) =>
        client.query<{ unix_socket_directories: string }>('SHOW unix_socket_directories'),
      );
      const url = new URL(place.database.url);
      const [folder = ''] = (rows[0]?.unix_socket_directories ?? '').split(',');
      url.searchParams.set('host', folder);
      const overSocket = await run(['gate'], { env: { DATABASE_URL: url.href } });
      expect(overSocket.exitCode, overSocket.all).toBe(0);

      await withClient(place.database.url, async () => {
        const full = await run(['gate'], { env: { ...place.env, TT_WAIT_TIMEOUT: '1' } });
        expect(full.exitCode, full.all).toBe(3);
        expect(full.all).toContain(`ALTER ROLE "${role}" CONNECTION LIMIT`);
      });

      const commands = [
        ['backup', 'create'],
        ['restore', currentArchive('postgresql'), '--yes'],
        ['restore', currentArchive('postgresql'), '--dry-run'],
      ];
      for (const command of commands) {
        const refused = await place.run(...command);
        expect(refused.exitCode, refused.all).toBe(4);
        expect(refused.stderr.replaceAll(/\s+/g, ' ')).toContain('2 are needed, and the limit of the role is 1');
        expect(refused.stderr).toContain(`ALTER ROLE ${role} CONNECTION LIMIT 2;`);
      }
      await admin(`ALTER ROLE ${role} CONNECTION LIMIT 2`);
      for (const command of commands) {
        const { exitCode, all } = await place.run(...command);
        expect(exitCode, all).toBe(0);
      }

      // a required safety backup prevents the work; an optional one does not
      await admin(`ALTER ROLE ${role} CONNECTION LIMIT 1`);
      await withClient(database.url, (client) => client.query('ALTER TABLE clients DROP COLUMN email'));
      for (const command of ['plan', 'gate']) {
        const refused = await run([command], { env: { ...place.env, TT_BACKUP_BEFORE_MIGRATE: 'always' } });
        expect(refused.exitCode, refused.all).toBe(4);
        expect(refused.all).toContain(`ALTER ROLE ${role} CONNECTION LIMIT 2;`);
      }
      const { exitCode, all } = await place.run('gate');
      expect(exitCode, all).toBe(0);
      expect(all).toContain('No safety backup was made');
    });
  },
  'tools',
);

describePostgres(
  'a user who may not create databases',
  () => {
    const archive = currentArchive('postgresql');
    let place: Installation;
    let expected: readonly string[];
    let before: readonly string[];
    const schemas = () =>
      ask(place.database, `SELECT nspname FROM pg_namespace WHERE nspname ~ '^(public|tt_)' ORDER BY 1`);

    beforeAll(async () => {
      const role = await createRole();
      const database = await createDatabase();
      await admin(`ALTER DATABASE "${database.name}" OWNER TO ${role}`);
      if (requirePostgres().major < 15) await execute(database, `ALTER SCHEMA public OWNER TO ${role}`);
      place = await install('postgresql', { database: as(role, database) });
      await place.must();
      await execute(place.database, 'CREATE TABLE of_mine (id int); INSERT INTO of_mine VALUES (7)');
      before = await rowsOf(place.database);
      expected = await rowsOf(await madeByHand(archive));
    });

    it('tries the load in a transaction', async () => {
      const { exitCode, all } = await place.run('restore', archive, '--dry-run');
      expect(exitCode, all).toBe(0);
      expect(all).toContain('may not create databases');
      expect(difference(before, await rowsOf(place.database))).toEqual([]);
      expect(await schemas()).toEqual(['public']);
    });

    it('gets everything back if the loaded archive cannot be used', async () => {
      const useless = await applicationArchive('postgresql', await databaseOf('postgresql', unknownRevision), head);
      const { exitCode, stderr } = await place.run('restore', useless, '--yes');
      expect(exitCode, stderr).toBe(32);
      expect(difference(before, await rowsOf(place.database))).toEqual([]);
      expect(await schemas()).toEqual(['public']);
      expect(journalOf(place)).toBeNull();
    });

    it('gets the list of other sessions', async () => {
      await withClient(place.database.url, async (client) => {
        await client.query("SET application_name TO 'the application'");
        const { exitCode, stderr } = await place.run('restore', archive, '--yes');
        expect(exitCode, stderr).toBe(31);
        expect(stderr).toContain('the application');
        await client.query('SELECT 1');
      });
      expect(difference(before, await rowsOf(place.database))).toEqual([]);
    });

    it('gets the former database back at the next start if the restore is killed', async () => {
      for (const moment of ['after swapping', 'before finishing'] as const) {
        const env = { ...place.env, ...(await atMoment(moment, 'SIGKILL')) };
        await run(['restore', archive, '--yes'], { env });
        const gate = await place.run();
        expect(gate.exitCode, gate.all).toBe(0);
        expect(gate.all).toContain('It was taken back');
        expect(difference(before, await rowsOf(place.database))).toEqual([]);
        expect(await schemas()).toEqual(['public']);
      }
    });

    it('restores into a new schema, undoes the restore, and undoes the undo', async () => {
      const restored = await place.run('restore', archive, '--yes');
      expect(restored.exitCode, restored.all).toBe(0);
      expect(difference(expected, await rowsOf(place.database))).toEqual([]);
      expect(await schemas()).toEqual(['public', expect.stringMatching(/^tt_before_/)]);
      expect(await uploadsIn(place.statics)).toEqual(uploadsOf(archive));
      expect((await place.run()).exitCode).toBe(0);
      // the application's own backups contain the former schema as well
      expect(restored.all).toContain('Backups of db-init leave it out.');
      const { all } = await place.must('backup', 'create', '--output', join(place.root, 'after.zip'));
      expect(all).toContain('read back and found whole');
      await place.must('restore', join(place.root, 'after.zip'), '--dry-run');
      const [, kept = ''] = await schemas();
      const theirs = await applicationArchive('postgresql', await dumpOf(place.database.url), head);
      const tried = await place.must('restore', theirs, '--dry-run');
      expect(tried.all.split(`the schema ${String(kept)} is left out: by its name`)).toHaveLength(2);
      expect((await place.must('backup', 'verify', theirs)).stdout).not.toContain('objects:');
      const plain = join(place.root, 'plain.sql');
      await execa(join(requirePostgres().binDirectory ?? '', 'pg_dump'), ['-f', plain, '-d', place.database.url]);
      const laptop = await install('sqlite');
      for (const source of [theirs, plain]) {
        const copied = await laptop.must('restore', source, '--dry-run');
        expect(copied.all).toContain(`the schema ${String(kept)} is left out: by its name`);
        expect((await laptop.must('backup', 'verify', source)).stdout).not.toContain('objects:');
      }
      expect(restored.all).toMatch(/To drop it: \S*.*restore --drop-former/);

      const [, former = ''] = await schemas();
      await execute(place.database, `UPDATE ${String(former)}.of_mine SET id = 8`);
      const refused = await place.run('restore', '--undo', '--yes');
      expect(refused.exitCode, refused.all).toBe(31);
      expect(refused.stderr.replaceAll(/\s+/g, ' ')).toContain(
        'of_mine has as many rows as before, but not the same ones.',
      );
      await execute(place.database, `UPDATE ${String(former)}.of_mine SET id = 7`);
      const undone = await place.run('restore', '--undo', '--yes');
      expect(undone.exitCode, undone.all).toBe(0);
      expect(undone.all).toContain('as it was.');
      expect(difference(before, await rowsOf(place.database))).toEqual([]);
      const redone = await place.run('restore', '--undo', '--yes');
      expect(redone.exitCode, redone.all).toBe(0);
      expect(difference(expected, await rowsOf(place.database))).toEqual([]);
      expect((await place.run('restore', '--drop-former', '--yes')).exitCode).toBe(0);
      expect(await schemas()).toEqual(['public']);
    });

    it('undoes and drops by the method of the restore, with any later rights', async () => {
      const role = new URL(place.database.url).username;
      const rows = await rowsOf(place.database);
      await place.must('restore', archive, '--yes');
      await admin(`ALTER ROLE ${role} CREATEDB`);
      const undone = await place.run('restore', '--undo', '--yes');
      expect(undone.exitCode, undone.all).toBe(0);
      expect(difference(rows, await rowsOf(place.database))).toEqual([]);
      await place.must('restore', '--drop-former', '--yes');
      expect(await schemas()).toEqual(['public']);

      await place.must('restore', archive, '--yes');
      await admin(`ALTER ROLE ${role} NOCREATEDB`);
      const former = (await relatedDatabases(place.database)).find((name) => name !== place.database.name) ?? '';
      const refused = await place.run('restore', '--undo', '--yes');
      expect(refused.exitCode, refused.all).toBe(31);
      expect(refused.stderr).toContain('permission denied to rename database');
      expect(journalOf(place)).toBeNull();
      expect(difference(expected, await rowsOf(place.database))).toEqual([]);
      const dropped = await place.must('restore', '--drop-former', '--yes');
      expect(dropped.all).toContain(`Dropped ${former}.`);
      expect(await relatedDatabases(place.database)).toEqual([place.database.name]);
    });

    it('loses no write during an undo, with any other sessions', async () => {
      await place.must('restore', archive, '--yes');
      await execute(place.database, 'CREATE TABLE written (id int)');
      const undo = (): ReturnType<typeof place.run> => place.run('restore', '--undo', '--yes', '--disconnect');
      const client = await applicationAt(place.database.url);
      await client.query('BEGIN; INSERT INTO written VALUES (0)');
      const refused = await place.run('restore', '--undo', '--yes');
      expect(refused.exitCode, refused.all).toBe(31);
      // a pool that connects again at once, and writes
      const over = new AbortController();
      let acknowledged = 0;
      const pool = (async () => {
        while (!over.signal.aborted) {
          const done = await withClient(place.database.url, async (other) => {
            await other.query("SET application_name TO 'the pool'");
            return (await other.query('INSERT INTO written VALUES (1)')).rowCount ?? 0;
          }).catch(() => 0);
          acknowledged += done;
        }
      })();
      const outcome = await undo();
      over.abort();
      await pool;
      await expect(client.query('COMMIT')).rejects.toThrow(/terminat|closed|not queryable|connection/i);
      await client.end().catch(() => undefined);
      // a session that never stops may be refused
      expect([0, 31], outcome.all).toContain(outcome.exitCode);
      if (outcome.exitCode !== 0) await place.must('restore', '--undo', '--yes', '--disconnect');
      const [, former = ''] = await schemas();
      const rows = await ask(place.database, `SELECT count(*)::int FROM ${String(former)}.written`);
      expect(rows).toEqual([acknowledged]);
      await place.must('restore', '--drop-former', '--yes');
    });

    it('gets a message if the kept schema was dropped by hand', async () => {
      await place.must('restore', archive, '--yes');
      const [, former = ''] = await schemas();
      await execute(place.database, `DROP SCHEMA ${String(former)} CASCADE`);
      const { all } = await place.must('restore', '--drop-former', '--yes');
      expect(all).toContain(`${String(former)} is not there any more.`);
      expect(all).not.toContain('Dropped');
    });

    it('drops nothing outside of the kept schema, but refuses', async () => {
      await place.must('restore', archive, '--yes');
      const [, former = ''] = await schemas();
      await execute(place.database, `CREATE VIEW public.looking_back AS SELECT * FROM ${String(former)}.users`);
      const refused = await place.run('restore', '--drop-former', '--yes');
      expect(refused.exitCode, refused.all).toBe(31);
      expect(refused.stderr).toContain('view looking_back');
      expect(await ask(place.database, 'SELECT count(*) >= 0 FROM public.looking_back')).toEqual([true]);
      expect(await schemas()).toEqual(['public', former]);
      await execute(place.database, 'DROP VIEW public.looking_back');
      await place.must('restore', '--drop-former', '--yes');
      expect(await schemas()).toEqual(['public']);
    });

    it('gets the missing right if it does not own schema public either', async () => {
      const role = await createRole();
      const database = await createDatabase();
      const poor = await install('postgresql', { database: as(role, database) });
      const { exitCode, stderr } = await poor.run('restore', archive, '--yes');
      expect(exitCode, stderr).toBe(4);
      expect(stderr).toContain(`ALTER ROLE ${role} CREATEDB`);
      expect(journalOf(poor)).toBeNull();
    });
  },
  'tools',
);

/** The properties of a database except name and age, and its settings. */
async function factsOf(name: string): Promise<unknown> {
  return withClient(requirePostgres().url, async (client) => {
    const { rows } = await client.query<Record<string, unknown>>(
      `SELECT to_jsonb(d) - ARRAY['oid', 'datfrozenxid', 'datminmxid', 'datname', 'datlastsysoid', 'datacl'] AS facts,
              (SELECT array_agg(entry ORDER BY entry) FROM unnest(datacl::text[]) AS entry) AS grants,
              shobj_description(d.oid, 'pg_database') AS comment,
              (SELECT array_agg(setrole::regrole || ' ' || entry ORDER BY setrole, entry)
               FROM pg_db_role_setting, unnest(setconfig) AS entry WHERE setdatabase = d.oid) AS settings
       FROM pg_database d WHERE datname = $1`,
      [name],
    );
    return rows;
  });
}

describePostgres(
  'a superuser who restores the database of somebody else',
  () => {
    it('leaves it to its owner, with all settings and grants, with any name', async () => {
      const [owner, reader] = [await createRole(), await createRole()];
      const name = `ß "d'b\\ ${randomBytes(20).toString('hex')} Zeiterfass日`;
      expect(Buffer.byteLength(name)).toBe(63);
      const quoted = `"${name.replaceAll('"', '""')}"`;
      const server = requirePostgres();
      const icu = await withClient(server.url, async (client) => {
        const { rowCount } = await client.query(`SELECT 1 FROM pg_collation WHERE collprovider = 'i' LIMIT 1`);
        return server.major >= 15 && (rowCount ?? 0) > 0;
      });
      const locale = icu ? `LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' LOCALE 'C'` : `LOCALE 'C'`;
      await admin(
        `CREATE DATABASE ${quoted} OWNER ${owner} TEMPLATE template0 ENCODING 'UTF8' ${locale} CONNECTION LIMIT 3`,
      );
      atEnd(() => admin(`DROP DATABASE IF EXISTS ${quoted} WITH (FORCE)`));
      const url = databaseUrl(name);
      const database: TestDatabase = { engine: 'postgresql', url, name, drop: () => Promise.resolve() };
      for (const sql of [
        `ALTER DATABASE ${quoted} SET search_path = "$user", public, "a,b"`,
        `ALTER DATABASE ${quoted} SET timezone = 'Europe/Berlin'`,
        `ALTER DATABASE ${quoted} SET app.setting = 'it''s'`,
        `ALTER DATABASE ${quoted} SET default_transaction_isolation = 'serializable'`,
        `ALTER ROLE ${reader} IN DATABASE ${quoted} SET statement_timeout = '55s'`,
        `COMMENT ON DATABASE ${quoted} IS 'Ann''s: ask \\ her'`,
        `REVOKE CONNECT ON DATABASE ${quoted} FROM PUBLIC`,
        `GRANT CONNECT ON DATABASE ${quoted} TO ${reader} WITH GRANT OPTION`,
      ]) {
        await admin(sql);
      }
      await execute(database, `SET ROLE ${owner}; CREATE TABLE users (id int)`);
      const before = await factsOf(name);

      const place = await install('postgresql', { database });
      const restored = await place.run('restore', archivePath('pg-v5.0.0-pgdump15.zip'), '--yes');
      expect(restored.exitCode, restored.all).toBe(0);
      expect(restored.all).not.toContain('Not carried over');
      expect(await factsOf(name)).toEqual(before);
      const owners = await ask(
        database,
        `SELECT DISTINCT pg_get_userbyid(relowner)::text FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S', 'v')`,
      );
      expect(owners).toEqual([owner]);
      const types = await ask(
        database,
        `SELECT DISTINCT pg_get_userbyid(typowner)::text FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'`,
      );
      expect(types.filter((found) => found !== owner)).toEqual([]);

      const undone = await place.run('restore', '--undo', '--yes');
      expect(undone.exitCode, undone.all).toBe(0);
      expect(await ask(database, 'SELECT count(*) FROM users')).toEqual(['0']);
      expect(await factsOf(name)).toEqual(before);
      expect((await place.run('restore', '--drop-former', '--yes')).exitCode).toBe(0);
    });
  },
  'tools',
);

describePrivateCluster('a server that makes databases of another locale provider', () => {
  it('restores a database of the provider libc as one of libc', async ({ skip }) => {
    const server = await startPrivateCluster();
    const url = new URL(server.url);
    const columns = await withClient(server.url, async (client) => {
      const { rows } = await client.query<{ attname: string }>(
        `SELECT attname FROM pg_attribute WHERE attrelid = 'pg_database'::regclass AND attname IN ('daticulocale', 'datlocale')`,
      );
      return rows.map(({ attname }) => attname);
    });
    const [locale] = columns;
    if (locale === undefined) return skip('before PostgreSQL 15 there is libc alone');
    await server.run("CREATE DATABASE timetracker TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER libc LOCALE 'C'");
    // as initdb --locale-provider=icu leaves it
    await server.run(`UPDATE pg_database SET datlocprovider = 'i', ${locale} = 'en' WHERE datname = 'template0'`);
    url.pathname = '/timetracker';
    const drop = () => Promise.resolve();
    const database: TestDatabase = { engine: 'postgresql', url: url.href, name: 'timetracker', drop };

    const place = await install('postgresql', { database });
    await place.must('restore', archivePath('pg-v5.0.0-pgdump15.zip'), '--yes');
    const provider = 'SELECT datlocprovider FROM pg_database WHERE datname = current_database()';
    expect(await ask(database, provider)).toEqual(['c']);
    await place.must('restore', '--drop-former', '--yes');
  });
});

describePrivateCluster('a server with a transaction that waits for the second phase of its commit', () => {
  it.each(['databases', 'schemas'])('prevents a swap until it has ended (%s)', async (way) => {
    const server = await startPrivateCluster();
    await server.run('ALTER SYSTEM SET max_prepared_transactions TO 5');
    await server.run('CHECKPOINT');
    await server.crash();
    await server.run(`CREATE ROLE owner LOGIN PASSWORD 'secret' ${way === 'databases' ? 'CREATEDB' : ''}`);
    await server.run('CREATE DATABASE tt OWNER owner TEMPLATE template0');
    const url = new URL('/tt', server.url);
    const superuser: TestDatabase = { engine: 'postgresql', url: url.href, name: 'tt', drop: () => Promise.resolve() };
    await execute(superuser, 'ALTER SCHEMA public OWNER TO owner');
    const place = await install('postgresql', { database: as('owner', superuser) });
    const archive = currentArchive('postgresql');
    await place.must();
    await place.must('restore', archive, '--yes');
    await execute(place.database, 'CREATE TABLE written (id int)');
    await execute(place.database, "BEGIN; INSERT INTO written VALUES (1); PREPARE TRANSACTION 'left by somebody'");
    for (const args of [['--undo'], [archive]]) {
      const { exitCode, all } = await place.run('restore', ...args, '--yes', '--disconnect');
      expect([exitCode, all]).toEqual([31, expect.stringContaining("ROLLBACK PREPARED 'left by somebody'")]);
    }
    await execute(place.database, "COMMIT PREPARED 'left by somebody'");
    await place.must('restore', '--undo', '--yes');
    await place.must('restore', '--undo', '--yes');
    expect(await ask(place.database, 'SELECT id FROM written')).toEqual([1]);
  });
});
