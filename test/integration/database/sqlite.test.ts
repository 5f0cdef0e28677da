import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { createSqliteDatabase, sqliteUrl } from '../../support/database.ts';
import { release, sqliteFile } from '../../support/fixtures.ts';
import { run, start } from '../../support/run.ts';

const looking = ['status', 'plan', 'verify'] as const;
// root may write to read-only files
const nobody = 65534;
const asRoot = process.getuid?.() === 0;

/** Names, bytes and times of everything in a file's folder. */
function traceOf(file: string): string {
  const folder = dirname(file);
  const lines = readdirSync(folder).map((name) => {
    const hash = createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
    return `${name} ${hash} ${statSync(join(folder, name)).mtimeMs}`;
  });
  return lines.toSorted().join('\n');
}

async function oldDatabase(): Promise<string> {
  return sqliteFile(release('sqlite', 'v2.3.7', 'before.db.gz'));
}

/** The files after a crash: a copy of the files while a connection is open. */
async function crashedIn(mode: 'wal' | 'delete'): Promise<string> {
  const live = await oldDatabase();
  const { name: file } = await createSqliteDatabase();
  const database = new Database(live);
  database.pragma(`journal_mode = ${mode}`);
  // with a cache of one page, SQLite writes to the file before the commit, so the journal is hot
  database.pragma('cache_size = 1');
  database.exec("BEGIN; UPDATE settings SET timezone = 'Crash/Crash'");
  if (mode === 'wal') database.exec('COMMIT');
  else
    database.exec(
      'CREATE TABLE filler (t); INSERT INTO filler SELECT randomblob(900) FROM users, users, users LIMIT 500',
    );
  for (const suffix of ['', '-wal', '-shm', '-journal']) {
    if (existsSync(live + suffix)) copyFileSync(live + suffix, file + suffix);
  }
  database.close();
  return file;
}

describe.each(looking)('%s on SQLite', (command) => {
  it.each(['delete', 'wal'])('changes nothing in journal mode %s', async (mode) => {
    const file = await oldDatabase();
    const database = new Database(file);
    database.pragma(`journal_mode = ${mode}`);
    database.close();
    const before = traceOf(file);
    const { exitCode, stdout } = await run([command], { env: { DATABASE_URL: sqliteUrl(file) } });
    expect(stdout).toContain('state:     behind');
    expect(exitCode).toBe(command === 'verify' ? 21 : 0);
    expect(traceOf(file)).toBe(before);
  });

  it('reads the log of a crashed run, and does not change it', async () => {
    const file = await crashedIn('wal');
    const before = traceOf(file);
    expect(before).toContain('-wal');
    const { stdout } = await run([command], { env: { DATABASE_URL: sqliteUrl(file) } });
    expect(stdout).toContain('state:     behind');
    expect(traceOf(file)).toBe(before);
  });

  it('does not create a missing file', async () => {
    const { name: file, url } = await createSqliteDatabase();
    const { stdout } = await run([command], { env: { DATABASE_URL: url } });
    expect(stdout).toContain('state:     fresh');
    expect(readdirSync(dirname(file))).toEqual([]);
  });

  it('names the gate if a transaction must be rolled back', async () => {
    const file = await crashedIn('delete');
    const before = traceOf(file);
    expect(before).toContain('-journal');
    const { exitCode, all } = await run([command], { env: { DATABASE_URL: sqliteUrl(file) } });
    expect(exitCode).toBe(17);
    expect(all.replaceAll(/\s+/g, ' ')).toContain('run the gate');
    expect(traceOf(file)).toBe(before);
  });

  it.each([
    ['a text', (file: string) => writeFileSync(file, 'this is not a database, but it is longer than a header')],
    ['a folder', (file: string) => mkdirSync(file, { recursive: false })],
    ['a cut-off file', (file: string) => writeFileSync(file, 'SQLite format 3\0')],
  ])('reports that %s is no database', async (_what, make) => {
    const { name: file, url } = await createSqliteDatabase();
    make(file);
    const { exitCode, stdout } = await run([command], { env: { DATABASE_URL: url } });
    expect(exitCode).toBe(17);
    expect(stdout).toContain('state:     unreadable');
  });
});

