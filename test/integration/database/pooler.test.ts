import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { atEnd } from '../../support/cleanup.ts';
import { createDatabase, withClient } from '../../support/database.ts';
import { describePostgres, requirePostgres } from '../../support/postgres-server.ts';
import { startProxy } from '../../support/postgres-proxy.ts';
import { run } from '../../support/run.ts';
import { eventually } from '../../support/wait-for-output.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

function pgbouncerIsThere(): boolean {
  try {
    execFileSync('pgbouncer', ['--version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

/** Starts PgBouncer before the tests' server. @returns the URL of a database through it */
async function pooled(url: string, mode: string, size: number): Promise<string> {
  const real = new URL(requirePostgres().url);
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  probe.close();
  await once(probe, 'close');

  const folder = await temporaryDirectory();
  const settings = join(folder, 'pgbouncer.ini');
  const password = real.password === '' ? '' : ` password=${decodeURIComponent(real.password)}`;
  const lines = [
    '[databases]',
    `* = host=${real.hostname} port=${real.port || '5432'} user=${real.username}${password}`,
    '[pgbouncer]',
    `listen_addr = 127.0.0.1`,
    `listen_port = ${port}`,
    'auth_type = any',
    'unix_socket_dir =',
    `pool_mode = ${mode}`,
    `default_pool_size = ${size}`,
    '',
  ];
  writeFileSync(settings, lines.join('\n'));
  // PgBouncer does not run as root
  const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  chmodSync(folder, 0o755);
  const pooler = spawn('pgbouncer', [settings], { ...user, stdio: 'ignore' });
  atEnd(async () => {
    pooler.kill('SIGKILL');
    if (pooler.exitCode === null && pooler.signalCode === null) await once(pooler, 'exit');
  });
  const through = new URL(url);
  through.host = `127.0.0.1:${port}`;
  through.searchParams.set('sslmode', 'disable');
  await eventually(() =>
    withClient(through.href, async () => true).catch((error: unknown) => {
      if (pooler.exitCode !== null) throw error;
      return false;
    }),
  );
  return through.href;
}

if (pgbouncerIsThere()) {
  describePostgres('PgBouncer', () => {
    it.each([
      ['transaction', 5],
      ['transaction', 1],
      ['statement', 5],
    ])('is refused by name in %s mode with %i server connections', async (mode, size) => {
      const { url } = await createDatabase();
      const { exitCode, stderr } = await run([], { env: { DATABASE_URL: await pooled(url, mode, size) } });
      expect(exitCode, stderr).toBe(2);
      expect(stderr).toContain('transaction-mode pooler');
      expect((await run(['status'], { env: { DATABASE_URL: url } })).stdout).toContain('state:     fresh');
    });

    it('is accepted in session mode', async () => {
      const { url } = await createDatabase();
      const env = { DATABASE_URL: await pooled(url, 'session', 5) };
      const results = await Promise.all([run([], { env }), run([], { env })]);
      expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    });
  });
} else {
  describePostgres('PgBouncer [skipped: it is not installed]', () => it.skip('in transaction mode', () => undefined));
}

describePostgres('an address translator between client and server', () => {
  it('is not mistaken for a pooler', async () => {
    const { url } = await createDatabase();
    const proxy = await startProxy(() => ({ kind: 'forward', url: requirePostgres().url }));
    expect((await run(['status'], { env: { DATABASE_URL: proxy.urlOf(url) } })).exitCode).toBe(0);
  });
});
