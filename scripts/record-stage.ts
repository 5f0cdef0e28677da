import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { execa } from 'execa';
import { type LocalServer, startCluster } from '../test/support/local-cluster.ts';
import { installations } from '../test/support/postgres-installations.ts';
import type { RecordedLine } from './record-svg.ts';
import { queryValue } from './with-database.ts';

/** The environment of a scenario: its own folders and server, which the recording shows as those of the image. */
export interface RecordingEnvironment {
  /** Makes a new, empty PostgreSQL database, or a path for an SQLite file. @returns DATABASE_URL */
  database(engine: 'postgresql' | 'sqlite'): Promise<string>;
  /** Loads a gzipped dump of the fixtures into the newest database. */
  load(fixture: string): Promise<void>;
  /** Puts an archive of the fixtures into the backup folder. */
  archive(fixture: string, name: string): void;
  /** Runs db-init without showing it. */
  quietly(url: string, args: readonly string[]): Promise<void>;
  /** Runs db-init. @returns what it printed, with the times since its start */
  shown(url: string, args: readonly string[]): Promise<readonly RecordedLine[]>;
  /** The path on this machine that stands for a path in the image. */
  real(shown: string): string;
}

/** The mounts of the application's container. Mounting needs root. */
const volumes = ['/data/uploads', '/app/app/static/uploads', '/app/uploads/project_attachments'];

/** Makes the environment, passes it on, and removes it. */
export async function withRecordingEnvironment(work: (stage: RecordingEnvironment) => Promise<void>): Promise<void> {
  const [installation] = await installations(['initdb', 'postgres', 'psql', 'pg_dump', 'pg_restore']);
  if (installation === undefined) throw new Error('PostgreSQL is not installed on this machine');
  const server = await startCluster(dirname(installation.bin));
  try {
    await requirePasswords(server);
    // db-init checks that a server which has just started stays up, and says so
    await setTimeout(4000);
    await work(openEnvironment(server, installation.bin));
  } finally {
    await server.stop();
  }
}

/** As in the image of PostgreSQL: one superuser, who needs a password. */
async function requirePasswords({ url }: LocalServer): Promise<void> {
  await queryValue(url, `CREATE ROLE timetracker SUPERUSER LOGIN PASSWORD 'timetracker'`);
  const file = await queryValue(url, 'SHOW hba_file');
  writeFileSync(file, 'host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n');
  await queryValue(url, 'SELECT pg_reload_conf()');
}

function openEnvironment({ url: superuser }: LocalServer, bin: string): RecordingEnvironment {
  const { port } = new URL(superuser);
  let root = '';
  const real: RecordingEnvironment['real'] = (path) => join(root, path);
  const environment = (url: string) => ({
    PATH: `${bin}:${process.env['PATH']}`,
    // what an operator sees, independent of the folder of this clone
    TT_COMMAND_PREFIX: 'docker compose run --rm db-init',
    DATABASE_URL: url,
    UPLOAD_FOLDER: real('/data/uploads'),
    INSTALLATION_CONFIG_DIR: real('/data'),
    TT_STATIC_UPLOAD_FOLDER: real('/app/app/static/uploads'),
    TT_ATTACHMENT_FOLDER: real('/app/uploads/project_attachments'),
  });
  // the server has its usual port in the image
  const shownAs = (text: string): string =>
    [root, `-p ${port} `].reduce((shown, part) => shown.replaceAll(part, ''), text).replaceAll(`db:${port}`, 'db:5432');
  const atEnd = (): void => {
    for (const volume of volumes) spawnSync('umount', [real(volume)]);
    rmSync(root, { recursive: true, force: true });
  };

  /** The files of the application on its volumes. */
  const use = (): void => {
    for (const volume of volumes) writeFileSync(real(`${volume}/receipt.png`), 'a file of the installation');
    writeFileSync(real('/data/installation.json'), '{}');
  };

  return {
    real,
    async database(engine) {
      if (root === '') process.once('exit', () => atEnd());
      else atEnd();
      root = mkdtempSync(join(tmpdir(), 'db-init-record-'));
      for (const volume of volumes) {
        mkdirSync(real(volume), { recursive: true });
        execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', real(volume)]);
      }
      mkdirSync(real('/data/uploads/backups'));
      if (engine === 'sqlite') return `sqlite:///${real('/data/timetracker.db')}`;
      await queryValue(superuser, 'DROP DATABASE IF EXISTS timetracker WITH (FORCE)');
      await queryValue(superuser, 'CREATE DATABASE timetracker OWNER timetracker');
      return `postgresql://timetracker:timetracker@127.0.0.1:${port}/timetracker`;
    },
    async load(fixture) {
      use();
      const input = gunzipSync(readFileSync(resolve('test/fixtures', fixture)));
      const target = ['-h', '127.0.0.1', '-p', port, '-U', 'timetracker', '-d', 'timetracker'];
      const env = { PGPASSWORD: 'timetracker' };
      await execa(join(bin, 'psql'), ['-XqAt', '-v', 'ON_ERROR_STOP=1', ...target], { env, input });
    },
    archive(fixture, name) {
      use();
      copyFileSync(resolve('test/fixtures', fixture), real(`/data/uploads/backups/${name}`));
    },
    async quietly(url, args) {
      await execa(resolve('entrypoint'), args, { env: environment(url), extendEnv: false });
    },
    async shown(url, args) {
      const hosts = real('/hosts');
      writeFileSync(hosts, '127.0.0.1 localhost db\n');
      const lines = await capture(args, { ...environment(url.replace('127.0.0.1', 'db')), HOSTS: hosts });
      return lines.map((moment) => ({ ...moment, text: shownAs(moment.text) }));
    },
  };
}

/**
 * Both streams use one pipe, as on a terminal, so the lines keep their order. Only for this process, the server is
 * called db, as in a compose file.
 */
function capture(args: readonly string[], env: Readonly<Record<string, string>>): Promise<RecordedLine[]> {
  const began = performance.now();
  const script = 'mount --bind "$HOSTS" /etc/hosts && exec "$0" "$@" 2>&1';
  const child = spawn('unshare', ['--mount', 'sh', '-c', script, resolve('entrypoint'), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const moments: RecordedLine[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    const at = (performance.now() - began) / 1000;
    moments.push(...lines.map((line) => ({ at, kind: 'output' as const, text: line })));
  });
  return new Promise((done, failed) => {
    child.on('error', failed);
    child.on('close', () => done(moments));
  });
}
