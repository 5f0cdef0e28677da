import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { faultsOf, read } from './read.ts';

const folder = mkdtempSync(join(tmpdir(), 'config-'));
writeFileSync(join(folder, 'a.crt'), 'certificate');
writeFileSync(join(folder, 'a.key'), 'key');
afterAll(() => rmSync(folder, { recursive: true }));

function databaseOf(url: string) {
  const { url: kept, ...database } = { url: undefined, ...read({ DATABASE_URL: url }, folder).database };
  expect(kept).toBe(url);
  return database;
}
const hintsOf = (url: string) => read({ DATABASE_URL: url }, folder).hints;
const problemsOf = (url: string) => faultsOf({ DATABASE_URL: url }, folder).map(({ problem }) => problem);

const base = { kind: 'postgresql', host: 'h', port: 5432, user: 'u', password: 'p', database: 'd', sslmode: 'prefer' };

describe('addresses without a warning', () => {
  it.each([
    ['postgresql://u:p@h/d', {}],
    ['postgresql+psycopg2://u:p@h/d', {}],
    ['postgresql://u:p@h:6543/d', { port: 6543 }],
    ['postgresql://u:p@h:/d', {}],
    ['postgresql://u:p@DB.Example/Dd', { host: 'DB.Example', database: 'Dd' }],
    ['postgresql://u:a:b@h/d', { password: 'a:b' }],
    ['postgresql://u:p!$&*+,;=~@h/d', { password: 'p!$&*+,;=~' }],
    ['postgresql://u:a/b?c#d [e]:f@h/d', { password: 'a/b?c#d [e]:f' }],
    ['postgresql://u:#?/@h:6543/d?sslmode=prefer', { password: '#?/', port: 6543 }],
    ['postgresql://u:100%@h/d', { password: '100%' }],
    ['postgresql://u%:p@h/d', { user: 'u%' }],
    ['postgresql://u:p,q@h/d', { password: 'p,q' }],
    ['postgresql://a@b:p/q@h/d', { user: 'a@b', password: 'p/q' }],
    ['postgresql://u#?[:p@h/d', { user: 'u#?[' }],
    ['postgresql://u:p/@[::1]:5433/d', { host: '::1', port: 5433, password: 'p/' }],
    ['postgresql://u@h/d', { password: '' }],
    ['postgresql://u:@h/d', { password: '' }],
    ['postgresql://u:p@[::1]:5433/d', { host: '::1', port: 5433 }],
    ['postgresql://u:p@[2001:db8::7]/d', { host: '2001:db8::7' }],
    ['postgresql://u:p@/d?host=/var/run/postgresql', { host: '/var/run/postgresql' }],
    ['postgresql:///d?host=%2Fvar%2Frun&port=1&user=u&password=p', { host: '/var/run', port: 1 }],
    ['postgresql://x:y@z/w?host=h&user=u&password=p&dbname=d', {}],
    ['postgresql://h/d?user=u%40server&password=p%2Bq', { user: 'u@server', password: 'p+q' }],
    ['postgresql://u:p@h/d?', {}],
    ['postgresql://u:p@h/d?application_name=x@y&connect_timeout=7', { connectTimeout: 7 }],
    ['postgresql://u:p@h/d?connect_timeout=0', { connectTimeout: 0 }],
    ['postgresql://u:p@h/d?sslmode=&host=', {}],
  ])('%s', (url, expected) => {
    expect(databaseOf(url)).toEqual({ ...base, ...expected });
    expect(hintsOf(url)).toEqual([]);
  });

  it('without a user use the user of the process, as in libpq', () => {
    expect(databaseOf('postgresql://h/d')).toMatchObject({ user: userInfo().username, password: '' });
  });
});

