import { randomBytes } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { chown, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { describeBackups, execute, fill } from '../integration/backup/backups.ts';
import { createSqliteDatabase, sqliteUrl, type TestDatabase } from '../support/database.ts';
import { release } from '../support/fixtures.ts';
import { describePrivateCluster, type PrivateCluster, startPrivateCluster } from '../support/private-cluster.ts';
import { restoreSql } from '../support/restore-sql.ts';
import { run } from '../support/run.ts';
import { requireTrueSafeSentence } from '../support/safe-sentence.ts';
import { snapshot } from '../support/snapshot.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { bugPattern, runInProcess } from '../support/run-in-process.ts';
import { mountVolume, noVolumes } from './volumes.ts';

const onVolumes = noVolumes === null ? describe : describe.skip;
const reason = noVolumes === null ? '' : ` [skipped: ${noVolumes}]`;

/** Fills a disk up to the given number of bytes. */
async function leave(volume: string, bytes: number): Promise<void> {
  const ballast = join(volume, 'ballast');
  await rm(ballast, { force: true });
  const { bavail, bsize } = statfsSync(volume);
  await writeFile(ballast, Buffer.alloc(Math.max(0, bavail * bsize - bytes)));
}

/** The files in a folder, except those that always stay. */
async function leftIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => !/^(?:ballast|\.db-init)$|\.db-init(?:-|\/)lock$/.test(name)).toSorted();
}

/** Makes an archive of a database of an older release. */
async function archiveOf(source: TestDatabase, folder: string, uploads = folder): Promise<string> {
  await fill(source);
  const archive = join(folder, 'source.zip');
  const { exitCode, all } = await runInProcess(['backup', 'create', '--output', archive], {
    DATABASE_URL: source.url,
    UPLOAD_FOLDER: uploads,
    BACKUP_FOLDER: folder,
  });
  if (exitCode !== 0) throw new Error(all);
  return archive;
}

async function empty(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
}

onVolumes(`a full disk under a SQLite file${reason}`, () => {
  const rooms = [0, 4096, 40_000, 200_000, 1_000_000, 3_000_000, 8_000_000, 14_000_000];
  let volume: string;
  let elsewhere: string;
  let archive: string;
  beforeAll(async () => {
    volume = (await mountVolume('24m')).path;
    elsewhere = await temporaryDirectory();
    archive = await archiveOf(await createSqliteDatabase(), elsewhere);
  });

  let database: TestDatabase;
  beforeEach(async () => {
    await empty(volume);
    const name = join(volume, 'timetracker.db');
    database = { engine: 'sqlite', name, url: sqliteUrl(name), drop: never };
  });

  it('is seen by every report, if SQLite cannot open a database in WAL mode', async () => {
    const env = { DATABASE_URL: database.url, UPLOAD_FOLDER: elsewhere, BACKUP_FOLDER: elsewhere };
    expect((await runInProcess(['gate'], env)).exitCode).toBe(0);
    await execute(database, 'PRAGMA journal_mode = WAL');
    await leave(volume, 0);
    for (const command of ['gate', 'status', 'plan']) {
      const { exitCode, all } = await runInProcess([command], env);
      expect([command, exitCode, all]).toEqual([command, 17, expect.stringContaining('free some space')]);
      expect(all).not.toMatch(bugPattern);
      requireTrueSafeSentence(all, false);
    }
    await leave(volume, 100_000);
    for (const command of ['status', 'plan', 'gate']) expect((await runInProcess([command], env)).exitCode).toBe(0);
  });

  it.each<[string, readonly string[], number, boolean]>([
    ['gate (fresh)', ['gate'], 20, false],
    ['gate (behind)', ['gate'], 20, true],
    ['gate (behind, no backup)', ['gate'], 20, true],
    ['reset', ['reset', '--yes-delete-all-data', 'timetracker.db', '--no-backup'], 20, true],
    ['restore', ['restore', 'ARCHIVE', '--yes'], 31, true],
    ['restore (fresh)', ['restore', 'ARCHIVE', '--yes'], 31, false],
    ['plan', ['plan', '--rehearse'], 20, true],
  ])('%s', async (title, args, refusal, filled) => {
    if (filled) await fill(database);
    const before = await snapshot(database.url);
    const codes: number[] = [];
    for (const room of rooms) {
      await leave(volume, room);
      const files = await leftIn(volume);
      const { exitCode, all } = await runInProcess(
        args.map((word) => (word === 'ARCHIVE' ? archive : word)),
        {
          DATABASE_URL: database.url,
          UPLOAD_FOLDER: elsewhere,
          BACKUP_FOLDER: join(elsewhere, 'backups'),
          TT_BACKUP_BEFORE_MIGRATE: title.includes('no backup') ? 'never' : 'always',
        },
      );
      expect(all).not.toMatch(bugPattern);
      codes.push(exitCode);
      if (exitCode === 0) break;
      expect([exitCode, all]).toEqual([refusal, expect.stringMatching(/no room left for|too little free space in/)]);
      expect(all.replaceAll(/\s+/g, ' ')).toContain(volume);
      // an empty file is an empty database
      const made = filled ? [] : [basename(database.name)];
      expect([...files, ...made]).toEqual(expect.arrayContaining([...(await leftIn(volume))]));
      expect((await snapshot(database.url)).replace(/^user_version 0$/, '')).toBe(before);
      requireTrueSafeSentence(all, false);
    }
    // it was refused at least once, and at the end there was enough space
    expect(codes.length).toBeGreaterThan(1);
    expect(codes.at(-1)).toBe(0);
  });

  it('does not prevent a start on a current database, or a quarantine', async () => {
    await fill(database);
    const env = { DATABASE_URL: database.url, BACKUP_FOLDER: join(elsewhere, 'backups') };
    expect((await runInProcess(['gate'], env)).exitCode).toBe(0);
    await leave(volume, 0);
    const { exitCode, all } = await runInProcess(['gate'], env);
    expect([exitCode, all]).toEqual([0, expect.stringContaining('nothing to do')]);
    expect((await runInProcess(['quarantine', 'create', '--yes'], env)).exitCode).toBe(0);
  });
});

