import { randomBytes } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { atEnd } from '../support/cleanup.ts';
import { buildStack, describeDocker, docker, dockerMust, type Outcome, sqliteFiles } from './stack.ts';

const sqlite = ['--env', 'DATABASE_URL=sqlite:////data/timetracker.db'];

await describeDocker('The image', () => {
  let image: string;
  beforeAll(async () => {
    ({ image } = await buildStack(sqliteFiles));
  });

  const run = (options: readonly string[], command: readonly string[] = []): Promise<Outcome> =>
    docker(['run', '--rm', ...options, image, ...command]);

  /** A volume of the test's own. */
  const volume = (): string => {
    const name = `db-init-e2e-${randomBytes(4).toString('hex')}`;
    atEnd(() => dockerMust(['volume', 'rm', '--force', name]));
    return name;
  };

  /** Creates an isolated network with a database only. @returns its name */
  const databaseAlone = async (): Promise<string> => {
    const network = `db-init-e2e-${randomBytes(4).toString('hex')}`;
    const user = ['POSTGRES_USER', 'POSTGRES_PASSWORD', 'POSTGRES_DB'].flatMap((name) => [
      '--env',
      `${name}=timetracker`,
    ]);
    const named = ['--name', network, '--network', network, '--network-alias', 'db'];
    atEnd(() => docker(['network', 'rm', network]));
    await dockerMust(['network', 'create', '--internal', network]);
    atEnd(() => docker(['rm', '--force', '--volumes', network]));
    await dockerMust(['run', '--detach', ...named, ...user, 'postgres:16-alpine', 'postgres', '-c', 'fsync=off']);
    return network;
  };

  it('runs as an ordinary user, and prints its version', async () => {
    expect(JSON.parse(await dockerMust(['inspect', '--format', '{{json .Config}}', image]))).toMatchObject({
      User: '1000:1000',
      WorkingDir: '/app',
      StopSignal: 'SIGTERM',
      Labels: { 'org.opencontainers.image.version': manifest.version },
    });
  });

  it('contains the text of its licence', async () => {
    const { stdout } = await run(['--entrypoint', 'cat'], ['/opt/db-init/LICENSE']);
    expect(stdout).toContain('GNU GENERAL PUBLIC LICENSE');
  });

  it.each(['pg_dump', 'pg_restore', 'psql'])('runs %s of each major on a read-only root', async (tool) => {
    const all = `for tool in /usr/lib/postgresql/*/bin/${tool}; do echo "$tool"; "$tool" --version; done`;
    const { exitCode, stdout } = await run(['--read-only', '--cap-drop', 'ALL', '--entrypoint', 'sh'], ['-euc', all]);
    expect(exitCode).toBe(0);
    const outputs = stdout.split('\n');
    expect(outputs.length).toBeGreaterThan(1);
    for (let at = 0; at < outputs.length; at += 2) {
      const major = /postgresql\/(\d+)\//.exec(outputs[at] ?? '')?.[1];
      expect(outputs[at + 1]).toMatch(new RegExp(`^${tool} \\(PostgreSQL\\) ${major}\\.`));
    }
  });

  it('survives the garbage collection of objects of its SQLite driver', async () => {
    // an unsuitable driver aborts between two steps of an asynchronous function (nodejs/node#65446)
    const script = `
      const Database = require('/opt/db-init/node_modules/better-sqlite3');
      const database = new Database(':memory:');
      const prepare = async () => {
        for (let count = 0; count < 20000; count++) {
          await null;
          database.prepare('SELECT 1');
        }
        console.log('alive');
      };
      prepare();
    `;
    expect(await run(['--entrypoint', 'node'], ['--gc-interval=1000', '--eval', script])).toMatchObject({
      exitCode: 0,
      stdout: 'alive',
    });
  });

  it('runs the gate, unless another command is given', async () => {
    const gate = await run([]);
    expect(gate.exitCode).toBe(2);
    expect(gate.all).toContain('DATABASE_URL');
    const help = await run([], ['help']);
    expect(help).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Usage: db-init') });
  });

  it('runs as any user, without capabilities, on a read-only root', async () => {
    const confined = ['--read-only', '--user', '12345:23456', '--cap-drop', 'ALL', '--tmpfs', '/scratch'];
    const { exitCode, all } = await run([...confined, '--env', 'DATABASE_URL=sqlite:////scratch/timetracker.db']);
    expect(all).toContain('The database is healthy and current');
    expect(exitCode).toBe(0);
  });

  it("migrates, backs up and reports with no network but the database's, and without any capability", async () => {
    const network = await databaseAlone();
    const confined = ['--read-only', '--user', '12345:23456', '--cap-drop', 'ALL', '--tmpfs', '/backups:uid=12345'];
    const address = 'postgresql://timetracker:timetracker@db:5432/timetracker';
    const env = ['--env', `DATABASE_URL=${address}`, '--env', 'BACKUP_FOLDER=/backups'];
    const options = [...confined, '--network', network, ...env, '--entrypoint', 'sh'];
    const script = `
      cd /opt/db-init
      ./entrypoint gate
      ./entrypoint backup create --output /backups/one.zip
      ./entrypoint backup verify /backups/one.zip
      ./entrypoint restore /backups/one.zip --dry-run --database-only
      ./entrypoint gate
    `;
    const { exitCode, all } = await run(options, ['-euc', script]);
    expect(all).toContain('read back and found whole');
    expect(all).toContain('nothing to do');
    expect(exitCode).toBe(0);
  });

  it('makes new volumes belong to the application, whose uid is 1000', async () => {
    const data = volume();
    expect(await run(['--volume', `${data}:/data`, ...sqlite])).toMatchObject({ exitCode: 0 });
    const owners = ['--entrypoint', 'stat', '--volume', `${data}:/data`];
    const { stdout } = await run(owners, [
      '--format',
      '%n %u:%g',
      '/data',
      '/data/timetracker.db',
      '/app/app/static/uploads',
    ]);
    expect(stdout.split('\n')).toEqual([
      '/data 1000:1000',
      '/data/timetracker.db 1000:1000',
      '/app/app/static/uploads 1000:1000',
    ]);
  });

  it('names the user who may not write to a volume', async () => {
    const data = volume();
    const { exitCode, all } = await run(['--user', '12345', '--volume', `${data}:/data`, ...sqlite]);
    expect(exitCode).toBe(4);
    expect(all).toContain('uid 12345');
    expect(all).toContain('/data');
  });

  it('resolves a relative SQLite path from /app, as the application does', async () => {
    const { exitCode } = await run([
      '--tmpfs',
      '/app/instance',
      '--env',
      'DATABASE_URL=sqlite:///instance/timetracker.db',
    ]);
    expect(exitCode).toBe(0);
  });

  it('contains certificate authorities for verify-full', async () => {
    const { stdout } = await run(['--entrypoint', 'cat'], ['/etc/ssl/certs/ca-certificates.crt']);
    expect(stdout).toContain('-----BEGIN CERTIFICATE-----');
  });
});