describe('percent-encodings', () => {
  it.each([
    ['postgresql://u:p%40%2F%23%25@h/d', { password: 'p@/#%' }, 'password'],
    ['postgresql://u:%C3%BC@h/d', { password: 'ü' }, 'password'],
    ['postgresql://u:100%zz%41@h/d', { password: '100%zzA' }, 'password'],
    ['postgresql://a%40b:p@h/d', { user: 'a@b' }, 'user'],
    ['postgresql://u:p@h/a%20%2Fb', { database: 'a /b' }, 'database'],
    ['postgresql://u:p@%2Fvar%2Frun/d', { host: '/var/run' }, 'host'],
  ])('%s are decoded, with a warning that the application does not decode them', (url, expected, part) => {
    expect(databaseOf(url)).toEqual({ ...base, ...expected });
    expect(hintsOf(url)).toEqual([expect.stringContaining(`percent-encoded in its ${part}. `)]);
    expect(hintsOf(url)[0]).not.toContain('p%40');
  });

  it('stand for the path of a socket, as in libpq', () => {
    expect(databaseOf('postgresql://%2Fvar%2Frun%2Fpostgresql/db')).toMatchObject({
      host: '/var/run/postgresql',
      database: 'db',
    });
  });

  it.each([
    ['postgresql://u:%ff@h/d', 'password'],
    ['postgresql://u:p@h/d%', 'dbname'],
    ['postgresql://u:p@h/d?sslrootcert=%', 'sslrootcert'],
  ])('%s is malformed', (url, part) => {
    expect(problemsOf(url)).toContainEqual(expect.stringContaining(`contains a '%' in its ${part}`));
    expect(problemsOf(url).join(' ')).toContain('%25');
  });

  it('refuse a null character', () => {
    expect(problemsOf('postgresql://u:p%00@h/d')).toEqual([expect.stringContaining('%00 in its password')]);
  });
});

describe('incomplete addresses', () => {
  it.each([
    ['postgresql://u:hun@ter2@h/d', /unencoded '@' \(write %40\)/],
    ['postgresql://u:hun@t/e#r2@h/d', /'@' \(write %40\), '\/' \(write %2F\), '#' \(write %23\)/],
    ['postgresql://u:p@h/d#hunter2', /unencoded '#'/],
    ['postgresql://u:hunter2', /port \(not shown\)/],
    ['postgresql://u:hunter2', /names no database/],
    ['postgresql://u:p@h:hunter2/d', /port \(not shown\); allowed: a whole number from 1 to 65535/],
    ['postgresql://u:p@h:65536/d', /allowed: a whole number from 1 to 65535/],
    ['postgresql://u:p@h:0/d', /allowed: a whole number from 1 to 65535/],
    ['postgresql://u:p@/d', /names no host/],
    ['postgresql:///d', /names no host/],
    ['postgresql://u:p@h', /names no database/],
    ['postgresql://u:p@h/', /names no database/],
    ['postgresql://', /names no host/],
    ['postgresql://u:p@h/d/', /%2F for a '\/' in the name of the database/],
    ['postgresql://u:p@::1/d', /write an IPv6 address in brackets/],
    ['postgresql://u:p@[::1/d', /write an IPv6 address in brackets/],
    ['postgresql://u:p@a,,b/d', /has an empty host in its list/],
    ['postgresql://u:p@a,/d', /has an empty host in its list/],
    ['postgresql://u:p@a,b:x/d', /more than a host/],
    ['postgresql://u:hunter2,b/d', /more than a host/],
    ['postgresql://u:p@a:1,b:70000/d', /port \(not shown\); allowed: a whole number from 1 to 65535/],
    ['postgresql://u:p@a,b,c/d?port=1,2', /has 3 hosts and 2 ports; allowed: one port, or one for each host/],
    ['postgresql://u:p@a/d?port=1,2', /has 2 ports for one host/],
    [
      'postgresql://u:p@a,b/d?target_session_attrs=standby',
      /accepts no writes \(target_session_attrs=standby\).*allowed: any/,
    ],
    [
      'postgresql://u:p@h/d?target_session_attrs=read-only',
      /accepts no writes.*allowed: any, read-write, primary, prefer/,
    ],
    ['postgresql://u:p@h/d?target_session_attrs=master', /"master"; allowed: any/],
    ['postgresql://u:p@h/d?hunter2', /name=value/],
    ['postgresql://u:p@h/d?=hunter2', /name=value/],
    ['postgresql://u:p@h/d?connect_timeout=1.5', /connect_timeout/],
    ['postgresql://${PGUSER}:p@h/d', /contains \$\{PGUSER\}, and nothing has replaced/],
    ['postgresql://u:${hunter2}@h/d', /contains the name of a variable in \$\{…\}/],
    ['postgresql://u:p@${DB_HOST:-db}/d', /contains \$\{DB_HOST:-db\}/],
    ['postgresql://u:p@h/${DB}', /contains \$\{DB\}/],
  ])('%s', (url, problem) => {
    const problems = problemsOf(url);
    expect(problems).toContainEqual(expect.stringMatching(problem));
    expect(problems.join(' ')).not.toMatch(/hun|ter2/);
  });

  it.each([
    ['mysql://u:hunter2@h/d', /"mysql".*allowed: postgresql:/],
    ['http://h/d', /"http"/],
    ['postgresql+asyncpg://u:hunter2@h/d', /"postgresql\+asyncpg"/],
    ['hunter2', /not the address of a database/],
    ['host=h password=hunter2', /not the address of a database/],
    ['postgresql:u:hunter2@h', /not the address of a database/],
    ['"postgresql://u:hunter2@h/d"', /quotation mark/],
    ["'sqlite:////a.db'", /quotation mark/],
    [' postgresql://u:hunter2@h/d', /blank or a line break/],
    ['postgresql://u:hunter2@h/d\n', /blank or a line break/],
  ])('%j', (url, problem) => {
    expect(problemsOf(url)).toEqual([expect.stringMatching(problem)]);
    expect(problemsOf(url).join(' ')).not.toContain('hunter2');
  });
});

