import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { everythingIn, leaksIn } from './markers.ts';
import { password, place, secrets, settings, tell } from './secrets.ts';

it('the search for markers finds one in every encoding', () => {
  const { password: secret } = settings;
  const forms = [
    `x${secret}x`,
    secret.toUpperCase(),
    encodeURIComponent(password),
    JSON.stringify({ password }),
    Buffer.from(password).toString('base64'),
    Buffer.from(`app:${secret}@x`).toString('base64'),
    Buffer.from(secret).toString('hex'),
  ];
  for (const form of forms) expect(leaksIn(`before ${form} after`, secrets), form).toEqual(['password']);
  expect(leaksIn('nothing', secrets)).toEqual([]);
});

describe('no secret is shown of wrong settings', () => {
  const encoded = encodeURIComponent(password);
  const secret = settings.password;
  const shapes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    ...Object.fromEntries(
      [
        `postgresql://app:${secret}`,
        `postgresql://app:${secret}@`,
        `postgresql://app:${secret}@host`,
        `postgresql://app:${secret}@host:port/db`,
        `postgresql://app:${secret}@host:5432:5432/db`,
        `postgresql://app:${password}@127.0.0.1:1/db`,
        `postgresql://app:%zz${secret}@127.0.0.1:1/db`,
        `postgresql://app:%00${secret}@127.0.0.1:1/db`,
        `postgresql://app:x@y@${secret}@127.0.0.1:1/db`,
        `postgresql://app:x/${secret}@127.0.0.1:1/db`,
        `postgresql://app:x#${secret}@127.0.0.1:1/db`,
        `postgresql://app:x?${secret}@127.0.0.1:1/db`,
        `postgresql://app:x ${secret}@127.0.0.1:1/db`,
        `postgresql://app:${secret}@[::1/db`,
        `postgresql://app:${encoded}@127.0.0.1:1/db`,
        `postgresql://app@127.0.0.1:1/db?password=${encoded}`,
        `postgresql://app@127.0.0.1:1/db?sslmode=disable&password=${secret}&x`,
        `postgresql://app@127.0.0.1:1/db?passwd=${secret}`,
        `postgresql://app:${secret}@a,b/db`,
        `postgresq://app:${secret}@127.0.0.1:1/db`,
        `postgresql+psycopg://app:${secret}@127.0.0.1:1/db`,
        `postgresql//app:${secret}@127.0.0.1:1/db`,
        `postgresql:/app:${secret}@127.0.0.1:1/db`,
        `app:${secret}@127.0.0.1:1/db`,
        `DATABASE_URL=postgresql://app:${secret}@127.0.0.1:1/db`,
        `"postgresql://app:${secret}@127.0.0.1:1/db"`,
        ` postgresql://app:${secret}@127.0.0.1:1/db\r`,
        `host=127.0.0.1 port=1 user=app password=${secret} dbname=db`,
        `mysql://app:${secret}@127.0.0.1:1/db`,
        `sqlite://app:${secret}@127.0.0.1:1/db`,
        secret,
      ].map((url) => [url, { DATABASE_URL: url }]),
    ),
    'an address where the host belongs': { POSTGRES_HOST: `postgresql://app:${secret}@host/db` },
    'credentials where the host belongs': { POSTGRES_HOST: `app:${secret}@host` },
    'an address where the name belongs': { POSTGRES_HOST: '127.0.0.1', POSTGRES_DB: `postgresql://app:${secret}@h/db` },
    ...Object.fromEntries(
      ['POSTGRES_DB', 'POSTGRES_USER'].flatMap((variable) =>
        [`postgresql://app:${secret}`, `postgresql//app:${secret}`, `app:${secret}@`].map((half) => [
          `half an address in ${variable}: ${half}`,
          { POSTGRES_HOST: '127.0.0.1', POSTGRES_PORT: '1', [variable]: half },
        ]),
      ),
    ),
    'half an address beside a whole one': {
      DATABASE_URL: 'postgresql://app@127.0.0.1:1/db',
      POSTGRES_DB: `postgresql://app:${secret}`,
      POSTGRES_USER: `postgresql://app:${secret}`,
      POSTGRES_HOST: `postgresql://app:${secret}`,
    },
    'an address where the port belongs': { POSTGRES_HOST: 'h', POSTGRES_PORT: `postgresql://app:${secret}@h/db` },
    'an address where a number belongs': { POSTGRES_HOST: 'h', TT_WAIT_TIMEOUT: `postgresql://app:${secret}@h/db` },
    'an address where a folder belongs': { POSTGRES_HOST: 'h', UPLOAD_FOLDER: `postgresql://app:${secret}@h/db` },
    'a certificate': { POSTGRES_HOST: 'h', PGSSLROOTCERT: `postgresql://app:${secret}@h/db` },
    'a password, and a number that is none': { POSTGRES_PASSWORD: secret, TT_LOCK_TIMEOUT: 'x' },
    'both a password and its file': { POSTGRES_PASSWORD: secret, POSTGRES_PASSWORD_FILE: secret },
    'a password where its file belongs': { POSTGRES_PASSWORD_FILE: secret },
    'an address where its file belongs': { DATABASE_URL_FILE: `postgresql://app:${secret}@h/db` },
    'a key where its file belongs': { DATABASE_URL: 'sqlite:////nowhere/x.db', SETTINGS_ENCRYPTION_KEY_FILE: secret },
    'a key and a file': { DATABASE_URL: 'sqlite:////nowhere/x.db', SETTINGS_ENCRYPTION_KEY_FILE: '/nowhere' },
    'another password beside the address': {
      DATABASE_URL: `postgresql://app:${secret}@127.0.0.1:1/db`,
      POSTGRES_PASSWORD: settings.other,
      PGPASSWORD: settings.libpq,
    },
  };

  it.each(Object.entries(shapes))('%s', async (_, shape) => {
    const { folder, env } = await place();
    for (const command of [['gate'], ['status', '--json'], ['backup', 'list']]) {
      const { exitCode, all } = await tell(command, { ...env, ...shape }, folder);
      expect(exitCode, all).toBeGreaterThan(command[0] === 'backup' ? -1 : 1);
      expect(exitCode, all).toBeLessThan(20);
    }
    expect(leaksIn(await everythingIn(folder, true), secrets)).toEqual([]);
  });

  it('in files of secrets', async () => {
    const { folder, env } = await place();
    const every = ['DATABASE_URL', 'POSTGRES_PASSWORD', 'POSTGRES_USER', 'POSTGRES_DB'];
    const files: readonly (readonly [string, readonly string[]])[] = [
      [`${secret}\n${secret}\n`, every.slice(0, 2)],
      [`postgresql://app:${secret}`, every.slice(0, 2)],
      [`${secret}\0`, every],
      [`postgresql://app:${secret}@h:x/db\n`, every],
    ];
    for (const [content, variables] of files) {
      const file = join(await temporaryDirectory(), 'file');
      await writeFile(file, content);
      for (const variable of variables) {
        const given = { POSTGRES_HOST: '127.0.0.1', POSTGRES_PORT: '1', [`${variable}_FILE`]: file };
        expect((await tell(['gate'], { ...env, ...given }, folder)).exitCode).not.toBe(0);
      }
    }
    expect(leaksIn(await everythingIn(folder, true), secrets)).toEqual([]);
  });

  it('in arguments with an address', async () => {
    const { folder, env } = await place();
    const url = `postgresql://app:${encoded}@127.0.0.1:1/db`;
    for (const args of [
      [url],
      ['status', url],
      ['restore', url],
      [`--url=${url}`],
      ['backup', url],
      ['adopt', '--revision', url],
    ]) {
      expect((await tell(args, { ...env, DATABASE_URL: 'postgresql://app@127.0.0.1:1/db' }, folder)).exitCode).not.toBe(
        0,
      );
    }
  });
});
