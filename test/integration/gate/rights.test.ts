import { randomBytes } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import { atEnd } from '../../support/cleanup.ts';
import { admin, createDatabase, type TestDatabase, withClient } from '../../support/database.ts';
import { release } from '../../support/fixtures.ts';
import { startProxy } from '../../support/postgres-proxy.ts';
import { describePostgres, requirePostgres } from '../../support/postgres-server.ts';
import { restoredDatabase } from '../../support/templates.ts';
import { run } from '../../support/run.ts';
import { snapshot } from '../../support/snapshot.ts';

/** A role without any right, which is dropped with its objects after the tests of the file. */
async function createRole(database: TestDatabase, settings: Readonly<Record<string, string>> = {}) {
  const role = `dbi_role_${randomBytes(4).toString('hex')}`;
  await admin(`CREATE ROLE ${role} LOGIN PASSWORD 'pw'`);
  for (const [name, value] of Object.entries(settings)) await admin(`ALTER ROLE ${role} SET ${name} TO ${value}`);
  atEnd(() => admin(`DROP ROLE ${role}`));
  atEnd(() => database.drop());
  const url = new URL(database.url);
  url.username = role;
  url.password = 'pw';
  return { role, url: url.href };
}

const sqlOf = (database: TestDatabase, ...statements: readonly string[]): Promise<void> =>
  withClient(database.url, async (client) => {
    for (const statement of statements) await client.query(statement);
  });

describePostgres('a role that may not create tables', () => {
  it('gets the GRANT to run, and needs nothing else', async () => {
    const database = await createDatabase();
    await sqlOf(database, 'REVOKE CREATE ON SCHEMA public FROM public');
    const { role, url } = await createRole(database);
    const before = await snapshot(database.url);

    const refused = await run(['gate'], { env: { DATABASE_URL: url } });
    expect(refused.exitCode).toBe(4);
    const grant = `GRANT CREATE ON SCHEMA public TO ${role};`;
    expect(refused.stderr).toContain(grant);
    expect(refused.all).not.toContain('creating the schema');
    expect(await snapshot(database.url)).toBe(before);

    await sqlOf(database, grant);
    expect((await run(['gate'], { env: { DATABASE_URL: url } })).exitCode).toBe(0);
  });

  it('gets the statement that creates the schema public if it is missing', async () => {
    const database = await createDatabase();
    await sqlOf(database, 'DROP SCHEMA public');
    const { role, url } = await createRole(database);
    const { exitCode, stderr } = await run(['gate'], { env: { DATABASE_URL: url } });
    expect(exitCode).toBe(4);
    await sqlOf(database, /CREATE SCHEMA public AUTHORIZATION \S+;/.exec(stderr)?.[0] ?? `-- nothing for ${role}`);
    expect((await run(['gate'], { env: { DATABASE_URL: url } })).exitCode).toBe(0);
  });
});

describePostgres('a role that may not read a table', () => {
  it('gets no report of a healthy database before it may', async () => {
    const database = await createDatabase();
    const { role, url } = await createRole(database);
    await sqlOf(
      database,
      `ALTER DATABASE ${database.name} OWNER TO ${role}`,
      `GRANT CREATE ON SCHEMA public TO ${role}`,
    );
    const dbInit = (command: string) => run([command], { env: { DATABASE_URL: url } });
    expect((await dbInit('gate')).exitCode).toBe(0);

    await sqlOf(database, 'ALTER TABLE comments OWNER TO CURRENT_USER');
    for (const command of ['gate', 'status', 'plan', 'verify']) {
      const { exitCode, stdout, stderr } = await dbInit(command);
      expect(exitCode).toBe(14);
      expect(stdout + stderr).toContain('this user may not read table comments');
    }
    // the sequence went to the other owner with its table
    await sqlOf(database, `GRANT ALL ON comments TO ${role}`, `GRANT ALL ON SEQUENCE comments_id_seq TO ${role}`);
    expect((await dbInit('verify')).exitCode).toBe(0);
  });
});

describePostgres('a role that does not own the tables', () => {
  it('gets the statement that makes it the owner, and nothing is begun', async () => {
    const database = await restoredDatabase(release('pg', 'v2.3.7', 'before.sql.gz'));
    const { role, url } = await createRole(database);
    await sqlOf(database, 'GRANT ALL ON SCHEMA public TO public', `GRANT SELECT ON alembic_version TO ${role}`);
    const before = await snapshot(database.url);
    const { exitCode, stderr } = await run(['gate'], { env: { DATABASE_URL: url } });
    expect(exitCode).toBe(4);
    expect(stderr).toContain(`ALTER TABLE public.users OWNER TO ${role};`);
    expect(await snapshot(database.url)).toBe(before);

    const remedies = stderr.match(/ALTER TABLE \S+ OWNER TO \S+;/g) ?? [];
    await sqlOf(database, ...remedies);
    expect((await run(['gate'], { env: { DATABASE_URL: url } })).exitCode).toBe(0);
  });
});

