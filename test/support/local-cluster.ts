import { execFileSync } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { chown, cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { freePort } from './free-port.ts';
import { serverVersion } from './server-version.ts';

/** A server started for the tests. */
export interface StartedServer {
  readonly url: string;
  /** As the server reports it, for example `16.4`. */
  readonly version: string;
  stop(): Promise<unknown>;
}

/** A server that this process has started. */
export interface LocalServer extends StartedServer {
  /** Stops the server without a checkpoint and starts it again, so that it recovers from its write-ahead log. */
  crash(): Promise<void>;
}

/** Settings for a server of one test run, which needs no durability. */
export const fastSettings: readonly string[] = [
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'wal_level=minimal',
  'max_wal_senders=0',
  'autovacuum=off',
  'max_connections=200',
  'log_min_messages=fatal',
].flatMap((setting) => ['-c', setting]);

/** The user who runs PostgreSQL; empty: the user of the tests. */
type Owner = { readonly uid: number; readonly gid: number } | { readonly uid?: never };

/**
 * Starts a throw-away PostgreSQL server on a free port of 127.0.0.1.
 * @param installation the folder whose `bin` holds initdb and postgres
 * @param settings further arguments of postgres
 * @throws Error with the message of the server if it does not start
 */
export async function startCluster(
  installation: string,
  settings: readonly string[] = fastSettings,
): Promise<LocalServer> {
  const folder = fastFolder();
  await removeAbandoned(folder);
  const directory = await mkdtemp(join(folder, `${prefix}${process.pid}-`));
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    const owner = process.getuid?.() === 0 ? unprivileged() : {};
    if (owner.uid !== undefined) await chown(directory, owner.uid, owner.gid);
    const bin = join(
      owner.uid === undefined ? installation : await accessibleInstallation(installation, directory),
      'bin',
    );
    const data = await initialise(join(bin, 'initdb'), directory, owner);
    const server = await launch(join(bin, 'postgres'), data, directory, owner, settings);
    return { ...server, stop: () => server.stop().then(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}

const prefix = 'db-init-pg-';

/**
 * Removes the data of killed test runs: their servers have ended, but the data would still use memory. The folder's name
 * contains the id of the test process. The lock file of the server is not sufficient: it does not exist before initdb has
 * begun, and while a server is restarted it names a process that has ended.
 */
async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const owner = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    if (Number.isNaN(owner) || isRunning(owner)) continue;
    const directory = join(folder, name);
    const lock = await readFile(join(directory, 'data/postmaster.pid'), 'utf8').catch(() => null);
    // the server of killed tests may still be running; in single-user mode it writes its id as a negative number
    if (lock === null || !isRunning(Math.abs(Number.parseInt(lock, 10)))) {
      await rm(directory, { recursive: true, force: true });
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/** In memory if there is enough: creating and dropping databases mostly creates and removes files. */
function fastFolder(): string {
  const memory = '/dev/shm';
  if (!existsSync(memory)) return tmpdir();
  const { bavail, bsize } = statfsSync(memory);
  return Math.min(bavail * bsize, process.availableMemory()) > 6 * 2 ** 30 ? memory : tmpdir();
}

/** PostgreSQL refuses to run as root. @throws Error if the machine has no user to run it as instead */
function unprivileged(): Owner {
  const id = (flag: string, user: string) => Number(execFileSync('id', [flag, user], { stdio: 'pipe' }));
  for (const user of ['postgres', 'nobody']) {
    try {
      return { uid: id('-u', user), gid: id('-g', user) };
    } catch {
      // there is no such user: try the next one
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody');
}

/** Copies binaries that are in a home folder, because another user cannot run them there. */
async function accessibleInstallation(installation: string, directory: string): Promise<string> {
  if (installation.startsWith('/usr/')) return installation;
  const copy = join(directory, 'installation');
  await cp(installation, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

async function initialise(initdb: string, directory: string, owner: Owner): Promise<string> {
  const data = join(directory, 'data');
  const locale = process.platform === 'linux' ? 'C.UTF-8' : 'en_US.UTF-8';
  const options = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', `--locale=${locale}`, '--no-sync'];
  await execa(initdb, ['-D', data, ...options], { ...owner, cwd: directory });
  return data;
}

async function launch(
  postgres: string,
  data: string,
  socketDirectory: string,
  owner: Owner,
  settings: readonly string[],
): Promise<LocalServer> {
  const port = await freePort();
  const args = ['-D', data, '-p', String(port), '-k', socketDirectory, '-c', 'listen_addresses=127.0.0.1'];
  const url = `postgresql://postgres@127.0.0.1:${port}/postgres`;
  const begin = async () => {
    const server = execa(postgres, [...args, ...settings], { ...owner, cwd: '/', stdin: 'ignore', reject: false });
    const ended = server.then(({ stderr }) => Promise.reject(new Error(`postgres ended: ${stderr}`)));
    // after the race below, nothing else handles this rejection
    ended.catch(() => undefined);
    const stop = async () => {
      // immediate shutdown: no data of this cluster is needed afterwards
      server.kill('SIGQUIT');
      await server;
    };
    try {
      return { version: await Promise.race([serverVersion(url, 60_000), ended]), stop };
    } catch (error) {
      await stop();
      throw error;
    }
  };
  let running = await begin();
  return {
    url,
    version: running.version,
    stop: () => running.stop(),
    async crash() {
      await running.stop();
      running = await begin();
    },
  };
}