onVolumes(`a full disk under the backups${reason}`, () => {
  let volume: string;
  beforeAll(async () => {
    volume = (await mountVolume('16m')).path;
  });

  describeBackups('', ({ create, name: engine }) => {
    let archive: string;
    beforeAll(async () => {
      archive = await archiveOf(await create(), await temporaryDirectory());
    });

    it.each<[string, readonly string[], number]>([
      ['gate (auto)', ['gate'], 0],
      ['gate (always)', ['gate'], 30],
      ['backup', ['backup', 'create'], 30],
      ['reset', ['reset', '--yes-delete-all-data', 'NAME'], 30],
      ['restore', ['restore', 'ARCHIVE', '--yes'], 31],
    ])('%s', async (title, args, expected) => {
      await empty(volume);
      const database = await create();
      await fill(database);
      const uploads = await temporaryDirectory();
      await writeFile(join(uploads, 'photo.jpg'), 'a photo');
      const before = await snapshot(database.url);
      const name = engine === 'sqlite' ? 'timetracker.db' : database.name;
      for (const room of [0, 4096, 40_000]) {
        await leave(volume, room);
        const { exitCode, all } = await runInProcess(
          args.map((word) => ({ ARCHIVE: archive, NAME: name })[word] ?? word),
          {
            DATABASE_URL: database.url,
            UPLOAD_FOLDER: uploads,
            BACKUP_FOLDER: volume,
            TT_BACKUP_BEFORE_MIGRATE: title.includes('always') ? 'always' : 'auto',
          },
        );
        expect(all).not.toMatch(bugPattern);
        // a restore of SQLite keeps only a small journal there
        if (room > 0 && title === 'restore' && exitCode === 0) break;
        expect([room, exitCode, all]).toEqual([
          room,
          expected,
          expect.stringMatching(/too little free space|ENOSPC|No space left/),
        ]);
        expect(all.replaceAll(/\s+/g, ' ')).toContain(volume);
        expect(await leftIn(volume)).toEqual([]);
        const changed = (await snapshot(database.url)) !== before;
        expect(changed).toBe(exitCode === 0);
        requireTrueSafeSentence(all, changed);
        if (changed) break;
      }
    });
  });
});