describe.skipIf(!asRoot)('a user who may only read (skipped unless run as root)', () => {
  /** A database whose folder and files belong to root. */
  async function readOnly(mode: string): Promise<string> {
    const file = await oldDatabase();
    const database = new Database(file);
    database.pragma(`journal_mode = ${mode}`);
    database.close();
    chmodSync(file, 0o444);
    chmodSync(dirname(file), 0o555);
    return file;
  }

  it.each(looking.flatMap((command) => ['delete', 'wal'].map((mode) => [command, mode] as const)))(
    'gets an answer from %s in journal mode %s',
    async (command, mode) => {
      const file = await readOnly(mode);
      const before = traceOf(file);
      const { stdout } = await run([command], { env: { DATABASE_URL: sqliteUrl(file) }, uid: nobody });
      expect(stdout).toContain('state:     behind');
      expect(stdout).not.toContain('the gate will');
      expect(traceOf(file)).toBe(before);
    },
  );

  it('gets a refusal from the gate', async () => {
    const file = await readOnly('delete');
    const before = traceOf(file);
    const { exitCode, stderr } = await run(['gate'], { env: { DATABASE_URL: sqliteUrl(file) }, uid: nobody });
    expect(exitCode).toBe(4);
    expect(stderr).toContain(`uid ${nobody}`);
    expect(traceOf(file)).toBe(before);
  });

  it('does not mistake an unreadable folder for an empty one', async () => {
    const file = await oldDatabase();
    chmodSync(dirname(file), 0o600);
    const [told, done] = await Promise.all(
      ['status', 'gate'].map((command) => run([command], { env: { DATABASE_URL: sqliteUrl(file) }, uid: nobody })),
    );
    // the gate does not get as far as the inspection, because it may not write either
    expect([told?.exitCode, done?.exitCode]).toEqual([4, 4]);
    expect(told?.stdout).toContain('state:     unreadable');
  });

  it('may use a database that it owns', async () => {
    const { name: file, url } = await createSqliteDatabase();
    chownSync(dirname(file), nobody, nobody);
    const { exitCode } = await run(['gate'], { env: { DATABASE_URL: url }, uid: nobody });
    expect(exitCode).toBe(0);
  });
});

describe('the gate on SQLite', () => {
  it('rolls back the transaction of a crash, and continues', async () => {
    const file = await crashedIn('delete');
    const { exitCode } = await run(['gate'], { env: { DATABASE_URL: sqliteUrl(file) } });
    expect(exitCode).toBe(0);
    const database = new Database(file, { readonly: true });
    const timezones = database.prepare('SELECT timezone FROM settings').pluck().all();
    const filler = database.prepare("SELECT name FROM sqlite_schema WHERE name = 'filler'").all();
    database.close();
    expect(timezones).not.toContain('Crash/Crash');
    expect(filler).toEqual([]);
  });

  it('explains a link to a folder that is not there', async () => {
    const { url, name } = await createSqliteDatabase();
    symlinkSync('gone/timetracker.db', name);
    for (const command of ['plan', 'gate']) {
      const { exitCode, all } = await run([command], { env: { DATABASE_URL: url } });
      expect(exitCode, all).toBe(4);
      expect(all).toContain('gone');
    }
  });

  it('explains a folder in the place of the file, and leaves it', async () => {
    const { name: file, url } = await createSqliteDatabase();
    mkdirSync(file);
    const { exitCode, stderr } = await run(['gate'], { env: { DATABASE_URL: url } });
    expect(exitCode).toBe(17);
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain(
      'is a folder. Docker creates a folder if a bind mount names a file',
    );
    expect(readdirSync(file)).toEqual([]);
  });

  it('migrates despite a foreign key of the owner that refers to no unique column', async () => {
    const file = await oldDatabase();
    const database = new Database(file);
    database.pragma('foreign_keys = OFF');
    database.exec('CREATE TABLE badges (id INTEGER PRIMARY KEY, name TEXT REFERENCES users(username_shown))');
    database.exec(
      "CREATE TABLE lost (id INTEGER PRIMARY KEY, owner TEXT REFERENCES nowhere(id)); INSERT INTO lost VALUES (1, '1')",
    );
    database.exec(
      'CREATE TABLE cups (id INTEGER PRIMARY KEY, name TEXT REFERENCES users(role)); INSERT INTO cups VALUES (1, NULL)',
    );
    database.close();
    expect((await run(['gate'], { env: { DATABASE_URL: sqliteUrl(file) } })).exitCode).toBe(0);
  });

  it('does not change a current database, in either journal mode', async () => {
    const { name: file, url } = await createSqliteDatabase();
    await run(['gate'], { env: { DATABASE_URL: url } });
    for (const mode of ['delete', 'wal']) {
      const database = new Database(file);
      database.pragma(`journal_mode = ${mode}`);
      database.close();
      const before = traceOf(file);
      const { exitCode, stdout } = await run(['gate'], { env: { DATABASE_URL: url } });
      expect(exitCode).toBe(0);
      expect(stdout).toContain('nothing to do');
      expect(traceOf(file)).toBe(before);
    }
  });

  it('waits for a reader to finish before it writes', async () => {
    const file = await oldDatabase();
    const reader = new Database(file);
    reader.exec('BEGIN; SELECT * FROM users');
    reader.prepare('SELECT count(*) FROM users').get();
    const gate = start(['gate'], { env: { DATABASE_URL: sqliteUrl(file) } });
    gate.stdout.on('data', (text: Buffer) => {
      if (text.includes('another program is using the file') && reader.inTransaction) reader.exec('COMMIT');
    });
    expect((await gate).exitCode).toBe(0);
    reader.close();
  });

  it('refuses after waiting for a reader that stays, and changes nothing', async () => {
    const file = await oldDatabase();
    const before = readFileSync(file);
    const reader = new Database(file);
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM users').get();
    const { exitCode, stderr } = await run(['gate'], {
      env: { DATABASE_URL: sqliteUrl(file), TT_MIGRATION_LOCK_TIMEOUT: '1' },
    });
    reader.close();
    expect(exitCode).toBe(5);
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain('is the application still running?');
    expect(readFileSync(file).equals(before)).toBe(true);
  });
});
