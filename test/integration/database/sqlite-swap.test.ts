import { checkSqliteFile, countDanglingReferences } from '../../../src/database/sqlite/check.ts';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { swapFiles, type FileSwap, recoverSwap } from '../../../src/database/sqlite/swap-file.ts';
import { atEveryStep, type KillableModule, killableModule } from '../../support/fault-injection.ts';
import { waitForOutput } from '../../support/wait-for-output.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const asRoot = process.getuid?.() === 0;
const names = (folder: string): FileSwap => ({
  live: join(folder, 'live.db'),
  incoming: join(folder, 'live.db.restore_1'),
  outgoing: join(folder, 'live.db.bak_1'),
});

/** A database with one table that identifies it. */
function make(file: string, mark: string, mode: 'wal' | 'delete' = 'delete'): void {
  const database = new Database(file);
  database.pragma(`journal_mode = ${mode}`);
  database.exec(`CREATE TABLE t (mark); INSERT INTO t VALUES ('${mark}'); CREATE TABLE filler (x)`);
  database.exec('INSERT INTO filler SELECT randomblob(900) FROM (VALUES (1),(2),(3),(4),(5),(6),(7),(8))');
  database.close();
}

/** Copies the files while `work` is done and the connection is open, as a killed writer would leave them. */
function crash(file: string, work: (database: Database.Database) => void): void {
  renameSync(file, `${file}.source`);
  const database = new Database(`${file}.source`);
  work(database);
  for (const side of ['', '-wal', '-shm', '-journal']) {
    if (existsSync(`${file}.source${side}`)) copyFileSync(`${file}.source${side}`, file + side);
  }
  database.close();
  rmSync(`${file}.source`);
}

const logged = (file: string): void => {
  make(file, 'before', 'wal');
  crash(file, (database) => database.exec("UPDATE t SET mark = 'old'"));
};
const torn = (file: string): void => {
  make(file, 'old');
  crash(file, (database) => {
    // with a cache of one page, SQLite writes to the file before the commit, so the journal is hot
    database.pragma('cache_size = 1');
    database.exec("BEGIN; UPDATE t SET mark = 'torn'; UPDATE filler SET x = randomblob(900)");
    database.exec('INSERT INTO filler SELECT randomblob(900) FROM filler, filler');
  });
  expect(statSync(`${file}-journal`).size).toBeGreaterThan(512);
};
const damaged = (file: string): void => {
  make(file, 'old');
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.fill(0xaa, 100, 4096));
};
const noDatabase = (file: string): void => {
  writeFileSync(file, 'once a database');
  for (const side of ['-wal', '-journal']) writeFileSync(file + side, `its ${side}`);
};
const orphaned = (file: string): void => {
  logged(file);
  rmSync(file);
};

/** The content of a path: the mark of a database, or the bytes. It reads a copy, because opening the file changes side files. */
async function contentOf(file: string): Promise<unknown> {
  const copy = join(await temporaryDirectory(), 'copy.db');
  const sides = ['', '-wal', '-journal'].filter((side) => existsSync(file + side) && statSync(file + side).size > 0);
  for (const side of sides) copyFileSync(file + side, copy + side);
  if (!sides.includes('')) return sides.map((side) => [side, readFileSync(copy + side).toString('base64')]);
  const before = sides.map((side) => [side, readFileSync(copy + side).toString('base64')]);
  const database = new Database(copy);
  try {
    return database.prepare('SELECT mark FROM t').pluck().get();
  } catch {
    return before;
  } finally {
    database.close();
  }
}

const snapshotOf = async ({ live, incoming, outgoing }: FileSwap) => ({
  live: await contentOf(live),
  incoming: await contentOf(incoming),
  outgoing: await contentOf(outgoing),
});

const cases: readonly (readonly [title: string, prepare: (file: string) => void])[] = [
  ['a sound file', (file) => make(file, 'old')],
  ['a sound file in WAL mode', (file) => make(file, 'old', 'wal')],
  ['a file with content in its write-ahead log', logged],
  ['a file with a hot journal', torn],
  ['a damaged file', damaged],
  ['a file that is no database', noDatabase],
  ['no file', () => undefined],
  ['a write-ahead log without its file', orphaned],
];