onVolumes(`a full disk under the uploads${reason}`, () => {
  it('prevents the restore of an archive, and nothing of it stays', async () => {
    const volume = (await mountVolume('2m')).path;
    const folder = await temporaryDirectory();
    const source = await createSqliteDatabase();
    await fill(source);
    await mkdir(join(folder, 'uploads'));
    for (let number = 0; number < 20; number++)
      await writeFile(join(folder, 'uploads', `${number}`), randomBytes(10_000));
    const archive = await archiveOf(source, folder, join(folder, 'uploads'));
    const { url } = await createSqliteDatabase();
    for (const room of [0, 100_000]) {
      await leave(volume, room);
      const env = { DATABASE_URL: url, UPLOAD_FOLDER: volume, BACKUP_FOLDER: folder };
      const { exitCode, all } = await runInProcess(['restore', archive, '--yes'], env);
      expect(all).not.toMatch(bugPattern);
      expect([exitCode, all.replaceAll(/\s+/g, ' ')]).toEqual([
        31,
        expect.stringContaining(`too little free space in ${volume}`),
      ]);
      expect(await leftIn(volume)).toEqual([]);
      expect((await snapshot(url)).replace(/^user_version 0$/, '')).toBe('');
      requireTrueSafeSentence(all, false);
    }
  });
});

onVolumes(`a full disk for temporary files${reason}`, () => {
  it('does not prevent the inspection of a database in WAL mode', async () => {
    const volume = (await mountVolume('1m')).path;
    await leave(volume, 0);
    const database = await createSqliteDatabase();
    await fill(database);
    const env = { DATABASE_URL: database.url, TMPDIR: volume, TT_BACKUP_BEFORE_MIGRATE: 'never' };
    expect((await run(['status'], { env })).exitCode).toBe(0);
    await execute(database, 'PRAGMA journal_mode = WAL');
    expect((await run(['status'], { env })).exitCode).toBe(0);
    expect(await leftIn(volume)).toEqual([]);
    expect((await run(['gate'], { env })).exitCode).toBe(0);
  });
});

describePrivateCluster('a full disk under PostgreSQL', () => {
  it.skipIf(noVolumes !== null)('leaves nothing half done', async () => {
    const volume = (await mountVolume('40m')).path;
    const server = await startPrivateCluster();
    await server.run(`CREATE TABLESPACE small LOCATION '${await ownedBy(server, volume)}'`);
    await server.run('CREATE DATABASE tt TABLESPACE small TEMPLATE template0');
    const url = new URL('/tt', server.url).href;
    const env = { DATABASE_URL: url, TT_BACKUP_BEFORE_MIGRATE: 'never' };
    await restoreSql(url, release('pg', 'v4.20.0', 'before.sql.gz'));
    const before = await snapshot(url, { withoutSequences: true });
    for (const [room, args] of [
      [0, ['gate']],
      [500_000, ['gate']],
      [500_000, ['reset', '--yes-delete-all-data', 'tt', '--no-backup']],
    ] as const) {
      await leave(volume, room);
      const { exitCode, all } = await runInProcess(args, env);
      expect(all).not.toMatch(bugPattern);
      expect([exitCode, all]).toEqual([20, expect.stringMatching(/could not extend|No space left/)]);
      expect(all.replaceAll(/\s+/g, ' ')).toMatch(/failed: the disk is full .*disk of the database server/);
      await leave(volume, 30_000_000);
      expect((await snapshot(url, { withoutSequences: true })) === before).toBe(true);
      requireTrueSafeSentence(all, false);
    }
    await leave(volume, 30_000_000);
    expect((await runInProcess(['gate'], env)).exitCode).toBe(0);
  });
});

/** A folder on the volume that belongs to the user of the server. */
async function ownedBy(server: PrivateCluster, volume: string): Promise<string> {
  const folder = join(volume, 'tablespace');
  await mkdir(folder);
  const { uid, gid } = await stat(server.socketFolder);
  await chown(folder, uid, gid);
  return folder;
}

const never = (): Promise<void> => Promise.resolve();