describe('lists of hosts', () => {
  const first = { host: 'a', port: 5432 };
  const list = (...further: readonly (readonly [string, number])[]) => further.map(([host, port]) => ({ host, port }));

  it.each([
    ['a,b/d?', { ...first, furtherHosts: list(['b', 5432]) }],
    ['a:1,b:2/d?', { host: 'a', port: 1, furtherHosts: list(['b', 2]) }],
    ['a:1,b/d?', { host: 'a', port: 1, furtherHosts: list(['b', 5432]) }],
    ['[::1]:1,[::2]/d?', { host: '::1', port: 1, furtherHosts: list(['::2', 5432]) }],
    ['/d?host=a&host=b&', { ...first, furtherHosts: list(['b', 5432]) }],
    ['/d?host=a:1&host=b:2&', { host: 'a', port: 1, furtherHosts: list(['b', 2]) }],
    ['/d?host=a,b,c&port=7&', { host: 'a', port: 7, furtherHosts: list(['b', 7], ['c', 7]) }],
    ['/d?host=a,b&port=,2&', { ...first, furtherHosts: list(['b', 2]) }],
    ['/d?host=::1,/var/run&', { ...first, host: '::1', furtherHosts: list(['/var/run', 5432]) }],
    ['x:9/d?host=a,b&', { host: 'a', port: 9, furtherHosts: list(['b', 9]) }],
  ])('%s', (rest, expected) => {
    for (const attributes of ['any', 'primary', 'prefer-standby']) {
      const found = databaseOf(`postgresql://u:p/?@${rest}target_session_attrs=${attributes}`);
      expect(found).toEqual({ ...base, password: 'p/?', ...expected });
    }
    const found = databaseOf(`postgresql://u:p@${rest}target_session_attrs=read-write`);
    expect(found).toEqual({ ...base, ...expected, wantsReadWrite: true });
  });

  it.each([
    ['a,b/d', /with target_session_attrs=any the application connects to the first host that answers, even a standby/],
    ['a,b/d?target_session_attrs=prefer-standby', /the application prefers a standby: write .*=read-write/],
    ['a:1,b:2/d?target_session_attrs=primary', /which the application cannot read: write \?host=a:5432&host=b:5432/],
  ])('%s comes with a hint', (rest, hint) => {
    expect(hintsOf(`postgresql://u:p@${rest}`)).toEqual([expect.stringMatching(hint)]);
  });

  it.each([
    'a,b/d?target_session_attrs=primary',
    'h/d?target_session_attrs=read-write',
    'h/d?target_session_attrs=any',
  ])('%s comes without a hint', (rest) => {
    expect(hintsOf(`postgresql://u:p@${rest}`)).toEqual([]);
  });
});

