import { createHash, randomBytes } from 'node:crypto';
import { chmod, chown, copyFile, mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import AdmZip from 'adm-zip';
import SQLite from 'better-sqlite3';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Manifest, type ListedEntry, parseManifest } from '../../../src/archive/manifest.ts';
import { createArchive } from '../../../src/archive/writer.ts';
import { addUploads } from '../../../src/backup/uploads.ts';
import { createSqliteDatabase, type TestDatabase } from '../../support/database.ts';
import { run, start } from '../../support/run.ts';
import { snapshot } from '../../support/snapshot.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import {
  archivesIn,
  describeBackups,
  fill,
  makeBackupSlow,
  partialIn,
  restoreDump,
  revisions,
  spoken,
} from './backups.ts';

const nobody = 65_534;
const asRoot = process.getuid?.() === 0;

/** Folders with uploads. As by default, the backup folder is inside one of them. */
async function volumes() {
  const root = await temporaryDirectory();
  const [statics, data] = [join(root, 'static'), join(root, 'data')];
  await mkdir(join(statics, 'logos'), { recursive: true });
  await mkdir(join(data, 'avatars'), { recursive: true });
  await mkdir(join(data, 'backups'));
  await writeFile(join(statics, '.gitkeep'), '');
  await writeFile(join(statics, 'logos/Größe & 日本.png'), 'a logo');
  await writeFile(join(data, 'avatars/1.txt'), 'an avatar '.repeat(1000));
  await writeFile(join(data, 'backups/elsewhere.txt'), 'in the backup folder');
  const env = {
    UPLOAD_FOLDER: data,
    TT_STATIC_UPLOAD_FOLDER: statics,
    TT_ATTACHMENT_FOLDER: join(root, 'not there'),
  };
  return { root, statics, data, backups: join(data, 'backups'), env };
}

type Volumes = Awaited<ReturnType<typeof volumes>>;

function open(file: string): { zip: AdmZip; names: string[]; manifest: Manifest } {
  const zip = new AdmZip(file);
  const manifest = parseManifest(zip.readAsText('manifest.json'));
  if (manifest === null) throw new Error('no manifest of ours');
  return { zip, names: zip.getEntries().map(({ entryName }) => entryName), manifest };
}

