import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createSqliteDatabase } from '../support/database.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { chanceOf } from './fuzz.ts';
import { bugPattern, runInProcess } from '../support/run-in-process.ts';

const example = await readFile(join(import.meta.dirname, '../../.env.example'), 'utf8');
const variables = [...example.matchAll(/^#([A-Z][A-Z_]*)=/gm)].map(([, name = '']) => name);

/** Variables whose values are words or numbers: every other value is a mistake. */
const strict =
  /^TT_(?!RESTORE_FROM|\w+_FILE$|STATIC_UPLOAD_FOLDER|ATTACHMENT_FOLDER|COMMAND_PREFIX|NOTIFY_|PING_|\w+_SERVICE$)|^PGSSL|^POSTGRES_PORT$/;
const nonsense = [
  'nonsense',
  '-1',
  '1.5',
  '1e3',
  '0x10',
  '99999999999999999999',
  'truе',
  'yes no',
  '１',
  '\u{1F600}',
  '"true"',
  '$(id)',
  'x'.repeat(100_000),
];
const odd = [
  ...nonsense,
  ' ',
  '\n',
  '.',
  '/',
  '//',
  '-',
  '--help',
  '/dev/null',
  '/dev/full',
  '/proc/self/mem',
  '~',
  'a\nb',
  '\u001B[31m',
  '%00',
  '../..',
  'ü'.repeat(300),
  '\u0000',
];

const codes = new Set([0, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16, 17, 20, 21, 30, 31, 32]);

it('every variable with words or numbers refuses all other values', async () => {
  const { url } = await createSqliteDatabase();
  const failures: unknown[] = [];
  for (const variable of variables.filter((name) => strict.test(name))) {
    for (const value of nonsense) {
      const base = variable.startsWith('TT_') ? { DATABASE_URL: url } : { POSTGRES_HOST: '127.0.0.1' };
      const { exitCode, all } = await runInProcess(['status'], { ...base, TT_WAIT_TIMEOUT: '0', [variable]: value });
      if (exitCode !== 2 || !all.includes(variable) || bugPattern.test(all))
        failures.push([variable, value.slice(0, 50), exitCode, all.slice(0, 500)]);
    }
  }
  expect(failures).toEqual([]);
});

it('unusual values of several variables at once never cause an unexpected failure', async () => {
  const chance = chanceOf('variables');
  const { url } = await createSqliteDatabase();
  const folder = await temporaryDirectory();
  await writeFile(join(folder, 'odd'), Buffer.from('a\0b\nc\xff\r\n\n', 'latin1'));
  const failures: unknown[] = [];
  for (let number = 0; number < 300; number++) {
    const environment: Record<string, string> = { DATABASE_URL: url };
    for (let count = 1 + chance.below(4); count > 0; count--) {
      const variable = chance.pick(variables);
      // a process cannot have the byte 0 in its environment, but a file of secrets can
      const value = chance.pick([...odd, url]).replaceAll('\0', '');
      environment[variable] = variable.endsWith('_FILE') ? chance.pick([join(folder, 'odd'), folder, value]) : value;
    }
    const command = chance.pick([
      ['status'],
      ['plan', '--json'],
      ['backup', 'list'],
      ['backup', 'list', '--json'],
      ['verify'],
    ]);
    const quick = { ...environment, TT_WAIT_TIMEOUT: environment['TT_WAIT_TIMEOUT'] ?? '0' };
    const { exitCode, all } = await runInProcess(command, quick, folder);
    if (!codes.has(exitCode) || bugPattern.test(all))
      failures.push([command, environment, exitCode, all.slice(0, 1000)]);
  }
  expect(failures).toEqual([]);
});

it.each(['POSTGRES_USER', 'POSTGRES_PASSWORD', 'POSTGRES_DB', 'DATABASE_URL'])(
  'a zero byte in the file of %s does not shorten the value',
  async (variable) => {
    const file = join(await temporaryDirectory(), 'secret');
    await writeFile(file, 'postgres\0options\0-c search_path=elsewhere\0');
    const environment = {
      POSTGRES_HOST: '127.0.0.1',
      POSTGRES_PORT: '1',
      TT_WAIT_TIMEOUT: '0',
      [`${variable}_FILE`]: file,
    };
    const { exitCode, all } = await runInProcess(['status'], environment);
    expect([exitCode, all]).toEqual([2, expect.stringContaining(`${variable}_FILE: names a file`)]);
    expect(all).not.toContain('elsewhere');
  },
);

it.each(['POSTGRES_PASSWORD_FILE', 'DATABASE_URL_FILE', 'PGSSLROOTCERT'])(
  'an endless file of %s is not read to its end',
  async (variable) => {
    for (const endless of ['/dev/zero', '/dev/full']) {
      const environment = { POSTGRES_HOST: '127.0.0.1', POSTGRES_PORT: '1', TT_WAIT_TIMEOUT: '0', [variable]: endless };
      const { exitCode, all } = await runInProcess(['status'], environment);
      expect([exitCode, all.replaceAll(/\s+/g, ' ')]).toEqual([
        2,
        expect.stringMatching(`${variable}.*it has more than \\d+ bytes`),
      ]);
    }
  },
);

it('a password that is too long is not shown, and causes no unexpected failure', async () => {
  for (const POSTGRES_PASSWORD of ['x'.repeat(100_000), '(a b) '.repeat(100_000)]) {
    const environment = { POSTGRES_HOST: '127.0.0.1', POSTGRES_PORT: '1', TT_WAIT_TIMEOUT: '0', POSTGRES_PASSWORD };
    const { exitCode, all } = await runInProcess(['status'], environment);
    expect([exitCode, all]).toEqual([3, expect.not.stringMatching(/xxxx|\(a b\) \(/)]);
  }
});

it('unusual arguments never cause an unexpected failure', async () => {
  const chance = chanceOf('arguments');
  const { url } = await createSqliteDatabase();
  const words = [
    'gate',
    'status',
    'plan',
    'verify',
    'backup',
    'create',
    'list',
    'prune',
    'restore',
    'quarantine',
    'purge',
    'adopt',
    'seed',
    '--json',
    '--rehearse',
    '--yes',
    '--undo',
    '--keep',
    '--keep=0',
    '--all',
    '--',
    '-',
    '--no-json',
    '-h',
    '--help',
    '--version',
    '',
    ' ',
    'constructor',
    '__proto__',
    '--__proto__',
    '../x',
    '\u{1F600}',
    '--json=1',
    '--dry-run',
    '--revision',
    'x'.repeat(5000),
  ];
  const failures: unknown[] = [];
  for (let number = 0; number < 150; number++) {
    // (no --output: it would write where the tests run)
    const args = Array.from({ length: chance.below(5) }, () => chance.pick(words));
    const folder = await temporaryDirectory();
    const { exitCode, all } = await runInProcess(args, { DATABASE_URL: url, UPLOAD_FOLDER: folder }, folder);
    if (!codes.has(exitCode) || bugPattern.test(all)) failures.push([args, exitCode, all.slice(0, 1000)]);
  }
  expect(failures).toEqual([]);
});

it('a mutated address is refused, or leads to no server', async () => {
  const chance = chanceOf('addresses');
  const folder = await temporaryDirectory();
  const valid = [
    'postgresql://app:s3cret@127.0.0.1:1/timetracker',
    'postgresql://app:s%2Fcr%40t@127.0.0.1:1/time%20tracker?sslmode=disable&connect_timeout=1',
    'postgresql+psycopg2://app@[::1]:1/timetracker',
    'postgresql:///timetracker?host=/nowhere&user=app&port=1',
    'sqlite:////nowhere/folder/timetracker.db',
  ];
  const failures: unknown[] = [];
  const attempt = async (): Promise<void> => {
    const url = chance.mutateText(chance.pick(valid)).replaceAll('\0', '');
    const command = chance.pick(['status', 'verify']);
    const { exitCode, all } = await runInProcess([command], { DATABASE_URL: url, TT_WAIT_TIMEOUT: '0' }, folder);
    // none of them leads to a database: a missing file is a first start
    const wanted = /^sqlite:/i.test(url) ? [0, 2, 17, 21] : [2, 3, 4];
    if (!wanted.includes(exitCode) || bugPattern.test(all)) failures.push([url, command, exitCode, all.slice(0, 1000)]);
  };
  for (let batch = 0; batch < 20; batch++) await Promise.all(Array.from({ length: 20 }, attempt));
  expect(failures).toEqual([]);
});
