import { describe, expect, it } from 'vitest';
import type { PostgresTarget } from '../../../src/config/config.ts';
import { chooseTool, libpqEnvironment, type Tool } from '../../../src/database/postgres/tools.ts';

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

  it('is the one of PATH last', () => {
    expect(chooseTool([tool(16), tool(16, 'pg_dump')], 16)).toEqual(tool(16));
    expect(chooseTool([tool(15), tool(16, 'pg_dump')], 16)).toEqual(tool(16, 'pg_dump'));
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

  it('says where the database is, how to get in and what TLS is asked for', () => {
    expect(libpqEnvironment(target)).toMatchObject({
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

  it('takes away what would lead elsewhere', () => {
    const environment = { ...libpqEnvironment(target) };
    for (const name of ['PGHOSTADDR', 'PGSERVICE', 'PGOPTIONS']) {
      expect(Object.hasOwn(environment, name)).toBe(true);
      expect(environment[name]).toBeUndefined();
    }
  });
});
