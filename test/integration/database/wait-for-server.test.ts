import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { PostgresTarget } from '../../../src/config/config.ts';
import { type Connected, connectWhenReady } from '../../../src/database/postgres/connect.ts';
import { freePort } from '../../support/free-port.ts';
import { createDatabase, withClient } from '../../support/database.ts';
import { runInProcess } from '../../support/run-in-process.ts';
import { run } from '../../support/run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { describePostgres, requirePostgres } from '../../support/postgres-server.ts';
import { type Proxy, type ClientTreatment, startProxy } from '../../support/postgres-proxy.ts';

const server = {
  pid: '1',
  port: '1',
  standby: false,
  read_only: 'off',
  number: '160004',
  version: '16.4',
  started: 'then',
  uptime: '99',
};
const answer = (row: Partial<Record<keyof typeof server, string | boolean>>): ClientTreatment => ({
  kind: 'answer',
  row: { ...server, ...row },
});

/** A server that treats its first clients in these ways, and forwards all later ones. */
async function serverThat(...receptions: readonly ClientTreatment[]): Promise<Proxy> {
  return startProxy((client) => receptions[client - 1] ?? { kind: 'forward', url: requirePostgres().url });
}

function targetAt(port: number): PostgresTarget {
  const user = new URL(requirePostgres().url).username;
  return {
    kind: 'postgresql',
    host: '127.0.0.1',
    port,
    user,
    password: 'pw',
    database: 'postgres',
    sslmode: 'disable',
  };
}

function portOf(listening: Server): number {
  const address = listening.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Connects to the port, records the messages for a person, and disconnects. */
async function connectTo(
  port: number,
  {
    waitTimeout = 20,
    onWaiting = () => undefined,
    ...changes
  }: Partial<PostgresTarget> & { waitTimeout?: number; onWaiting?: () => unknown } = {},
): Promise<{ reasons: string[]; connected: Connected }> {
  const reasons: string[] = [];
  const connected = await connectWhenReady(
    { ...targetAt(port), ...changes },
    {
      waitTimeout,
      applicationName: 'db-init test',
      signal: new AbortController().signal,
      onWaiting: (reason) => {
        reasons.push(reason);
        onWaiting();
      },
    },
  );
  await connected.client.end();
  return { reasons, connected };
}

describePostgres('waiting for PostgreSQL', () => {
  it('waits while a reason is temporary, and names it', async () => {
    const proxy = await serverThat(
      { kind: 'hang up' },
      { kind: 'refuse', code: '57P03', message: 'the database system is starting up' },
      { kind: 'refuse', code: '53300', message: 'sorry, too many clients already' },
    );
    const { reasons } = await connectTo(proxy.port);
    expect(reasons).toEqual([
      expect.stringMatching(/terminated|reset/),
      'the server is starting up (the database system is starting up)',
      'the server has no free connection (sorry, too many clients already)',
    ]);
  });

  it('waits for a server that comes up later', async () => {
    const port = await freePort();
    const { reasons } = await connectTo(port, {
      onWaiting: () => startProxy(() => ({ kind: 'forward', url: requirePostgres().url }), { port }),
    });
    expect(reasons[0]).toContain('nothing is listening there yet');
  });

  it('stops after the time limit, with the last reason', async () => {
    await expect(connectTo(await freePort(), { waitTimeout: 1 })).rejects.toMatchObject({
      problem: { kind: 'unreachable', seconds: 1, reason: expect.stringContaining('nothing is listening there yet') },
      exitCode: 3,
    });
  });

  it('reports an unknown host', async () => {
    await expect(connectTo(1, { host: 'no-such-host.invalid', waitTimeout: 0 })).rejects.toMatchObject({
      problem: { kind: 'unreachable', reason: expect.stringMatching(/host name (is not known|cannot be resolved)/) },
    });
  });

  it('waits for a silent server no longer than the time limit', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    try {
      await expect(connectTo(portOf(silent), { waitTimeout: 1 })).rejects.toMatchObject({
        problem: { kind: 'unreachable', seconds: 1 },
      });
    } finally {
      silent.close();
    }
  });

  it('waits for a standby to be promoted', async () => {
    const proxy = await serverThat(answer({ standby: true }), answer({ standby: true }));
    const { reasons, connected } = await connectTo(proxy.port);
    expect(reasons).toEqual(Array(2).fill('the server is a standby and was not promoted yet'));
    expect(connected.server.standby).toBe(false);
  });

  it('trusts a server that just started only after a second connection to it', async () => {
    const young = (started: string) => answer({ uptime: '1', started });
    const proxy = await serverThat(young('first'), young('second'), young('second'));
    const { reasons, connected } = await connectTo(proxy.port);
    expect(reasons).toHaveLength(2);
    expect(connected.server.startedAt).toBe('second');
    expect(proxy.connections()).toBe(3);
  });

  it('waits a short time for a missing database, within the time limit', async () => {
    const database = await createDatabase();
    const { port } = new URL(database.url);
    await database.drop();
    const failure = connectTo(Number(port), { database: database.name, waitTimeout: 1 });
    await expect(failure).rejects.toMatchObject({ problem: { kind: 'no-such-database', name: database.name } });
  });

  it('refuses a server older than 13', async () => {
    const proxy = await serverThat(answer({ number: '120022', version: '12.22' }));
    await expect(connectTo(proxy.port)).rejects.toMatchObject({
      problem: { kind: 'unsupported-server', version: '12.22' },
      exitCode: 2,
    });
  });

  it('does not wait if waiting does not help', async () => {
    const proxy = await serverThat({ kind: 'refuse', code: '28P01', message: 'password authentication failed' });
    await expect(connectTo(proxy.port)).rejects.toMatchObject({ problem: { kind: 'access-denied' }, exitCode: 4 });
    expect(proxy.connections()).toBe(1);
  });

  it('leaves no connection open when it is stopped', async () => {
    const interruption = new AbortController();
    const proxy = await startProxy(() => {
      interruption.abort('SIGTERM');
      return answer({});
    });
    const stopped = connectWhenReady(targetAt(proxy.port), {
      waitTimeout: 20,
      applicationName: 'db-init test',
      signal: interruption.signal,
      onWaiting: () => undefined,
    });
    await expect(stopped).rejects.toBe('SIGTERM');
    await proxy.idle();
  });
});