describeBackups('backup create', ({ name: engine, create }) => {
  let database: TestDatabase;
  let places: Volumes;
  let env: Record<string, string>;
  const backup = (...more: string[]) => run(['backup', 'create', ...more], { env });
  const only = async (folder = places.backups): Promise<string> => {
    const [name = 'none', ...others] = await archivesIn(folder);
    expect(others).toEqual([]);
    return join(folder, name);
  };
  beforeEach(async () => {
    database = await create();
    if (engine === 'sqlite') await writeFile(database.name, '');
    places = await volumes();
    env = { ...places.env, DATABASE_URL: database.url };
  });
  afterEach(() => database.drop());

  it('holds the database in any state, and the uploads, and other programs can read it', async () => {
    await fill(database);
    const before = await snapshot(database.url);
    const { exitCode, stdout } = await backup();
    expect(exitCode).toBe(0);
    const file = await only();
    expect(stdout).toContain(`Backup: ${file}`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);

    const { zip, names, manifest } = open(file);
    const member = engine === 'sqlite' ? 'db.sqlite' : 'db.dump';
    expect(names).toEqual([
      member,
      'uploads/.gitkeep',
      'uploads/logos/Größe & 日本.png',
      'data_uploads/avatars/1.txt',
      'settings.json',
      'manifest.json',
    ]);
    expect(zip.readAsText('data_uploads/avatars/1.txt')).toBe('an avatar '.repeat(1000));
    expect(manifest).toMatchObject({
      engine,
      kind: 'manual',
      database: spoken(database),
      revisions,
      uploads: ['uploads', 'data_uploads'],
    });
    for (const name of names.slice(0, -1)) {
      const content = zip.readFile(name) ?? Buffer.alloc(0);
      const sha256 = createHash('sha256').update(content).digest('hex');
      expect(manifest.entries[name]).toEqual({ size: content.length, sha256 });
    }

    const restored = await create();
    const content = zip.readFile(member) ?? Buffer.alloc(0);
    if (engine === 'sqlite') await writeFile(restored.name, content);
    else await restoreDump(restored, content);
    expect(await snapshot(restored.url)).toBe(before);
    expect(await snapshot(database.url)).toBe(before);
    expect((await run(['backup', 'verify', file])).exitCode).toBe(0);
  });

  it('leaves out entries that are no files, have no valid name or are unfinished, with a warning', async () => {
    const { data, statics } = places;
    await symlink('/etc/passwd', join(data, 'link'));
    await symlink(statics, join(data, 'folder link'));
    await execa('sh', ['-c', `mkfifo '${join(data, 'pipe')}'`]);
    await writeFile(Buffer.concat([Buffer.from(join(data, 'bad ')), Buffer.from([0xff])]), '');
    await writeFile(join(data, String.raw`back\slash`), '');
    await mkdir(join(data, '.db-init-stage'));
    await writeFile(join(data, '.db-init-stage/x'), '');
    const { exitCode, stdout } = await backup();
    expect(exitCode).toBe(0);
    const names = open(await only()).names.filter((name) => name.startsWith('data_uploads/'));
    expect(names).toEqual(['data_uploads/avatars/1.txt']);
    expect(stdout).toContain(`WARNING: Not in the backup: ${join(data, 'link')}: it is a symbolic link.`);
    expect(stdout).toContain(`${join(data, 'folder link')}: it is a symbolic link.`);
    expect(stdout).toContain(`${join(data, 'pipe')}: it is neither a file nor a folder.`);
    expect(stdout).toMatch(/bad .*: its name is not UTF-8\./);
    expect(stdout).toMatch(/back\\slash: .* has a backslash/);
    expect(stdout).not.toContain('.db-init-stage');
  });

  it('contains the uploads even if they share a folder with the backups', async () => {
    await writeFile(join(places.data, 'timetracker_backup_20200101_000000.zip'), '');
    const { exitCode, stderr } = await run(['backup', 'create'], { env: { ...env, BACKUP_FOLDER: places.data } });
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    const [, made = ''] = await archivesIn(places.data);
    const names = open(join(places.data, made)).names.filter((name) => name.startsWith('data_uploads/'));
    expect(names).toEqual(['data_uploads/avatars/1.txt', 'data_uploads/backups/elsewhere.txt']);
  });

  it.runIf(engine === 'sqlite')('leaves no archive if its copy turns out to be damaged', async () => {
    await fill(database);
    const changed = `UPDATE sqlite_schema SET sql = replace(sql, 'id', 'id CHECK (id > 1)') WHERE name = 'notes'`;
    new SQLite(database.name)
      .unsafeMode()
      .exec('CREATE TABLE notes (id); INSERT INTO notes VALUES (1)')
      .exec(`PRAGMA writable_schema = ON; ${changed}`)
      .close();
    const { exitCode, all } = await backup();
    expect(all).toContain('the copy is damaged: CHECK constraint failed in notes');
    expect(exitCode).not.toBe(0);
    expect(await readdir(places.backups)).toEqual(expect.not.arrayContaining([expect.stringMatching(/zip|partial/)]));
  });

  it.runIf(engine === 'sqlite')('contains the database once, even if it is among the uploads', async () => {
    await fill(database);
    const file = join(places.data, 'timetracker.db');
    await copyFile(database.name, file);
    for (const name of ['timetracker.db.bak_20260101_000000', 'timetracker.db.png']) {
      await writeFile(join(places.data, name), 'x');
    }
    const { exitCode, all } = await run(['backup', 'create'], { env: { ...env, DATABASE_URL: `sqlite:///${file}` } });
    expect(exitCode, all).toBe(0);
    const names = open(await only()).names.filter((name) => name.startsWith('data_uploads/'));
    expect(names).toEqual(['data_uploads/avatars/1.txt', 'data_uploads/timetracker.db.png']);
  });

  it('stops at an upload that it may not read, and names it', async () => {
    const secret = join(places.data, 'avatars/secret');
    await writeFile(secret, 'x');
    await chmod(secret, 0);
    if (asRoot) {
      await chmod(places.root, 0o755);
      await chown(places.backups, nobody, nobody);
      if (engine === 'sqlite') {
        await fill(database);
        for (const path of [dirname(database.name), database.name]) await chown(path, nobody, nobody);
      }
    }
    const { exitCode, stderr } = await run(['backup', 'create'], { env, ...(asRoot && { uid: nobody }) });
    expect(exitCode).toBe(30);
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain(`${secret} cannot be read (EACCES: permission denied)`);
    expect(await readdir(places.backups)).toEqual(['elsewhere.txt']);
  });

  it('is made of an empty database too, with a warning', async () => {
    const { exitCode, stdout } = await backup();
    expect(exitCode).toBe(0);
    expect(stdout).toContain('WARNING: The database is empty');
    const file = await only();
    expect(open(file).manifest).toMatchObject({ revisions: [], rows: {} });
    expect((await run(['backup', 'verify', file])).exitCode).toBe(0);
  });

  it('is written to the place of --output, and overwrites nothing', async () => {
    const folder = join(places.root, 'elsewhere');
    await mkdir(folder);
    expect((await backup('--output', folder)).exitCode).toBe(0);
    expect(open(await only(folder)).manifest.kind).toBe('manual');
    const file = join(folder, 'mine.backup');
    expect((await backup('--output', file)).exitCode).toBe(0);
    const before = await readFile(file);
    expect(before.length).toBeGreaterThan(0);

    const link = join(places.root, 'link.zip');
    await symlink(join(places.root, 'gone.zip'), link);
    for (const wrong of [file, link, '', join(folder, 'no/file.zip'), join(folder, 'no/')]) {
      const { exitCode, stderr } = await backup('--output', wrong);
      expect([wrong, exitCode]).toEqual([wrong, 2]);
      expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(
        wrong === file
          ? `${file} exists already. db-init does not overwrite it`
          : /There is no folder|--output needs|link.zip is a symbolic link to something that does not exist/,
      );
    }
    expect((await readFile(file)).equals(before)).toBe(true);
    expect(await readdir(folder)).toHaveLength(2);
    expect(await archivesIn(places.backups)).toEqual([]);
  });

  it('leaves as many backups as --keep says', async () => {
    for (const keep of [[], [], ['--keep', '2']]) expect((await backup(...keep)).exitCode).toBe(0);
    expect(await archivesIn(places.backups)).toHaveLength(2);
    for (const wrong of ['0', '-1', '1.5', 'all', '']) expect((await backup(`--keep=${wrong}`)).exitCode).toBe(2);
    expect(await archivesIn(places.backups)).toHaveLength(2);
  });

  it('leaves nothing behind if it was interrupted', async () => {
    await fill(database);
    const held = await makeBackupSlow(database);
    const running = start(['backup', 'create'], { env: { ...env, TT_MIGRATION_LOCK_TIMEOUT: '60' } });
    await partialIn(places.backups, running);
    running.kill('SIGINT');
    expect((await running).exitCode).toBe(130);
    await held.release();
    expect(await readdir(places.backups)).toEqual(['elsewhere.txt']);
  });
});

