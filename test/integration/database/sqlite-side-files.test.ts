import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { createSqliteDatabase, sqliteUrl } from '../../support/database.ts';
import { release, sqliteFile } from '../../support/fixtures.ts';
import { run } from '../../support/run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const sides = ['', '-wal', '-shm', '-journal'] as const;
type Mode = 'wal' | 'delete';

/** A writer that is killed with its transaction in the log, or in the middle of its commit. */
const writer = `
  const database = new (require('better-sqlite3'))(process.argv[1]);
  database.pragma('journal_mode = ' + process.argv[2]);
  database.pragma('cache_size = 1');
  database.exec(process.argv[3]);
  if (process.argv[2] === 'delete') database.exec("BEGIN; UPDATE settings SET timezone = 'Crash/Crash'; CREATE TABLE filler (t); INSERT INTO filler SELECT randomblob(900) FROM sqlite_schema a, sqlite_schema b LIMIT 500");
  else database.exec("UPDATE settings SET timezone = 'Kept/Kept'; CREATE TABLE filler (t); INSERT INTO filler SELECT randomblob(900) FROM sqlite_schema a, sqlite_schema b LIMIT 200");
  process.kill(process.pid, 'SIGKILL');
`;

async function killedIn(mode: Mode, before = ''): Promise<string> {
  const file = await sqliteFile(release('sqlite', 'v4.20.0', 'before.db.gz'));
  const root = join(import.meta.dirname, '../../..');
  await execa(process.execPath, ['-e', writer, file, mode, before], { cwd: root, reject: false });
  expect(sides.some((side) => side !== '' && existsSync(file + side) && statSync(file + side).size > 512)).toBe(true);
  return file;
}

async function copyOf(file: string): Promise<string> {
  const { name } = await createSqliteDatabase();
  for (const side of sides) if (existsSync(file + side)) copyFileSync(file + side, name + side);
  return name;
}

/** The bytes of a file and of all files beside it, except the run lock. */
function bytesBeside(file: string): readonly string[] {
  return readdirSync(dirname(file))
    .filter((name) => !name.endsWith('.db-init-lock'))
    .toSorted()
    .map(
      (name) =>
        `${name} ${createHash('sha256')
          .update(readFileSync(join(dirname(file), name)))
          .digest('hex')}`,
    );
}

const timezoneIn = (file: string): unknown => {
  const database = new Database(file, { readonly: true });
  try {
    return database.prepare('SELECT timezone FROM settings').pluck().get();
  } finally {
    database.close();
  }
};

