import type { ArchiveKind } from '../../../src/model/archive.ts';
import { copyFile, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import { beforeEach, describe, expect, it } from 'vitest';
import { renderManifest, settingsName } from '../../../src/archive/manifest.ts';
import { createArchive } from '../../../src/archive/writer.ts';
import { createSqliteDatabase } from '../../support/database.ts';
import { run } from '../../support/run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { archivesIn, fill, manifestOf } from './backups.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/archives');
const database = '/data/timetracker.db';

let folder: string;
let env: Record<string, string>;
beforeEach(async () => {
  folder = join(await temporaryDirectory(), 'backups');
  await mkdir(folder);
  env = { BACKUP_FOLDER: folder };
});

/** Puts an archive of db-init with a given age into the folder. */
async function put(name: string, kind: ArchiveKind, day: number, of = database): Promise<string> {
  const file = join(folder, name);
  const content = new AdmZip(join(fixtures, 'sqlite-v5.10.0-patched.zip')).readFile('db.sqlite') ?? Buffer.alloc(0);
  const archive = createArchive(file);
  const { listed: entry } = await archive.add('db.sqlite', true, async (into) => void into.end(content));
  const settings = await archive.addText(settingsName, '{}');
  const members = { 'db.sqlite': entry, [settingsName]: settings };
  await archive.addText('manifest.json', renderManifest({ ...manifestOf(kind, of, day), entries: members }));
  await archive.finish();
  return file;
}

describe('backup verify', () => {
  it('looks for a name without a folder in the working directory first, then among the backups', async () => {
    const file = await put('a.zip', 'manual', 1);
    const here = await temporaryDirectory();
    const verify = (name: string) => run(['backup', 'verify', name], { env, cwd: here });
    expect((await verify('a.zip')).stdout).toContain(file);
    await copyFile(file, join(here, 'a.zip'));
    expect((await verify('a.zip')).stdout).toContain(join(here, 'a.zip'));

    const { exitCode, stderr } = await verify('b.zip');
    expect(exitCode).toBe(32);
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain(
      `Neither ${join(here, 'b.zip')} nor ${join(folder, 'b.zip')} exists.`,
    );
    expect(stderr).toMatch(/1\. [^\n]*backups[^2]*db-init backup list/);
  });
});

describe('backup list', () => {
  it('lists the backups, newest first, without a database', async () => {
    await put('manual.zip', 'manual', 1);
    await put('safety.zip', 'safety', 2);
    await copyFile(join(fixtures, 'pg-v5.10.0-pgdump15.zip'), join(folder, 'application.zip'));
    await copyFile(join(fixtures, 'pg-v5.10.0-pgdump15.zip'), join(folder, 'restore_0a1b_application.zip'));
    await writeFile(join(folder, 'broken.zip'), 'this is no archive');
    await writeFile(join(folder, 'notes.txt'), '');

    const { exitCode, stdout } = await run(['backup', 'list'], { env });
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Backups in ${folder}, newest first:`);
    const lines = stdout.split('\n').filter((line) => line.includes('.zip'));
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      // the fixture may be older or newer than the file that was just written
      expect.any(Array),
      expect.any(Array),
      ['safety.zip', '2020-01-02 00:00Z', 'safety', 'sqlite', 'none', expect.any(String), 'none', 'looks whole'],
      ['manual.zip', '2020-01-01 00:00Z', 'manual', 'sqlite', 'none', expect.any(String), 'none', 'looks whole'],
    ]);
    expect(lines.map((line) => line.split(/ {2,}/))).toContainEqual([
      'application.zip',
      '2026-11-22 15:36Z',
      'application',
      'postgresql',
      '171_merge_kanban_feature_heads',
      expect.any(String),
      '7 files',
      'looks whole',
    ]);
    expect(stdout).toMatch(/broken\.zip .*unreadable .*not readable: it is no ZIP archive/);
  });

  it('prints the same as JSON', async () => {
    const path = await put('manual.zip', 'manual', 1);
    await writeFile(join(folder, 'broken.zip'), '');
    const { stdout } = await run(['backup', 'list', '--json'], { env });
    const told: { backups: unknown } = JSON.parse(stdout);
    expect(told).toMatchObject({ folder, exitCode: 0 });
    expect(told.backups).toEqual([
      expect.objectContaining({ file: 'broken.zip', kind: 'unreadable', revisions: null, problem: 'it is empty' }),
      {
        file: 'manual.zip',
        path,
        bytes: (await readFile(path)).length,
        kind: 'manual',
        made: new Date(2020, 0, 1).toISOString(),
        engine: 'sqlite',
        database,
        revisions: [],
        uploads: 0,
        problem: null,
      },
    ]);
  });

  it('names the folder if it has no backups', async () => {
    expect(await run(['backup', 'list'], { env })).toMatchObject({
      exitCode: 0,
      stdout: `There are no backups in ${folder}.`,
    });
    await rm(folder, { recursive: true });
    expect(JSON.parse((await run(['backup', 'list', '--json'], { env })).stdout)).toEqual({
      folder,
      backups: [],
      lastProven: null,
      exitCode: 0,
    });
    await writeFile(folder, 'a file where the folder should be');
    const { exitCode, stderr } = await run(['backup', 'list'], { env });
    expect(exitCode).toBe(30);
    expect(stderr).toContain(`The backups cannot be listed: ${folder}`);
  });
});

describe('backup create --keep', () => {
  it('keeps the new backup, even if others have newer times', async () => {
    const { url, name, ...rest } = await createSqliteDatabase();
    await fill({ url, name, ...rest });
    // made while the clock was wrong: thousands of days after 2020
    for (const day of [20_000, 20_001]) await put(`future-${day}.zip`, 'manual', day, name);
    const { exitCode } = await run(['backup', 'create', '--keep', '2'], { env: { ...env, DATABASE_URL: url } });
    expect(exitCode).toBe(0);
    expect(await archivesIn(folder)).toEqual([
      'future-20001.zip',
      expect.stringMatching(/^timetracker_backup_\d{8}_\d{6}\.zip$/),
    ]);
  });
});

describe('backup prune', () => {
  const prune = (...more: string[]) =>
    run(['backup', 'prune', ...more], { env: { ...env, DATABASE_URL: `sqlite:///${database}` } });

  it('removes the oldest manual backups of this database, and nothing else', async () => {
    for (const day of [1, 2, 3, 4]) await put(`manual-${day}.zip`, 'manual', day);
    await put('safety.zip', 'safety', 1);
    await put('neighbour.zip', 'manual', 1, 'another database');
    await copyFile(join(fixtures, 'sqlite-v5.10.0-patched.zip'), join(folder, 'application.zip'));
    await writeFile(join(folder, 'broken.zip'), '');
    const { exitCode, stdout } = await prune('--keep', '2');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Removed: ${join(folder, 'manual-1.zip')}.`);
    expect(stdout).toContain(`Removed: ${join(folder, 'manual-2.zip')}.`);
    expect(stdout).toContain(`2 backups of ${database} removed from ${folder}, 2 kept.`);
    const left = ['application', 'broken', 'manual-3', 'manual-4', 'neighbour', 'safety'].map((name) => `${name}.zip`);
    expect(await archivesIn(folder)).toEqual(left);
    expect((await prune('--keep', '2')).stdout).toContain('0 backups');
    expect(await archivesIn(folder)).toEqual(left);
  });

  it('removes nothing if the newest of them is not whole', async () => {
    for (const day of [1, 2, 3]) await put(`manual-${day}.zip`, 'manual', day);
    const file = join(folder, 'manual-3.zip');
    const bytes = await readFile(file);
    // in the middle of the database
    bytes.fill(0, 5000, 5100);
    await writeFile(file, bytes);
    const { exitCode, stderr } = await prune('--keep', '1');
    expect(exitCode).toBe(30);
    expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(/newest backup, .*manual-3\.zip, is not whole: .*db\.sqlite/);
    expect(await readdir(folder)).toHaveLength(3);
  });

  it('does not count a file that cannot be read as the newest', async () => {
    for (const day of [1, 2, 3]) await put(`manual-${day}.zip`, 'manual', day);
    await truncate(join(folder, 'manual-3.zip'), 5000);
    expect((await prune('--keep', '1')).exitCode).toBe(0);
    expect(await archivesIn(folder)).toEqual(['manual-2.zip', 'manual-3.zip']);
  });

  it('refuses to run without a database', async () => {
    const { exitCode, stderr } = await run(['backup', 'prune', '--keep', '1'], { env });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('DATABASE_URL: is not set');
  });
});

describe('backup', () => {
  it.each([
    [
      [],
      'create [--output PATH|-] [--keep N] [--since TIME] | list | verify FILE|- [--prove [--trust-archive]] | schedule [--cron LINE] [--keep N] [--check] | prune --keep N.',
    ],
    [['make'], 'create [--output PATH|-]'],
    [['creat'], 'There is no "backup creat". Did you mean backup create?'],
    [['S3cret'], 'The word after backup is missing or unknown. There are: create, list,'],
    [['list', '--prove'], 'One of the options does not belong to this command'],
    [['create', 'x.zip'], 'create [--output PATH|-] [--keep N] [--since TIME].'],
    [['create', '--keep', 'x'], 'create [--output PATH|-] [--keep N] [--since TIME].'],
    [['list', '--keep', '1'], 'list.'],
    [['verify'], 'A file or a name is missing. Usage: db-init backup verify FILE|- [--prove [--trust-archive]].'],
    [['verify', 'a', 'b'], 'too many arguments'],
    [['prune'], 'prune --keep N.'],
    [['prune', '--keep', '0'], 'prune --keep N.'],
    [['list', '--nonsense'], 'Usage: db-init backup create [--output PATH|-]'],
  ])('%j is answered with the usage', async (given, text) => {
    const { exitCode, stderr } = await run(['backup', ...given], { env });
    expect(exitCode).toBe(2);
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain(text);
  });

  it('reports a failure with --json', async () => {
    const { exitCode, stdout } = await run(['backup', 'verify', join(folder, 'none.zip'), '--json'], { env });
    expect(exitCode).toBe(32);
    expect(JSON.parse(stdout)).toMatchObject({ exitCode: 32, problems: [{ kind: 'archive-rejected' }] });
  });

  it('shows no password in its messages', async () => {
    const url = 'postgresql://app:hunter2@127.0.0.1:1/app';
    const settings = { ...env, DATABASE_URL: url, TT_WAIT_TIMEOUT: '0' };
    for (const words of [['create'], ['list'], ['prune', '--keep', '1']]) {
      expect((await run(['backup', ...words], { env: settings })).all).not.toContain('hunter2');
    }
  });

  it('is verified before it gets its name, and reported with --json', async () => {
    const { url, ...rest } = await createSqliteDatabase();
    await fill({ url, ...rest });
    const { stdout } = await run(['backup', 'create'], { env: { ...env, DATABASE_URL: url, TT_LOG_FORMAT: 'json' } });
    const entries = stdout.split('\n').map((line): unknown => JSON.parse(line));
    const [name = ''] = await archivesIn(folder);
    expect(entries).toContainEqual(expect.objectContaining({ backup: join(folder, name), name: 'db-init' }));
  });
});