describe.each(cases)('a swapped file (%s)', (title, prepare) => {
  let template: string;
  let old: unknown;

  const lay = async (): Promise<FileSwap> => {
    const folder = await temporaryDirectory();
    cpSync(template, folder, { recursive: true });
    return names(folder);
  };

  const before = () => ({ live: old, incoming: 'new', outgoing: [] });
  const after = () => ({ live: 'new', incoming: [], outgoing: old });
  const sideFiles = ({ live }: FileSwap) => readdirSync(dirname(live)).filter((name) => name.startsWith('live.db-'));

  beforeAll(async () => {
    template = await temporaryDirectory();
    prepare(names(template).live);
    make(names(template).incoming, 'new');
    old = await contentOf(names(template).live);
  });

  it('is back after a second swap', async () => {
    const files = await lay();
    expect(await swapFiles(files)).toBe('swapped');
    expect([await snapshotOf(files), sideFiles(files)]).toEqual([after(), []]);
    expect(await recoverSwap(files)).toBe('swapped');
    expect([await snapshotOf(files), sideFiles(files)]).toEqual([after(), []]);
    const { live, incoming, outgoing } = files;
    if (!existsSync(outgoing)) return;
    await swapFiles({ live, incoming: outgoing, outgoing: incoming });
    expect([await contentOf(live), await contentOf(incoming)]).toEqual([old, 'new']);
  });

  it.each(title.startsWith('a sound') || prepare === damaged ? ['', 'link'] : [''])(
    'is swapped completely or not at all, at every instant of a kill (refused: %o)',
    async (refused) => {
      let files = await lay();
      const outcomes = new Set<string>();
      await atEveryStep(
        (death) => exchange('swapFiles', [files], death, refused),
        async () => {
          // before the recovery, a reader sees one of both databases
          const isSound = typeof old === 'string';
          expect(!isSound || ['old', 'new'].includes(String(await contentOf(files.live)))).toBe(true);
          const outcome = await recoverSwap(files);
          outcomes.add(outcome);
          expect(await snapshotOf(files)).toEqual(outcome === 'swapped' ? after() : before());
          if (outcome === 'not-swapped') await swapFiles(files);
          expect([await snapshotOf(files), sideFiles(files)]).toEqual([after(), []]);
          files = await lay();
        },
      );
      expect([...outcomes]).toEqual(['not-swapped', 'swapped']);
    },
  );
});

let exchange: KillableModule;
beforeAll(async () => {
  exchange = await killableModule('src/database/sqlite/swap-file.ts');
});

it('a swap of a file is recovered after a kill, even if the recovery is killed too', async () => {
  const folder = await temporaryDirectory();
  const files = names(folder);
  noDatabase(files.live);
  make(files.incoming, 'new');
  const old = await contentOf(files.live);
  const [before, after] = [
    { live: old, incoming: 'new', outgoing: [] },
    { live: 'new', incoming: [], outgoing: old },
  ];
  for (let death = 1; existsSync(files.incoming); death++) {
    await exchange('swapFiles', [files], death);
    for (let second = 1; !(await exchange('recoverSwap', [files], second)); second++);
    expect(await snapshotOf(files)).toEqual(existsSync(files.incoming) ? before : after);
  }
});

it.runIf(asRoot)('has the mode and the owner of the former file', async () => {
  const files = names(await temporaryDirectory());
  make(files.live, 'old');
  make(files.incoming, 'new');
  chmodSync(files.live, 0o640);
  chownSync(files.live, 1234, 4321);
  await swapFiles(files);
  expect(statSync(files.live)).toMatchObject({ uid: 1234, gid: 4321, mode: 0o100640 });
});