describe('a log beside a SQLite file', () => {
  const killed: Record<string, string> = {};
  let plain: string;

  beforeAll(async () => {
    plain = await sqliteFile(release('sqlite', 'v2.3.7', 'before.db.gz'));
    killed['wal'] = await killedIn('wal');
    killed['delete'] = await killedIn('delete');
    killed['pages'] = await killedIn(
      'wal',
      'PRAGMA journal_mode = DELETE; PRAGMA page_size = 1024; VACUUM; PRAGMA journal_mode = WAL',
    );
    killed['rows'] = await killedIn(
      'delete',
      "UPDATE settings SET timezone = 'A/B'; UPDATE settings SET timezone = 'C/D'",
    );
  });

  /** A file, and the log of another one beside it. */
  async function mixed(file: string, from: string, side: '-wal' | '-journal'): Promise<string> {
    const live = await copyOf(file);
    for (const own of ['-wal', '-shm', '-journal']) rmSync(live + own, { force: true });
    copyFileSync(killed[from] + side, live + side);
    return live;
  }

  const strangers: readonly (readonly [string, '-wal' | '-journal', () => Promise<string>])[] = [
    ['the write-ahead log of another release', '-wal', () => mixed(plain, 'wal', '-wal')],
    ['the journal of another release', '-journal', () => mixed(plain, 'delete', '-journal')],
    ['a write-ahead log of another page size', '-wal', () => mixed(plain, 'pages', '-wal')],
    [
      'the journal of another copy of this installation',
      '-journal',
      () => mixed(killed['wal'] ?? '', 'rows', '-journal'),
    ],
    [
      'a file that is no journal',
      '-journal',
      async () => {
        const file = await copyOf(plain);
        writeFileSync(`${file}-journal`, 'x'.repeat(2000));
        return file;
      },
    ],
  ];

  it.each(strangers)(
    'is refused by the gate and status if it is %s, and nothing is changed',
    async (_what, side, lay) => {
      const file = await lay();
      const before = bytesBeside(file);
      const banner = (await run(['gate'], { env: { DATABASE_URL: sqliteUrl(file) } })).stderr;
      expect(banner).toContain(`mv ${file}${side} ${file}${side}.stale`);
      for (const command of ['gate', 'status']) {
        const { exitCode, all } = await run([command], { env: { DATABASE_URL: sqliteUrl(file) } });
        expect([command, exitCode, all]).toEqual([command, 17, expect.stringContaining(`${file}${side}`)]);
        expect(bytesBeside(file)).toEqual(before);
      }
      for (const own of ['-wal', '-journal', '-shm']) rmSync(file + own, { force: true });
      expect((await run(['gate'], { env: { DATABASE_URL: sqliteUrl(file) } })).exitCode).toBe(0);
    },
  );

  it.each([
    ['backup', 'create'],
    ['adopt'],
    ['repair'],
    ['reset', '--yes-delete-all-data', 'timetracker.db'],
    ['quarantine', 'create', '--all', '--yes'],
    ['plan', '--rehearse'],
  ])('is refused by %s %s as well', async (...command) => {
    const file = await mixed(plain, 'wal', '-wal');
    const before = bytesBeside(file);
    const env = { DATABASE_URL: sqliteUrl(file), BACKUP_FOLDER: await temporaryDirectory() };
    const { exitCode, all } = await run(
      command.filter((word) => typeof word === 'string'),
      { env },
    );
    expect([exitCode, all]).toEqual([17, expect.stringContaining(`${file}-wal`)]);
    expect(bytesBeside(file)).toEqual(before);
  });

  it.each([
    ['wal', true],
    ['delete', false],
  ] as const)('is recovered if it belongs to the file (%s), with copies of both kept', async (mode, committed) => {
    const file = await copyOf(killed[mode] ?? '');
    const { exitCode, all } = await run(['gate'], { env: { DATABASE_URL: sqliteUrl(file) } });
    expect([exitCode, all]).toEqual([0, expect.stringContaining('.db-init-recovered')]);
    expect(timezoneIn(file) === 'Kept/Kept').toBe(committed);
    expect(timezoneIn(file)).not.toBe('Crash/Crash');
    const folder = join(dirname(file), '.db-init-recovered');
    const [copies = ''] = readdirSync(folder);
    for (const side of ['', mode === 'wal' ? '-wal' : '-journal']) {
      expect(
        readFileSync(join(folder, copies, 'timetracker.db') + side).equals(readFileSync(killed[mode] + side)),
      ).toBe(true);
    }
  });

  it.each([0, 20, 5000])('is ignored if it has only %i bytes', async (length) => {
    const file = await copyOf(killed['wal'] ?? '');
    truncateSync(`${file}-wal`, length);
    const { exitCode } = await run(['gate'], { env: { DATABASE_URL: sqliteUrl(file) } });
    expect(exitCode).toBe(0);
  });

  it('is accepted if it rolls back an adoption that was killed in its commit', async () => {
    const file = await copyOf(plain);
    const database = new Database(file);
    database.exec('DROP TABLE alembic_version');
    database.pragma('cache_size = 1');
    // the pages that do not fit into the cache are written, and the journal before them
    database.exec(`BEGIN; CREATE TABLE alembic_version (version_num varchar(32) NOT NULL);
      INSERT INTO alembic_version VALUES ('004'); UPDATE users SET username = username;
      CREATE TABLE filler (t); INSERT INTO filler SELECT randomblob(900) FROM sqlite_schema a, sqlite_schema b LIMIT 200`);
    const journal = readFileSync(`${file}-journal`);
    database.exec('DROP TABLE filler; COMMIT');
    database.close();
    writeFileSync(`${file}-journal`, journal);
    const { exitCode, all } = await run(['gate'], { env: { DATABASE_URL: sqliteUrl(file) } });
    expect([exitCode, all]).toEqual([0, expect.stringContaining('SQLite recovers it now')]);
  });

  it('is not copied while the application has it open', async () => {
    const file = await copyOf(plain);
    await run(['gate'], { env: { DATABASE_URL: sqliteUrl(file) } });
    const application = new Database(file);
    try {
      application.pragma('journal_mode = WAL');
      application.exec("UPDATE settings SET timezone = 'Alive/Alive'");
      const { exitCode } = await run(['gate'], { env: { DATABASE_URL: sqliteUrl(file) } });
      expect(exitCode).toBe(0);
      expect(readdirSync(dirname(file))).not.toContain('.db-init-recovered');
      expect(readdirSync(dirname(file)).filter((name) => name.includes('probe'))).toEqual([]);
    } finally {
      application.close();
    }
  });
});
