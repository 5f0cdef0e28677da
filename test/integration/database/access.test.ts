import { beforeAll, describe, expect, it } from 'vitest';
import { describePrivateCluster, type PrivateCluster, startPrivateCluster } from '../../support/private-cluster.ts';
import { startProxy } from '../../support/postgres-proxy.ts';
import { run } from '../../support/run.ts';

const password = 'p@ss/w%rd:"+ \\é';
const encoded = encodeURIComponent(password);

describePrivateCluster('access to PostgreSQL', () => {
  let cluster: PrivateCluster;
  let server: URL;

  /** `status` on the cluster; the output must never contain the password. */
  async function statusOf(url: string, env: Readonly<Record<string, string>> = {}) {
    const result = await run(['status'], { env: { DATABASE_URL: url, TT_WAIT_TIMEOUT: '3', ...env } });
    for (const secret of [password, encoded, JSON.stringify(password).slice(1, -1)]) {
      expect(result.all).not.toContain(secret);
    }
    return result;
  }
  const urlOf = (user: string, rest: string): string => `postgresql://${user}@${rest}`;

  beforeAll(async () => {
    cluster = await startPrivateCluster();
    server = new URL(cluster.url);
    await cluster.run(`CREATE ROLE app LOGIN PASSWORD '${password}'`);
    await cluster.run('CREATE ROLE shut NOLOGIN');
    await cluster.run('CREATE DATABASE app OWNER app');
    await cluster.allowLogins(
      'local all app scram-sha-256',
      'host all app 127.0.0.1/32 scram-sha-256',
      'host all shut 127.0.0.1/32 trust',
    );
  });

  it.each(['TCP', 'IPv6', 'a Unix socket'])(
    'connects with a password full of special characters, over %s',
    async (way) => {
      const proxy = await startProxy(() => ({ kind: 'forward', url: cluster.url }), { host: '::1' }).catch(() => null);
      const address = {
        TCP: `${server.host}/app`,
        IPv6: proxy === null ? `${server.host}/app` : `[::1]:${proxy.port}/app?sslmode=disable`,
        'a Unix socket': `/app?host=${encodeURIComponent(cluster.socketFolder)}&port=${server.port}`,
      }[way];
      const { exitCode, stdout } = await statusOf(urlOf(`app:${encoded}`, address ?? ''));
      expect(exitCode).toBe(0);
      expect(stdout).toContain('state:     fresh');
    },
  );

  it.each([
    ['a wrong password', `app:${encoded}x`, 'the password is wrong'],
    ['no password', 'app', 'the server requires a password'],
    ['a role that may not log in', `shut:${encoded}`, 'the server does not let this user in'],
    ['a role that no rule lets in', `nobody:${encoded}`, 'the server does not let this user in'],
  ])('reports at once that access is denied: %s', async (_what, user, reason) => {
    const { exitCode, stderr, stdout } = await statusOf(urlOf(user, `${server.host}/app`));
    expect(exitCode).toBe(4);
    expect(stderr.toLowerCase().replaceAll(/\s+/g, ' ')).toContain(reason);
    expect(stdout).toBe('');
  });

  it('shows the reason while it waits, and no secret', async () => {
    const { exitCode, stdout, stderr } = await statusOf(urlOf(`app:${encoded}`, '127.0.0.1:1/app'), {
      TT_WAIT_TIMEOUT: '1',
    });
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/Waiting for the database, 1 s at most: nothing is listening there yet/);
    expect(stderr).toContain('The database cannot be reached: app on 127.0.0.1:1');
  });

  it.each([`postgresql://app:${encoded}`, `postgresql://app:${encoded}@/`, `postgresql:/app:${encoded}@db/app`])(
    'names every fault of an incomplete address, and no secret (%#)',
    async (url) => {
      const { exitCode, stderr } = await statusOf(url, { TT_LOCK_TIMEOUT: 'soon' });
      expect(exitCode).toBe(2);
      expect(stderr).toContain('DATABASE_URL');
      expect(stderr).toContain('TT_LOCK_TIMEOUT');
    },
  );
});

describePrivateCluster('TLS', () => {
  let cluster: PrivateCluster;
  let address: string;
  let certificate: string;
  let otherCertificate: string;

  beforeAll(async () => {
    cluster = await startPrivateCluster();
    address = new URL(cluster.url).host;
    // this is a test of TLS: the role has the rights that the gate needs
    await cluster.run('CREATE ROLE app LOGIN; GRANT CREATE ON SCHEMA public TO app');
    otherCertificate = await cluster.useCertificateFor('DNS:db.example');
    certificate = await cluster.useCertificateFor('IP:127.0.0.1');
  });

  /** The exit code of a run, and whether the server saw TLS. */
  async function connectWith(parameters: string) {
    const { exitCode, stderr } = await run(['status'], {
      env: { DATABASE_URL: `postgresql://app@${address}/postgres?${parameters}`, TT_WAIT_TIMEOUT: '3' },
    });
    return { exitCode, stderr: stderr.replaceAll(/\s+/g, ' ') };
  }

  describe('on a server that accepts TLS connections only', () => {
    beforeAll(() => cluster.allowLogins('hostssl all app 127.0.0.1/32 trust'));

    it.each([
      ['sslmode=disable', 4],
      ['', 0],
      ['sslmode=prefer', 0],
      ['sslmode=require', 0],
      ['sslmode=verify-ca', 4],
      ['sslmode=verify-full', 4],
    ])('"%s" gives exit code %i', async (parameters, expected) => {
      expect((await connectWith(parameters)).exitCode).toBe(expected);
    });

    it.each(['require', 'verify-ca', 'verify-full'])('%s trusts the given certificate', async (mode) => {
      expect((await connectWith(`sslmode=${mode}&sslrootcert=${certificate}`)).exitCode).toBe(0);
    });

    it.each(['require', 'verify-ca', 'verify-full'])('%s refuses another certificate', async (mode) => {
      const { exitCode, stderr } = await connectWith(`sslmode=${mode}&sslrootcert=${otherCertificate}`);
      expect(exitCode).toBe(4);
      expect(stderr).toContain('certificate');
    });
  });

  describe('on a server that accepts no TLS connections', () => {
    beforeAll(() => cluster.allowLogins('hostnossl all app 127.0.0.1/32 trust'));

    it.each([
      ['sslmode=disable', 0],
      ['sslmode=prefer', 0],
      ['sslmode=require', 4],
    ])('"%s" gives exit code %i', async (parameters, expected) => {
      expect((await connectWith(parameters)).exitCode).toBe(expected);
    });
  });

  describe('on a server with a certificate for another name', () => {
    beforeAll(async () => {
      certificate = await cluster.useCertificateFor('DNS:localhost');
      await cluster.allowLogins('hostssl all app 127.0.0.1/32 trust');
    });

    it.each([
      ['verify-ca', 0],
      ['verify-full', 4],
    ])('%s gives exit code %i', async (mode, expected) => {
      expect((await connectWith(`sslmode=${mode}&sslrootcert=${certificate}`)).exitCode).toBe(expected);
    });
  });

  describe('on a server without TLS', () => {
    beforeAll(async () => {
      await cluster.run('ALTER SYSTEM SET ssl = off');
      await cluster.run('SELECT pg_reload_conf()');
      await cluster.allowLogins('host all app 127.0.0.1/32 trust');
    });

    it.each([
      ['sslmode=prefer', 0],
      ['sslmode=require', 4],
    ])('"%s" gives exit code %i', async (parameters, expected) => {
      expect((await connectWith(parameters)).exitCode).toBe(expected);
    });
  });
});