describePostgres('a role that may only read', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await restoredDatabase(release('pg', 'v2.3.7', 'before.sql.gz'));
    await sqlOf(database, 'REVOKE CREATE ON SCHEMA public FROM public');
  });

  it.each([
    // the exit code of the gate
    ['status', 4],
    ['plan', 4],
    ['verify', 21],
  ])('gets an answer from %s', async (command, expected) => {
    const { role, url } = await createRole(database, { default_transaction_read_only: 'on' });
    await sqlOf(database, `GRANT SELECT ON alembic_version TO ${role}`);
    const before = await snapshot(database.url);
    const { exitCode, stdout } = await run([command], { env: { DATABASE_URL: url } });
    expect(exitCode).toBe(expected);
    expect(stdout).toContain('state:     behind');
    expect(await snapshot(database.url)).toBe(before);
    await sqlOf(database, `REVOKE ALL ON alembic_version FROM ${role}`);
  });

  it('does not treat an unreadable table as missing, and gets the statement that gives it the tables', async () => {
    const restored = await restoredDatabase(release('pg', 'v5.10.0', 'before.sql.gz'));
    const { role, url } = await createRole(restored);
    await sqlOf(restored, `GRANT CREATE ON SCHEMA public TO ${role}`);
    const { exitCode, stderr } = await run(['gate'], { env: { DATABASE_URL: url } });
    expect(exitCode).toBe(17);
    expect(stderr).toContain('alembic_version');
    await sqlOf(restored, /^ +(DO \$\$.*;)$/m.exec(stderr)?.[1] ?? '');
    const again = await run(['gate'], { env: { DATABASE_URL: url } });
    expect(again.exitCode, again.all).toBe(0);
  });
});

/** A database of an old release that belongs, with all its tables, to a role with these settings. */
async function ownedBy(settings: Readonly<Record<string, string>>): Promise<{ database: TestDatabase; url: string }> {
  const database = await restoredDatabase(release('pg', 'v1.5.1', 'before.sql.gz'));
  const { role, url } = await createRole(database, settings);
  await sqlOf(database, `ALTER DATABASE ${database.name} OWNER TO ${role}`, `ALTER SCHEMA public OWNER TO ${role}`);
  await sqlOf(
    database,
    `DO $$ DECLARE t record; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public'
    LOOP EXECUTE format('ALTER TABLE public.%I OWNER TO ${role}', t.tablename); END LOOP; END $$`,
  );
  return { database, url };
}

describePostgres('a setting of the role', () => {
  it.each([
    { statement_timeout: '1', lock_timeout: '1', idle_in_transaction_session_timeout: '1' },
    { default_transaction_isolation: 'serializable', idle_session_timeout: '100' },
    {
      standard_conforming_strings: 'off',
      datestyle: "'SQL, DMY'",
      intervalstyle: 'sql_standard',
      timezone: "'Asia/Kathmandu'",
      bytea_output: 'escape',
      client_min_messages: 'debug5',
    },
    // on a busy machine a short timeout may end before the server has executed the statement that turns it off
  ])('has no effect: %o', { retry: 3 }, async (settings) => {
    const { url } = await ownedBy(settings);
    const { exitCode, all } = await run(['gate'], { env: { DATABASE_URL: url } });
    expect(exitCode, all).toBe(0);
    expect((await run(['verify'], { env: { DATABASE_URL: url } })).exitCode).toBe(0);
  });

  it.each([
    [{ default_transaction_read_only: 'on' }, 4, 'default_transaction_read_only'],
    [{ search_path: 'elsewhere' }, 17, 'search_path'],
  ])('is refused if the application cannot work with it: %o', async (settings, expected, named) => {
    const { database, url } = await ownedBy(settings);
    const before = await snapshot(database.url);
    const { exitCode, stderr } = await run(['gate'], { env: { DATABASE_URL: url } });
    expect(exitCode, stderr).toBe(expected);
    expect(stderr).toContain(named);
    expect(await snapshot(database.url)).toBe(before);
  });

  it.each([
    ['SQL_ASCII', '', 'SQL_ASCII'],
    ['UTF8', 'latin1', 'latin1'],
    ['UTF8', 'sql_ascii', 'sql_ascii'],
    ['UTF8', 'utf-8', null],
    ['SQL_ASCII', 'UTF8', null],
  ])('of texts in %s, and %s in sessions, is named if the application fails with it', async (kept, used, named) => {
    const { url, name } = await createDatabase();
    await admin(`DROP DATABASE ${name}`);
    await admin(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING '${kept}' LOCALE 'C'`);
    if (used !== '') await admin(`ALTER DATABASE ${name} SET client_encoding TO '${used}'`);
    const look = async (command: string): Promise<string> => {
      const { exitCode, all } = await run([command], { env: { DATABASE_URL: url } });
      expect(exitCode, all).toBe(0);
      return all.replaceAll(/\s+/g, ' ');
    };
    const warning = `encoding of the sessions ${named}: the application reads and writes texts in it`;
    const says = await look('gate');
    expect(says.includes('encoding of the sessions')).toBe(named !== null);
    if (named === null) return;
    expect(says).toContain(warning);
    expect(await look('status')).toContain(`also here: ${warning}`);
    const [, remedy = ''] = /Correct it with: (ALTER [^;]*;)/.exec(says) ?? [];
    await withClient(url, (client) => client.query(remedy));
    expect(await look('gate')).not.toContain('encoding of the sessions');
  });
});

describePostgres('a role that may not read the catalog', () => {
  it('holds the run lock all the same, and is told what it may not read', async () => {
    const database = await createDatabase();
    await sqlOf(database, 'REVOKE SELECT ON pg_catalog.pg_enum FROM PUBLIC');
    const { url } = await createRole(database);
    const proxy = await startProxy(() => ({ kind: 'forward', url: requirePostgres().url }));

    const refused = await run(['gate'], { env: { DATABASE_URL: proxy.urlOf(url) } });
    expect(refused.exitCode).toBe(17);
    expect(refused.stderr).toContain('Permission denied for table pg_enum');
    // the first statement needs both, and the second one only the lock
    const locking = proxy.queries().filter((query) => query.includes('pg_try_advisory_lock'));
    expect(locking.map((query) => query.includes('pg_enum'))).toEqual([true, false]);
  });
});