describePostgres('an address with several servers', () => {
  /** A list of servers in the forms that libpq, SQLAlchemy and POSTGRES_* have for it. */
  function environments(ports: readonly number[], url: string): readonly Readonly<Record<string, string>>[] {
    const { username, password, pathname } = new URL(url);
    const hosts = ports.map((port) => `127.0.0.1:${port}`);
    const user = `${username}:${password}@`;
    const wanted = 'sslmode=disable&target_session_attrs=read-write';
    return [
      { DATABASE_URL: `postgresql://${user}${hosts.join(',')}${pathname}?${wanted}` },
      { DATABASE_URL: `postgresql://${user}${pathname}?${hosts.map((host) => `host=${host}`).join('&')}&${wanted}` },
      {
        DATABASE_URL: `postgresql://${user}${pathname}`,
        PGHOST: ports.map(() => '127.0.0.1').join(','),
        PGPORT: ports.join(','),
        PGTARGETSESSIONATTRS: 'read-write',
        PGSSLMODE: 'disable',
      },
      {
        POSTGRES_HOST: hosts.join(','),
        POSTGRES_USER: username,
        POSTGRES_PASSWORD: password,
        POSTGRES_DB: pathname.slice(1),
        PGTARGETSESSIONATTRS: 'read-write',
        PGSSLMODE: 'disable',
      },
    ];
  }

  it('is tried in turn, and the whole run uses the first server that accepts writes', async () => {
    const database = await createDatabase();
    const { url } = database;
    const dead = await freePort();
    const standby = await startProxy(() => answer({ standby: true }));
    const readOnly = await startProxy(() => answer({ read_only: 'on' }));
    const primary = await startProxy(() => ({ kind: 'forward', url }));
    const [list, repeated, libpq, parts] = environments(
      [dead, standby.port, readOnly.port, primary.port, await freePort()],
      url,
    );
    const folder = await temporaryDirectory();
    const name = `${database.name} on 127.0.0.1:${primary.port}`;

    const status = await run(['status', '--json'], { env: { ...list } });
    expect(status).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(status.stdout)).toMatchObject({ state: 'fresh' });
    const gate = await run(['gate'], { env: { ...repeated } });
    expect(gate).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`This run uses ${name}.`) });
    const create = ['backup', 'create', '--output', folder];
    expect(await run(create, { env: { ...libpq } })).toMatchObject({ exitCode: 0 });
    // the banner and its commands name that server too
    await withClient(url, (client) => client.query('DROP TABLE users CASCADE'));
    const refused = await run(['gate'], { env: { ...parts } });
    expect(refused).toMatchObject({ exitCode: 11, stderr: expect.stringContaining(name) });
    expect(refused.stderr).toContain(`pg_dump -h 127.0.0.1 -p ${primary.port} `);
    // each of the others was tried once in each run
    expect([standby.connections(), readOnly.connections()]).toEqual([4, 4]);
  });

  it('names the same database after a failover, with its restore, journal and backups', async () => {
    const database = await createDatabase();
    const { url } = database;
    let isOver = false;
    const primary = await startProxy(() => (isOver ? answer({ standby: true }) : { kind: 'forward', url }));
    const other = await startProxy(() => ({ kind: 'forward', url }));
    const [list] = environments([primary.port, other.port], url);
    const folder = await temporaryDirectory();
    const env = { ...list, UPLOAD_FOLDER: folder, BACKUP_FOLDER: join(folder, 'backups'), TT_WAIT_TIMEOUT: '1' };
    await mkdir(env.BACKUP_FOLDER);
    const must = async (...words: readonly string[]): Promise<string> => {
      const { exitCode, all } = await runInProcess(words, env);
      expect([words, exitCode, all]).toEqual([words, 0, expect.anything()]);
      return all;
    };
    await must('gate');
    await must('backup', 'create');
    const archive = (await readdir(env.BACKUP_FOLDER)).find((name) => name.endsWith('.zip')) ?? '';
    await must('restore', archive, '--yes');
    isOver = true;

    expect(JSON.parse(await must('backup', 'list', '--json'))).not.toMatchObject({ lastProven: null });
    expect(await must('status')).not.toContain('none of db-init');
    await must('restore', '--undo', '--yes');
    await must('restore', '--drop-former', '--yes');
    await must('backup', 'create', '--keep', '1');
    expect((await readdir(env.BACKUP_FOLDER)).filter((name) => name.endsWith('.zip'))).toHaveLength(1);

    const [id, live] = ['20900101_000000', database.name];
    await writeFile(
      join(env.BACKUP_FOLDER, '.db-init/restore.json'),
      JSON.stringify({
        format: 1,
        id,
        action: 'restore',
        way: 'databases',
        database: `${live} on 127.0.0.1:${primary.port}`,
        archive: null,
        startedAt: '2026-01-01T00:00:00Z',
        holder: 'host x, pid 1',
        phase: 'preparing',
        places: { live, incoming: `${live}_restore_${id}`, outgoing: `${live}_before_${id}` },
        uploads: [],
      }),
    );
    expect(await must('gate')).toContain('It was taken back');
  });

  it('is named completely if no server can be used, with the answer of each', async () => {
    const [dead, silent] = [await freePort(), await freePort()];
    const standby = await startProxy(() => answer({ standby: true }));
    const [env = {}] = environments([dead, standby.port, silent], requirePostgres().url);
    const { exitCode, stderr } = await run(['gate'], { env: { ...env, TT_WAIT_TIMEOUT: '1' } });
    expect(exitCode).toBe(3);
    const told = stderr.replaceAll(/\s+/g, ' ');
    const all = [dead, standby.port, silent].map((port) => `127.0.0.1:${port}`);
    expect(told).toContain(`The database cannot be reached: postgres on ${all.join(' or ')}`);
    expect(told).toContain(`${all[0]}: nothing is listening there yet`);
    expect(told).toContain(`${all[1]}: the server is a standby`);
  });

  it('is not tried further after a server refuses the login, as in libpq', async () => {
    const refusing = await startProxy(() => ({
      kind: 'refuse',
      code: '28P01',
      message: 'password authentication failed',
    }));
    const next = await serverThat();
    const [env = {}] = environments([await freePort(), refusing.port, next.port], requirePostgres().url);
    const { exitCode, stderr } = await run(['status'], { env: { ...env } });
    expect(exitCode).toBe(4);
    expect(stderr).toContain(`Access denied: postgres on 127.0.0.1:${refusing.port}`);
    expect(next.connections()).toBe(0);
  });
});