describe('a file that another program uses', () => {
  const uses = {
    'is open, between two transactions': '',
    'is being read': "d.exec('BEGIN'); d.prepare('SELECT * FROM t').all();",
    'is being written': "d.exec('BEGIN IMMEDIATE; UPDATE t SET mark = 1');",
  };
  const combinations = Object.entries(uses).flatMap(([title, use]) =>
    (['wal', 'delete'] as const).map((mode) => [title, mode, use] as const),
  );

  it.each(combinations)('is not swapped: %s (%s)', async (_, mode, use) => {
    const files = names(await temporaryDirectory());
    make(files.live, 'old', mode);
    make(files.incoming, 'new');
    const code = `const d = new (require('better-sqlite3'))(process.argv[1]); ${use} console.log('ready'); setInterval(() => {}, 1e6)`;
    const other = execa(process.execPath, ['-e', code, files.live], { reject: false });
    await waitForOutput(other, /ready/);
    await expect(swapFiles(files)).rejects.toMatchObject({
      problem: { kind: 'restore-refused', obstacle: { kind: 'file-in-use', file: files.live } },
    });
    expect(existsSync(files.outgoing)).toBe(false);
    other.kill('SIGKILL');
    await other;
    await swapFiles(files);
    expect([await contentOf(files.live), await contentOf(files.outgoing)]).toEqual(['new', 'old']);
  });

  it('is noticed by its locks', async () => {
    const files = names(await temporaryDirectory());
    make(files.live, 'old', 'wal');
    make(files.incoming, 'new');
    // in this process, so it is not found among other processes
    const other = new Database(files.live);
    other.prepare('SELECT * FROM t').all();
    await expect(swapFiles(files)).rejects.toMatchObject({ problem: { obstacle: { kind: 'file-in-use' } } });
    other.close();
    expect(readdirSync(join(files.live, '..')).toSorted()).toEqual(['live.db', 'live.db.restore_1']);
  });
});

it('a file is not swapped through a symbolic link', async () => {
  const files = names(await temporaryDirectory());
  make(`${files.live}.real`, 'old');
  symlinkSync(`${files.live}.real`, files.live);
  make(files.incoming, 'new');
  await expect(swapFiles(files)).rejects.toMatchObject({
    problem: { obstacle: { kind: 'symbolic-link', target: `${files.live}.real` } },
  });
  expect(await contentOf(files.live)).toBe('old');
});

it('a swap of a file overwrites nothing', async () => {
  const files = names(await temporaryDirectory());
  for (const [name, file] of Object.entries(files)) make(String(file), name);
  await expect(swapFiles(files)).rejects.toThrow('exists already');
  expect([await contentOf(files.live), await contentOf(files.outgoing)]).toEqual(['live', 'outgoing']);
});

describe('the check of a file', () => {
  it('passes an intact file, and counts rows that refer to nothing', async () => {
    const file = join(await temporaryDirectory(), 'file.db');
    const database = new Database(file);
    database.pragma('foreign_keys = OFF');
    database.exec('CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p, x)');
    database.exec('INSERT INTO c VALUES (1, NULL), (2, NULL), (NULL, NULL)');
    // as old releases left it: a constraint that is newer than the rows
    database.unsafeMode();
    database.pragma('writable_schema = ON');
    database.exec("UPDATE sqlite_schema SET sql = 'CREATE TABLE c (p REFERENCES p, x NOT NULL)' WHERE name = 'c'");
    database.close();
    expect([checkSqliteFile(file), countDanglingReferences(file)]).toEqual([null, 2]);
    expect(readdirSync(join(file, '..'))).toEqual(['file.db']);
  });

  it.each([
    ['is empty', '', 'it is empty'],
    ['is none', 'hello', 'it is not a SQLite database'],
  ])('fails a file that %s', async (_, content, fault) => {
    const file = join(await temporaryDirectory(), 'file.db');
    writeFileSync(file, content);
    expect(checkSqliteFile(file)).toBe(fault);
  });

  it.each([
    ['damaged', (bytes: Buffer) => bytes.fill(0xaa, 100, 4096)],
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 4096)],
  ])('fails a file that is %s', async (_, spoil) => {
    const file = join(await temporaryDirectory(), 'file.db');
    make(file, 'old');
    writeFileSync(file, spoil(readFileSync(file)));
    expect(checkSqliteFile(file)).toMatch(/malformed|database|page|size/i);
  });
});
