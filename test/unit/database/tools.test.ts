import { describe, expect, it } from 'vitest';
import type { PostgresTarget } from '../../../src/config/config.ts';
import {
  choosePsql,
  choosePgRestore,
  chooseTool,
  libpqEnvironment,
  type Tool,
} from '../../../src/database/postgres/client-tools.ts';

const tool = (major: number, command = `/usr/lib/postgresql/${major}/bin/pg_dump`): Tool => ({
  name: 'pg_dump',
  command,
  major,
  minor: 1,
});

describe('the tool for a server', () => {
  it.each([
    ['of its own major', [15, 16, 17], 16, 16],
    ['the nearest newer one', [15, 18, 17], 16, 17],
    ['none, where all are older', [13, 15], 16, undefined],
    ['none, where there are none', [], 16, undefined],
  ])('is %s', (_, majors, server, expected) => {
    expect(
      chooseTool(
        majors.map((major) => tool(major)),
        server,
      )?.major,
    ).toBe(expected);
  });

  it('is the one on PATH if there is no other', () => {
    expect(chooseTool([tool(16), tool(16, 'pg_dump')], 16)).toEqual(tool(16));
    expect(chooseTool([tool(15), tool(16, 'pg_dump')], 16)).toEqual(tool(16, 'pg_dump'));
  });
});

describe('the pg_restore for a dump', () => {
  it.each([
    ["of the server's own major", [15, 16, 17], 12, 16, 16],
    ['the nearest newer one', [15, 17, 18], 12, 16, 17],
    ['the newest, where all are older than the server', [15, 16], 12, 18, 16],
    ["a newer one than the server's, where that does not read the dump", [15, 17, 18], 17, 15, 17],
    ['an older one than the server, if it reads the dump', [15, 17], 17, 18, 17],
    ['none, where none reads the dump', [15, 16], 17, 15, undefined],
    ['none, where there are none', [], 12, 15, undefined],
  ])('is %s', (_, majors, oldest, server, expected) => {
    const tools = majors.map((major) => tool(major));
    expect(choosePgRestore(tools, oldest, server)?.major).toBe(expected);
  });
});

describe('the psql for a pg_restore', () => {
  const psql = (folder: string, major: number, minor: number): Tool => ({
    name: 'psql',
    command: `${folder}psql`,
    major,
    minor,
  });
  const restore = tool(17, '/usr/lib/postgresql/17/bin/pg_restore');

  it('is the one of the same installation', () => {
    const own = psql('/usr/lib/postgresql/17/bin/', 17, 6);
    expect(choosePsql([psql('/usr/lib/postgresql/16/bin/', 16, 12), own, psql('', 18, 1)], restore)).toBe(own);
  });

  it('is another one of the same major, else the newest, if that is missing', () => {
    const [older, same, newer] = [psql('/16/', 16, 12), psql('', 17, 6), psql('/18/', 18, 0)] as const;
    expect(choosePsql([older, same, newer], restore)).toBe(same);
    expect(choosePsql([older, newer], restore)).toBe(newer);
  });

  it('is never one that runs commands from a dump', () => {
    const own = psql('/usr/lib/postgresql/17/bin/', 17, 5);
    const other = psql('', 16, 10);
    expect(choosePsql([own, psql('', 16, 9), psql('', 12, 22)], restore)).toBeNull();
    expect(choosePsql([own, other], restore)).toBe(other);
  });
});

describe('the environment of a tool', () => {
  const target: PostgresTarget = {
    kind: 'postgresql',
    host: 'db',
    port: 5433,
    user: 'me',
    password: 'p=w d',
    database: 'a=b',
    sslmode: 'verify-full',
    sslrootcert: '/ca.crt',
    connectTimeout: 3,
  };

  it('contains the address, the login and the TLS settings of the database', () => {
    expect(libpqEnvironment(target, undefined)).toMatchObject({
      PGHOST: 'db',
      PGPORT: '5433',
      PGUSER: 'me',
      PGPASSWORD: 'p=w d',
      PGDATABASE: 'a=b',
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: '/ca.crt',
      PGCONNECT_TIMEOUT: '3',
    });
  });

  it('lacks variables that lead to another server', () => {
    const environment = { ...libpqEnvironment(target, undefined) };
    for (const name of ['PGHOSTADDR', 'PGSERVICE', 'PGOPTIONS']) {
      expect(Object.hasOwn(environment, name)).toBe(true);
      expect(environment[name]).toBeUndefined();
    }
  });
});