describe('backup create', () => {
  it('makes no archive if there is no database', async () => {
    const { name, url } = await createSqliteDatabase();
    const { backups, env } = await volumes();
    const { exitCode, stderr } = await run(['backup', 'create'], { env: { ...env, DATABASE_URL: url } });
    expect(exitCode).toBe(30);
    expect(stderr).toContain(`there is no file ${name}`);
    expect(await readdir(backups)).toEqual(['elsewhere.txt']);
    expect(await readdir(dirname(name))).toEqual([]);
  });

  it('makes no archive of a database that cannot be read or is not set', async () => {
    const { name, url } = await createSqliteDatabase();
    const { backups, env } = await volumes();
    await writeFile(name, 'no database at all');
    expect(await run(['backup', 'create'], { env: { ...env, DATABASE_URL: url } })).toMatchObject({ exitCode: 30 });
    const { exitCode, stderr } = await run(['backup', 'create'], { env });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('DATABASE_URL: is not set');
    expect(await readdir(backups)).toEqual(['elsewhere.txt']);
  });

  it('backs up each folder once, even if several settings name it', async () => {
    const database = await createSqliteDatabase();
    await fill(database);
    const { data, statics, env } = await volumes();
    await rename(statics, join(data, 'static'));
    await symlink(join(data, 'static'), statics);
    const settings = { ...env, DATABASE_URL: database.url, TT_ATTACHMENT_FOLDER: join(data, 'avatars') };
    expect((await run(['backup', 'create'], { env: settings })).exitCode).toBe(0);
    const [archive = ''] = await archivesIn(join(data, 'backups'));
    const { names, manifest } = open(join(data, 'backups', archive));
    expect(names.filter((name) => name.includes('/'))).toEqual([
      'uploads/.gitkeep',
      'uploads/logos/Größe & 日本.png',
      'project_attachments/1.txt',
    ]);
    expect(manifest.uploads).toEqual(['uploads', 'data_uploads', 'project_attachments']);
  });
});