describe('schemes', () => {
  it.each([
    ['postgres://u:p@h/d', /postgres:\/\/, which the application refuses: write postgresql:/],
    ['PostgreSQL://u:p@h/d', /PostgreSQL:\/\/, but the application requires postgresql:/],
    ['postgresql+PSYCOPG2://u:p@h/d', /requires postgresql\+psycopg2:/],
  ])('%s is understood, with a hint', (url, hint) => {
    expect(databaseOf(url)).toEqual(base);
    expect(hintsOf(url)).toEqual([expect.stringMatching(hint)]);
  });
});

describe('parameters', () => {
  it('that are unknown are named and ignored', () => {
    const url = 'postgresql://u:p@h/d?load_balance_hosts=random&gssencmode=disable&foo=1';
    expect(databaseOf(url)).toEqual(base);
    expect(hintsOf(url)).toEqual([
      'db-init ignores these parameters of DATABASE_URL: load_balance_hosts, gssencmode, foo.',
    ]);
  });

  it('for the server are passed on', () => {
    const url = (options: string) => `postgresql://u:p@h/d?options=${options}`;
    for (const options of ['-c%20search_path%3Dx', '-c+search_path=x']) {
      expect(databaseOf(url(options))).toEqual({ ...base, options: '-c search_path=x' });
    }
  });

  it('that are given twice have the last value', () => {
    expect(databaseOf('postgresql://u:p@h/d?port=1&port=2')).toMatchObject({ port: 2 });
  });
});

describe('TLS', () => {
  const url = (parameters: string) => `postgresql://u:p@h/d?${parameters}`;

  it.each([
    ['disable', 'disable'],
    ['allow', 'prefer'],
    ['prefer', 'prefer'],
    ['require', 'require'],
    ['verify-ca', 'verify-ca'],
    ['verify-full', 'verify-full'],
  ])('sslmode=%s is %s', (written, sslmode) => {
    expect(databaseOf(url(`sslmode=${written}`))).toEqual({ ...base, sslmode });
  });

  it('refuses another sslmode', () => {
    expect(problemsOf(url('sslmode=on'))).toEqual([expect.stringContaining('"on"; allowed: disable, prefer')]);
  });

  it('takes certificates as absolute paths', () => {
    const found = databaseOf(url(`sslmode=verify-ca&sslrootcert=${folder}/a.crt&sslcert=a.crt&sslkey=a.key`));
    expect(found).toEqual({
      ...base,
      sslmode: 'verify-ca',
      sslrootcert: join(folder, 'a.crt'),
      sslcert: join(folder, 'a.crt'),
      sslkey: join(folder, 'a.key'),
    });
  });

  it.each(['sslrootcert', 'sslcert', 'sslkey'])('refuses an %s that cannot be read', (keyword) => {
    const problem = expect.stringContaining(
      `has an ${keyword} that cannot be read: ${join(folder, 'nowhere')} (ENOENT`,
    );
    expect(problemsOf(url(`${keyword}=nowhere`))).toContainEqual(problem);
  });

  it.each(['sslcert=a.crt', 'sslkey=a.key'])('refuses %s alone', (parameter) => {
    expect(problemsOf(url(parameter))).toEqual([expect.stringContaining('only one of sslcert and sslkey')]);
  });

  it.each(['sslrootcert=system', 'sslrootcert=system&sslmode=verify-full'])('%s verifies in full', (parameters) => {
    expect(databaseOf(url(parameters))).toEqual({ ...base, sslmode: 'verify-full', sslrootcert: 'system' });
  });

  it('refuses the certificates of the system with a weaker mode', () => {
    expect(problemsOf(url('sslrootcert=system&sslmode=verify-ca'))).toEqual([
      expect.stringContaining('allows only verify-full'),
    ]);
  });
});
