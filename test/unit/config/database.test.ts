import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { faultsOf, read } from './read.ts';

const folder = mkdtempSync(join(tmpdir(), 'config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const defaults = { kind: 'postgresql', port: 5432, password: '', sslmode: 'prefer' };

describe('POSTGRES_*', () => {
  const standard = { ...defaults, host: 'db', user: 'timetracker', password: 'timetracker', database: 'timetracker' };

  it.each([
    [{ POSTGRES_HOST: 'pg' }, { host: 'pg' }],
    [{ POSTGRES_PORT: '5433' }, { port: 5433 }],
    [{ POSTGRES_USER: 'me' }, { user: 'me' }],
    [{ POSTGRES_PASSWORD: '%40@/#?' }, { password: '%40@/#?' }],
    [{ POSTGRES_DB: 'a b' }, { database: 'a b' }],
    [{ POSTGRES_HOST: '[::1]' }, { host: '::1' }],
    [{ POSTGRES_HOST: '::1' }, { host: '::1' }],
    [{ POSTGRES_HOST: '/var/run/postgresql' }, { host: '/var/run/postgresql' }],
    [{ POSTGRES_HOST: 'pg', DATABASE_URL: '', POSTGRES_PORT: '' }, { host: 'pg' }],
  ])('%j fills the rest with the defaults of the application', (environment, expected) => {
    expect(read(environment).database).toEqual({ ...standard, ...expected });
  });

  it.each(['0', '65536', 'http', '5432 ', '-1'])('refuse the port %j', (port) => {
    expect(faultsOf({ POSTGRES_PORT: port })).toEqual([
      { variable: 'POSTGRES_PORT', problem: `has the port "${port}"; allowed: a whole number from 1 to 65535` },
    ]);
  });

  it.each([
    ['postgresql://u:hunter2@h/d', 'DATABASE_URL'],
    ['u:hunter2@h', 'DATABASE_URL'],
    ['db:5432', 'POSTGRES_PORT'],
    ['db ', 'blank'],
    ['db\r', 'line break'],
  ])('refuse the host %j, without repeating it', (host, expected) => {
    const faults = faultsOf({ POSTGRES_HOST: host });
    expect(faults).toEqual([{ variable: 'POSTGRES_HOST', problem: expect.stringContaining(expected) }]);
    expect(faults[0]?.problem).not.toContain('hunter2');
  });

  it.each([
    [{ POSTGRES_HOST: 'a,b' }, 5432, { host: 'b', port: 5432 }],
    [{ POSTGRES_HOST: 'a,b', POSTGRES_PORT: '7' }, 7, { host: 'b', port: 7 }],
    [{ POSTGRES_HOST: 'a,b', POSTGRES_PORT: '7,8' }, 7, { host: 'b', port: 8 }],
    [{ POSTGRES_HOST: 'a:7,[::1]:8' }, 7, { host: '::1', port: 8 }],
  ])('may list several servers: %j', (environment, port, other) => {
    expect(read(environment).database).toEqual({ ...standard, host: 'a', port, furtherHosts: [other] });
  });

  it('take the kind of server in a list from the variable of libpq', () => {
    const attributes = (value: string) => ({ POSTGRES_HOST: 'a,b', PGTARGETSESSIONATTRS: value });
    expect(read(attributes('read-write')).database).toMatchObject({ wantsReadWrite: true });
    expect(faultsOf(attributes('standby'))).toEqual([
      { variable: 'PGTARGETSESSIONATTRS', problem: expect.stringContaining('accepts no writes') },
    ]);
  });

  it.each([{}, { DATABASE_URL: '', POSTGRES_HOST: '' }, { POSTGRES_HOST_FILE: '/x' }])(
    'is reported as missing together with DATABASE_URL in %j, with both ways to set it',
    (environment) => {
      expect(faultsOf(environment)).toEqual([
        { variable: 'DATABASE_URL', problem: expect.stringMatching(/not set.*postgresql:\/\/.*sqlite:.*POSTGRES_\*/s) },
      ]);
    },
  );
});

describe('invisible characters', () => {
  const hintsAt = (password: string) => read({ POSTGRES_HOST: 'h', POSTGRES_PASSWORD: password }).hints;

  it('are named as a line break if they are one', () => {
    expect(hintsAt('pw\r')).toEqual([
      expect.stringMatching(/^The value of POSTGRES_PASSWORD ends with a line break.*LF/),
    ]);
  });

  it.each(['"pw"', "'pw'", 'pw ', ' pw'])('are reported in the password %j', (password) => {
    const hints = hintsAt(password);
    expect(hints).toEqual([expect.stringMatching(/^The value of POSTGRES_PASSWORD is in/)]);
    expect(hints.join('')).not.toContain('pw');
  });

  it('are not suspected if the password is a single quotation mark', () => {
    expect(hintsAt('"')).toEqual([]);
  });
});

describe('files of secrets', () => {
  it.each([
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    ['secret', 'secret'],
    ['secret\n\n', 'secret\n'],
    [' secret ', ' secret '],
  ])('holding %j give %j', (content, password) => {
    const POSTGRES_PASSWORD_FILE = file('password', content);
    expect(read({ POSTGRES_PASSWORD_FILE }).database).toMatchObject({ host: 'db', password });
  });

  it.each([
    ['POSTGRES_USER', 'user'],
    ['POSTGRES_PASSWORD', 'password'],
    ['POSTGRES_DB', 'database'],
  ])('%s_FILE gives the %s', (variable, key) => {
    expect(read({ [`${variable}_FILE`]: file(variable, 'value\n') }).database).toMatchObject({ [key]: 'value' });
  });

  it('may hold the whole address, with a path relative to the working directory', () => {
    file('address', 'postgresql://u:p@h/d\n');
    expect(read({ DATABASE_URL_FILE: './address' }, folder).database).toMatchObject({ host: 'h', password: 'p' });
  });

  it.each(['DATABASE_URL', 'POSTGRES_USER', 'POSTGRES_PASSWORD', 'POSTGRES_DB'])(
    '%s_FILE beside the variable is a fault',
    (variable) => {
      const environment = { [variable]: 'sqlite:////a.db', [`${variable}_FILE`]: file('both', 'x') };
      const problem = expect.stringContaining(`${variable} is set too`);
      expect(faultsOf(environment)).toEqual([{ variable: `${variable}_FILE`, problem }]);
    },
  );

  it.each([
    ['missing', () => join(folder, 'nowhere'), 'ENOENT'],
    ['a folder', () => folder, 'EISDIR'],
    ['empty', () => file('empty', ''), 'empty'],
    ['only a line break', () => file('line', '\n'), 'empty'],
  ])('%s is a fault with the path', (_, path, reason) => {
    for (const variable of ['DATABASE_URL_FILE', 'POSTGRES_PASSWORD_FILE']) {
      const faults = faultsOf({ [variable]: path() });
      expect(faults).toEqual([{ variable, problem: expect.stringContaining(reason) }]);
      expect(faults[0]?.problem).toContain(path());
    }
  });

  it('are not named if the variable holds the secret instead of the path', () => {
    const faults = faultsOf({ POSTGRES_PASSWORD_FILE: 'hunter2', DATABASE_URL_FILE: '' });
    expect(faults).toHaveLength(1);
    expect(JSON.stringify(faults)).not.toContain('hunter2');
  });

  it('are not read if they are not used', () => {
    const environment = { DATABASE_URL: 'postgresql://u:p@h/d', POSTGRES_PASSWORD_FILE: '/run/secrets/not-here' };
    expect(read(environment).database).toMatchObject({ password: 'p' });
  });
});

describe('DATABASE_URL beside POSTGRES_*', () => {
  const DATABASE_URL = 'postgresql://u:hunter2@h/d';

  it('wins', () => {
    const environment = { DATABASE_URL, POSTGRES_HOST: 'other', POSTGRES_PORT: 'no number' };
    expect(read(environment).database).toMatchObject({ host: 'h', port: 5432, database: 'd' });
  });

  it.each([
    [{ POSTGRES_HOST: 'h', POSTGRES_USER: 'u', POSTGRES_DB: 'd', POSTGRES_PASSWORD: 'hunter2' }, []],
    [{ PGHOST: 'other', PGPORT: '7', PGDATABASE: 'other' }, []],
    [{ POSTGRES_HOST: 'other' }, ['DATABASE_URL says "h" and is used, but POSTGRES_HOST says "other".']],
    [{ POSTGRES_USER: 'me' }, ['DATABASE_URL says "u" and is used, but POSTGRES_USER says "me".']],
    [{ POSTGRES_DB: 'tt' }, ['DATABASE_URL says "d" and is used, but POSTGRES_DB says "tt".']],
    [{ POSTGRES_PASSWORD: 'swordfish' }, ['The password in DATABASE_URL is used, but POSTGRES_PASSWORD is different.']],
  ])('with %j hints at contradictions', (environment, hints) => {
    expect(read({ DATABASE_URL, ...environment }).hints).toEqual(hints);
  });

  it('warns that POSTGRES_* have no meaning for an SQLite file', () => {
    const environment = { DATABASE_URL: 'sqlite:////a.db', POSTGRES_HOST: 'db', POSTGRES_DB: 'd' };
    expect(read(environment).hints).toEqual([expect.stringContaining('POSTGRES_HOST, POSTGRES_DB')]);
  });
});

describe('variables of libpq', () => {
  it('complete the address', () => {
    const environment = { PGSSLMODE: 'require', PGUSER: 'me', PGPASSWORD: 'pw' };
    expect(read({ DATABASE_URL: 'postgresql://h/d', ...environment }).database).toMatchObject({
      sslmode: 'require',
      user: 'me',
      password: 'pw',
    });
    const full = 'postgresql://u:p@h/d?sslmode=disable';
    expect(read({ DATABASE_URL: full, ...environment }).database).toMatchObject({
      sslmode: 'disable',
      user: 'u',
      password: 'p',
    });
  });

  it('set host, port and database if the address does not', () => {
    const environment = { DATABASE_URL: 'postgresql://u:p@', PGHOST: 'a,b', PGPORT: '7', PGDATABASE: 'd' };
    const expected = { host: 'a', port: 7, database: 'd', furtherHosts: [{ host: 'b', port: 7 }] };
    expect(read(environment).database).toMatchObject(expected);
  });

  it('complete POSTGRES_* as well', () => {
    const environment = { POSTGRES_HOST: 'h', PGSSLMODE: 'verify-full', PGSSLROOTCERT: 'system' };
    expect(read(environment).database).toMatchObject({ sslmode: 'verify-full', sslrootcert: 'system' });
  });

  it('are named in their own faults', () => {
    const faults = faultsOf({ POSTGRES_HOST: 'h', PGSSLMODE: 'yes', PGSSLROOTCERT: '/nowhere/root.crt' });
    expect(faults.map(({ variable }) => variable)).toEqual(['PGSSLMODE', 'PGSSLROOTCERT']);
    expect(faults[0]?.problem).toContain('"yes"; allowed: disable, prefer, require, verify-ca, verify-full, allow');
    expect(faults[1]?.problem).toContain('/nowhere/root.crt (ENOENT');
  });
});
