import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runLock } from '../../src/database/postgres/lock.ts';
import { execute, makeBackupSlow } from '../integration/backup/backups.ts';
import { atEnd } from '../support/cleanup.ts';
import { sqliteUrl, withClient } from '../support/database.ts';
import { release, sqliteFile, state } from '../support/fixtures.ts';
import { applyPending } from '../support/open-database.ts';
import { describePrivateCluster, type PrivateCluster, startPrivateCluster } from '../support/private-cluster.ts';
import { restoreSql } from '../support/restore-sql.ts';
import { start } from '../support/run.ts';
import { eventually } from '../support/wait-for-output.ts';
import { runInProcess } from '../support/run-in-process.ts';
import { leaksIn } from './markers.ts';
import { every, password, place, quick, rows, secretRows, secrets, settings, tell, tellAll } from './secrets.ts';

/** A row that violates a unique index. */
const twoTokens = ['a', 'b']
  .map(
    (name) => `INSERT INTO api_tokens (name, token_hash, token_prefix, user_id, created_at, is_active, usage_count)
      SELECT '${name}', '${rows.token}', 'tt_', min(id), CURRENT_TIMESTAMP, TRUE, 0 FROM users;`,
  )
  .join('\n');

/** The command lines of all processes, which every user of the machine may read. */
async function argumentsOfAll(): Promise<string> {
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = numbers.map((number) => readFile(`/proc/${number}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(lines)).join('\n').replaceAll('\0', ' ');
}

/** The application names and queries of all sessions of a server. */
const sessionsOf = (url: string): Promise<string> =>
  withClient(url, async (client) => JSON.stringify((await client.query('SELECT * FROM pg_stat_activity')).rows));

/** Every relation with its schema and its file, which a change of its columns or of all its rows replaces, and the version. */
const relationsOf = (url: string): Promise<string> =>
  withClient(url, async (client) => {
    const { rows: relations } = await client.query(
      'SELECT oid, relnamespace, relname, relfilenode, relnatts FROM pg_class WHERE oid >= 16384 ORDER BY 1',
    );
    const { rows: versions } = await client
      .query('SELECT * FROM alembic_version ORDER BY 1')
      .catch(() => ({ rows: [] }));
    return JSON.stringify([relations, versions]);
  });

describePrivateCluster('on PostgreSQL, no secret is shown', () => {
  let server: PrivateCluster;
  let port = '';
  beforeAll(async () => {
    server = await startPrivateCluster();
    ({ port } = new URL(server.url));
    await withClient(server.url, async (client) => {
      await client.query(`SET password_encryption TO 'scram-sha-256'`);
      await client.query(`CREATE ROLE app LOGIN CREATEDB PASSWORD ${client.escapeLiteral(password)}`);
    });
    await server.allowLogins('host all app 127.0.0.1/32 scram-sha-256');
    // a server that has just started is not trusted at once, and this test does not wait
    const { folder, env } = await place();
    await server.run('CREATE DATABASE first OWNER app');
    await runInProcess(['status'], { ...env, DATABASE_URL: address('first'), TT_WAIT_TIMEOUT: '30' }, folder);
  });

  const address = (name: string, change: { host?: string; port?: string; password?: string } = {}): string =>
    `postgresql://app:${encodeURIComponent(change.password ?? password)}@${change.host ?? '127.0.0.1'}:${change.port ?? port}/${name}`;
  const superuser = (name: string): string => server.url.replace(/postgres$/, name);

  const create = async (name: string): Promise<void> => {
    await server.run(`CREATE DATABASE ${name} OWNER app TEMPLATE template0`);
    await withClient(superuser(name), (client) => client.query('ALTER SCHEMA public OWNER TO app'));
  };

  it.each<readonly [string, number, () => Readonly<Record<string, string>>]>([
    ['a wrong password', 4, () => ({ DATABASE_URL: address('first', { password: `${password}x` }) })],
    ['a server that is down', 3, () => ({ DATABASE_URL: address('first', { port: '1' }) })],
    ['a host that nobody knows', 3, () => ({ DATABASE_URL: address('first', { host: 'nowhere.invalid' }) })],
    ['a database that is missing', 3, () => ({ DATABASE_URL: address('missing') })],
    ['TLS that the server refuses', 4, () => ({ DATABASE_URL: `${address('first')}?sslmode=require` })],
    [
      'parts instead of an address',
      4,
      () => ({ POSTGRES_HOST: '127.0.0.1', POSTGRES_PORT: port, POSTGRES_USER: 'nobody', POSTGRES_PASSWORD: password }),
    ],
    [
      'a password of libpq',
      4,
      () => ({ DATABASE_URL: `postgresql://nobody@127.0.0.1:${port}/first`, PGPASSWORD: password }),
    ],
  ])('with %s', async (_, expected, given) => {
    const { folder, env } = await place();
    const { codes } = await tellAll(quick, { ...env, ...given() }, folder, 'first');
    expect(codes['gate']).toBe(expected);
  });

  it('with a server of another protocol that repeats what it received', async () => {
    const echo = createServer((socket) => socket.pipe(socket));
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    atEnd(() => new Promise((resolve) => echo.close(resolve)));
    const at = echo.address();
    const url = address('first', { port: typeof at === 'object' && at !== null ? String(at.port) : '' });
    const { folder, env } = await place();
    for (const command of [[], ['status', '--json'], ['backup', 'create']]) {
      expect((await tell(command, { ...env, DATABASE_URL: url }, folder)).exitCode).toBe(3);
    }
  });

  /** Damages of databases, as SQL that a superuser runs after loading a dump. */
  const databases: readonly (readonly [
    string,
    Readonly<Record<string, number>>,
    string,
    typeof every,
    string | null,
    string,
  ])[] = [
    ['fresh', { gate: 0 }, 'healthy', quick, null, ''],
    ['behind', { gate: 0 }, 'Safety backup', every, release('pg', 'v4.20.0', 'before.sql.gz'), secretRows],
    ['corrupted', { gate: 0 }, 'Detected corrupted database state', quick, state('polluted'), ''],
    ['partial', { gate: 11 }, 'Partial migration', quick, state('partial'), ''],
    ['ahead', { gate: 13 }, 'newer than this image', quick, state('unknown-revision'), ''],
    ['unversioned', { gate: 0 }, 'stamps it with', quick, state('unversioned-049'), ''],
    ['strange', { gate: 15 }, 'django_migrations', quick, null, 'CREATE TABLE django_migrations (id int)'],
    [
      'unreadable',
      { gate: 17 },
      'could not be inspected',
      quick,
      state('partial-with-tables'),
      'ALTER TABLE alembic_version OWNER TO postgres',
    ],
    [
      'drifted',
      { gate: 14 },
      'api_tokens',
      quick,
      release('pg', 'v5.10.0', 'before.sql.gz'),
      `${secretRows} ALTER TABLE api_tokens DROP CONSTRAINT api_tokens_token_hash_key CASCADE;
       DROP INDEX IF EXISTS ix_api_tokens_token_hash; ${twoTokens}`,
    ],
    [
      // the server shows the duplicate key
      'failing',
      { gate: 20 },
      'Key (token_hash)=(not shown) is duplicated',
      quick,
      release('pg', 'v2.3.7', 'before.sql.gz'),
      `CREATE TABLE api_tokens (name text, token_hash varchar(128), token_prefix text, user_id int, created_at timestamp,
         is_active bool, usage_count int);
       ALTER TABLE api_tokens OWNER TO app; ${twoTokens}`,
    ],
    [
      // pg_restore fails at the first row of users, which the server shows
      'unrestorable',
      { gate: 0, 'backup verify FILE --prove': 31, 'restore FILE --yes': 31 },
      'Failing row contains (not shown)',
      [['gate'], ['backup', 'create'], ['backup', 'verify', 'FILE', '--prove'], ['restore', 'FILE', '--yes']],
      release('pg', 'v5.10.0', 'before.sql.gz'),
      // the server is told that its rows satisfy a CHECK, so pg_dump writes it before them
      `${secretRows} ALTER TABLE users ADD CONSTRAINT never CHECK (id < 0) NOT VALID;
       UPDATE pg_constraint SET convalidated = true WHERE conname = 'never'`,
    ],
  ];

  it.each(databases)('of a database that is %s', async (name, expected, shown, commands, dump, sql) => {
    await create(name);
    const url = address(name);
    if (dump !== null) await restoreSql(url, dump);
    if (name === 'drifted' || name === 'unrestorable') await applyPending(url);
    if (sql !== '') await withClient(superuser(name), (client) => client.query(sql));
    const { folder, env } = await place();
    const { codes, said } = await tellAll(commands, { ...env, DATABASE_URL: url }, folder, name, () =>
      relationsOf(superuser(name)),
    );
    expect(codes).toMatchObject(expected);
    expect(said).toContain(shown);
  });

  it.skipIf(process.platform !== 'linux')('in the list of processes while pg_dump runs', async () => {
    await create('listed');
    const { folder, env } = await place();
    const given = { ...env, DATABASE_URL: address('listed') };
    await runInProcess(['gate'], given, folder);
    const url = superuser('listed');
    await withClient(url, (client) =>
      client.query(
        'ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO app; ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO app',
      ),
    );
    const slowed = await makeBackupSlow({
      engine: 'postgresql',
      url,
      name: 'listed',
      drop: async () => undefined,
    });
    const backup = start(['backup', 'create'], { env: given });
    await eventually(async () => (await sessionsOf(url)).includes('pg_dump'));
    const commandLines = await argumentsOfAll();
    expect(commandLines).toContain('pg_dump');
    expect(leaksIn(commandLines, secrets)).toEqual([]);
    expect(leaksIn(await sessionsOf(url), secrets)).toEqual([]);
    await slowed.release();
    expect((await backup).exitCode).toBe(0);
  });

  it('while another run holds the lock', async () => {
    await create('locked');
    const { folder, env } = await place();
    const seen: number[] = [];
    await runInProcess(['gate'], { ...env, DATABASE_URL: address('locked') }, folder);
    await withClient(superuser('locked'), async (client) => {
      await client.query('SELECT pg_advisory_lock($1, $2)', [runLock.application, runLock.key]);
      for (const command of [[], ['repair'], ['backup', 'create'], ['reset', '--yes-delete-all-data', 'locked']]) {
        seen.push((await tell(command, { ...env, DATABASE_URL: address('locked') }, folder)).exitCode);
      }
    });
    expect(seen).toContain(5);
  });
});

describe('on SQLite, no secret is shown', () => {
  it.each<readonly [string, number, typeof every, string | null, string]>([
    ['fresh', 0, quick, null, ''],
    ['behind', 0, every, release('sqlite', 'v4.20.0', 'before.db.gz'), secretRows],
    ['corrupted', 10, quick, null, 'CREATE TABLE other (id int)'],
    ['strange', 15, quick, null, 'CREATE TABLE django_migrations (id int)'],
    [
      'failing',
      20,
      quick,
      release('sqlite', 'v2.3.7', 'before.db.gz'),
      `CREATE TABLE api_tokens (name text, token_hash varchar(128), token_prefix text, user_id int, created_at timestamp,
         is_active bool, usage_count int); ${twoTokens}`,
    ],
    ['damaged', 17, quick, 'damaged', ''],
  ])('of a database that is %s', async (_, expected, commands, file, sql) => {
    const { folder, env } = await place();
    const name = join(folder, 'timetracker.db');
    if (file === 'damaged') await writeFile(name, `SQLite format 3\0${rows.passwordHash}`.repeat(300));
    else if (file !== null) await copyFile(await sqliteFile(file), name);
    if (sql !== '') await execute({ engine: 'sqlite', url: '', name, drop: async () => undefined }, sql);
    const given = { ...env, DATABASE_URL: sqliteUrl(name), POSTGRES_PASSWORD: settings.other };
    const { codes } = await tellAll(commands, given, folder, name, async () =>
      (await readFile(name).catch(() => Buffer.of())).toString('base64'),
    );
    expect(codes['gate']).toBe(expected);
  });
});