describe('a full disk', () => {
  it('ends the backup, which leaves nothing behind', async () => {
    const { url, name, ...rest } = await createSqliteDatabase();
    await fill({ url, name, ...rest });
    const { backups, data, env } = await volumes();
    await writeFile(join(data, 'large.jpg'), randomBytes(9_000_000));
    // a limit on the size of files simulates a full disk
    const entrypoint = join(import.meta.dirname, '../../../entrypoint');
    const { exitCode, stderr } = await execa('sh', ['-c', `ulimit -f 6000; exec '${entrypoint}' backup create`], {
      env: { ...env, DATABASE_URL: url },
      reject: false,
    });
    expect(stderr).toContain('EFBIG');
    expect(exitCode).toBe(30);
    expect(await readdir(backups)).toEqual(['elsewhere.txt']);
  });
});

describe('a backup that is larger than a restore allows', () => {
  it('is made, with a warning that names the setting', async () => {
    const { url } = await createSqliteDatabase();
    const { env } = await volumes();
    await run(['gate'], { env: { ...env, DATABASE_URL: url } });
    const { exitCode, all } = await run(['backup', 'create'], {
      env: { ...env, DATABASE_URL: url, TT_ARCHIVE_MAX_RATIO: '2' },
    });
    expect(exitCode, all).toBe(0);
    expect(all).toMatch(/A restore refuses this backup as it is set up now: .*raise TT_ARCHIVE_MAX_RATIO/);
  });
});

describe('uploads that change while they are read', () => {
  it('do not damage the archive', async () => {
    const folder = await temporaryDirectory();
    const there = (name: string, size: number) =>
      ({ root: 'uploads', entryName: `uploads/${name}`, path: join(folder, name), size }) as const;
    await writeFile(join(folder, 'grown'), 'x'.repeat(700_000));
    await writeFile(join(folder, 'shrunk'), 'y');
    await symlink('grown', join(folder, 'link by now'));
    await mkdir(join(folder, 'folder by now'));
    const found = [there('grown', 10), there('gone', 5), there('shrunk', 5000), there('link by now', 1)];
    const archive = createArchive(join(folder, 'a.zip'));
    const { signal } = new AbortController();
    const files = function* () {
      yield* [...found, there('folder by now', 1)];
    };
    const members: (readonly [string, number])[] = [];
    const skipped: string[] = [];
    const onAdded = (_root: string, name: string, { size }: ListedEntry): void => void members.push([name, size]);
    const heard = (line: string): void => void skipped.push(line);
    const log = { info: heard, warn: heard, error: heard };
    await addUploads(archive, { roots: ['uploads'], files }, onAdded, { signal, log });
    await archive.finish();
    expect(members).toEqual([
      ['uploads/grown', 700_000],
      ['uploads/shrunk', 1],
    ]);
    const named = skipped.map((line) => /: (.*): it /.exec(line)?.[1]);
    expect(named).toEqual(['gone', 'link by now', 'folder by now'].map((name) => join(folder, name)));
    const zip = new AdmZip(join(folder, 'a.zip'));
    expect(zip.readFile('uploads/grown')?.length).toBe(700_000);
    expect(zip.test()).toBe(true);
  });
});
