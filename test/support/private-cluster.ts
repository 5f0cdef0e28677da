import { execFileSync } from 'node:child_process';
import { chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe } from 'vitest';
import { atEnd } from './cleanup.ts';
import { withClient } from './database.ts';
import { fastSettings, startCluster } from './local-cluster.ts';
import { embeddedInstallation, installations } from './postgres-installations.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const [newest] = await installations(['initdb', 'postgres']);
const installation = newest === undefined ? embeddedInstallation() : dirname(newest.bin);

/** A suite that needs a server of its own, with its own configuration. Without PostgreSQL's programs it is skipped, with the reason. */
export function describePrivateCluster(title: string, spec: () => void): void {
  if (installation !== null) describe(title, spec);
  else describe.skip(`${title} [skipped: no PostgreSQL binaries here]`, spec);
}

/** A server for one test file, which is stopped after the tests of the file. */
export interface PrivateCluster {
  /** The URL of a superuser. */
  readonly url: string;
  /** The folder of its Unix socket. */
  readonly socketFolder: string;
  /** Stops the server without a checkpoint, and starts it again. */
  crash(): Promise<void>;
  /** Runs SQL as superuser. */
  run(sql: string): Promise<void>;
  /** Replaces the rules in pg_hba.conf by these rules and those of the superuser. */
  allowLogins(...rules: readonly string[]): Promise<void>;
  /** Gives the server a certificate for these names, such as `DNS:localhost`. @returns the certificate's path */
  useCertificateFor(names: string): Promise<string>;
}

/** @param settings further arguments of postgres */
export async function startPrivateCluster(settings: readonly string[] = []): Promise<PrivateCluster> {
  if (installation === null) throw new Error('no PostgreSQL binaries here');
  const server = await startCluster(installation, [...fastSettings, ...settings]);
  atEnd(() => server.stop());
  const { url } = server;
  const run = (sql: string): Promise<void> => withClient(url, async (client) => void (await client.query(sql)));
  const show = (setting: string): Promise<string> =>
    withClient(url, async (client) => {
      const { rows } = await client.query<{ value: string }>('SELECT current_setting($1) AS value', [setting]);
      return rows[0]?.value ?? '';
    });
  const rulesFile = await show('hba_file');
  const superusers = readFileSync(rulesFile, 'utf8').replaceAll(/^(\S+\s+\S+\s+)all/gm, '$1postgres');
  const reload = (): Promise<void> => run('SELECT pg_reload_conf()');
  return {
    url,
    crash: () => server.crash(),
    socketFolder: await show('unix_socket_directories'),
    run,
    async allowLogins(...rules) {
      writeFileSync(rulesFile, [superusers, ...rules, ''].join('\n'));
      await reload();
    },
    async useCertificateFor(names) {
      const certificate = join(await temporaryDirectory(), 'server.crt');
      const key = join(dirname(rulesFile), 'server.key');
      const args = ['req', '-x509', '-nodes', '-newkey', 'rsa:2048', '-subj', '/CN=test', '-addext'];
      execFileSync('openssl', [...args, `subjectAltName=${names}`, '-keyout', key, '-out', certificate], {
        stdio: 'pipe',
      });
      const { uid, gid } = statSync(rulesFile);
      if (process.getuid?.() === 0) chownSync(key, uid, gid);
      writeFileSync(join(dirname(rulesFile), 'server.crt'), readFileSync(certificate));
      // ALTER SYSTEM must not run beside another statement
      await run('ALTER SYSTEM SET ssl = on');
      await reload();
      return certificate;
    },
  };
}
