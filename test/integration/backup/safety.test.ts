import type { ArchiveKind } from '../../../src/model/archive.ts';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import AdmZip from 'adm-zip';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseManifest, renderManifest } from '../../../src/archive/manifest.ts';
import { createArchive } from '../../../src/archive/writer.ts';
import { createDatabase, type TestDatabase, withClient } from '../../support/database.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { run, start } from '../../support/run.ts';
import { snapshot } from '../../support/snapshot.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import {
  archivesIn,
  describeBackups,
  execute,
  fill,
  makeBackupSlow,
  manifestOf,
  partialIn,
  restoreDump,
  revisions,
  spoken,
} from './backups.ts';

describeBackups('a safety backup', ({ name: engine, create }) => {
  let database: TestDatabase;
  let folder: string;
  let env: Record<string, string>;
  beforeEach(async () => {
    database = await create();
    folder = join(await temporaryDirectory(), 'backups');
    env = { DATABASE_URL: database.url, BACKUP_FOLDER: folder };
  });
  afterEach(() => database.drop());

  it('holds the database from before the migration, and restores it', async () => {
    await fill(database);
    const before = await snapshot(database.url);
    const { exitCode, stdout } = await run([], { env });
    expect(exitCode).toBe(0);

    const [archive = ''] = await archivesIn(folder);
    expect(archive).toMatch(/^timetracker_backup_\d{8}_\d{6}\.zip$/);
    expect(stdout).toContain(`Safety backup: ${join(folder, archive)}`);
    expect((await stat(join(folder, archive))).mode & 0o777).toBe(0o600);

    const zip = new AdmZip(join(folder, archive));
    const member = engine === 'sqlite' ? 'db.sqlite' : 'db.dump';
    expect(zip.getEntries().map(({ entryName }) => entryName)).toEqual([member, 'settings.json', 'manifest.json']);
    const content = zip.readFile(member) ?? Buffer.alloc(0);
    const manifest = parseManifest(zip.readAsText('manifest.json'));
    expect(manifest).toMatchObject({ engine, kind: 'safety', revisions, uploads: [] });
    expect(manifest?.entries[member]).toEqual({
      size: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
    });

    const restored = await create();
    if (engine === 'sqlite') await writeFile(restored.name, content);
    else await restoreDump(restored, content);
    expect(await snapshot(restored.url)).toBe(before);
    expect(manifest?.rows['users']).toBe(await countUsers(restored));
  });

  it('is made by a start if the newest backup is older than TT_BACKUP_MAX_AGE', async () => {
    await fill(database);
    await run([], { env: { ...env, TT_BACKUP_BEFORE_MIGRATE: 'never' } });
    const dated = { ...env, TT_BACKUP_MAX_AGE: '24' };
    const first = await run([], { env: dated });
    expect(first.exitCode, first.all).toBe(0);
    expect(first.stdout).toContain('There is no backup yet');
    const [fresh = 'none', ...others] = await archivesIn(folder);
    expect(others).toEqual([]);
    const again = await run([], { env: dated });
    expect(again.stdout).not.toContain('backup');
    const told = await run(['backup', 'list'], { env });
    expect(told.stdout).toMatch(/^Last backup .* found whole: \d+ minutes? ago \(.*, safety\)\.$/m);

    // a backup with a time in the future is not trusted
    await rm(join(folder, fresh));
    const days = Math.round(Date.now() / 86_400_000 - Date.UTC(2020, 0) / 86_400_000) + 1;
    for (const day of [1, days + 2]) {
      const old = createArchive(join(folder, `old-${day}.zip`));
      await old.addText('manifest.json', renderManifest(manifestOf('manual', spoken(database), day)));
      await old.finish();
    }
    const status = await run(['status', '--json'], { env });
    expect(JSON.parse(status.stdout)).toMatchObject({ lastBackup: { file: 'old-1.zip', kind: 'manual' } });
    expect((await run(['status'], { env })).stdout).toMatch(
      /^backup: +old-1\.zip, \d+ days ago \(2020-01-01 .*, manual\)$/m,
    );
    expect((await run([], { env: dated })).stdout).toContain('TT_BACKUP_MAX_AGE allows 24 hours');
    expect(await archivesIn(folder)).toHaveLength(3);

    const nowhere = await run([], { env: { ...dated, BACKUP_FOLDER: '/proc/nowhere/backups' } });
    expect(nowhere.exitCode).toBe(0);
    expect(nowhere.all).toContain('WARNING: No backup was made, although TT_BACKUP_MAX_AGE wants one');
  });

  it('shows the settings without their secrets, and without values that are too large', async () => {
    await fill(database);
    await execute(database, `UPDATE settings SET mail_password = 'hunter2', jira_client_secret = NULL`);
    const large =
      engine === 'sqlite'
        ? 'hex(randomblob(100000))'
        : "(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 7000) AS i)";
    await execute(database, `UPDATE settings SET company_address = ${large}`);
    await run([], { env });
    const [archive = ''] = await archivesIn(folder);
    const text = new AdmZip(join(folder, archive)).readAsText('settings.json');
    expect(text).not.toContain('hunter2');
    expect(JSON.parse(text)).toMatchObject({ mail_password_set: true, jira_client_secret_set: false });
    expect(JSON.parse(text)).toHaveProperty('company_name');
    expect(JSON.parse(text)).toMatchObject({ company_address: '(too large to be shown)' });
  });

  it('is not made for an empty database, if it is switched off, or if there is nothing to do', async () => {
    await mkdir(folder);
    expect((await run([], { env: { ...env, TT_BACKUP_BEFORE_MIGRATE: 'always' } })).exitCode).toBe(0);
    expect((await run([], { env: { ...env, TT_BACKUP_BEFORE_MIGRATE: 'always' } })).stdout).toContain('nothing to do');
    const other = await create();
    await fill(other);
    const never = { ...env, DATABASE_URL: other.url, TT_BACKUP_BEFORE_MIGRATE: 'never' };
    expect((await run([], { env: never })).exitCode).toBe(0);
    expect(await archivesIn(folder)).toEqual([]);
  });

  it('is also made before a database is stamped by hand', async () => {
    await fill(database);
    await execute(database, 'DROP TABLE alembic_version');
    const report = join(await temporaryDirectory(), 'run.json');
    expect((await run(['adopt'], { env: { ...env, TT_REPORT_FILE: report } })).exitCode).toBe(0);
    const [archive = ''] = await archivesIn(folder);
    const zip = new AdmZip(join(folder, archive));
    expect(parseManifest(zip.readAsText('manifest.json'))).toMatchObject({ kind: 'safety', revisions: [] });
    expect(JSON.parse(await readFile(report, 'utf8'))).toMatchObject({
      command: 'adopt',
      before: { state: 'unversioned' },
      steps: [{ kind: 'backup', path: join(folder, archive) }, { kind: 'adoption' }],
      backup: join(folder, archive),
    });
  });

  it('is a warning if it cannot be made', async () => {
    await fill(database);
    const file = join(await temporaryDirectory(), 'file');
    await writeFile(file, '');
    const { exitCode, stdout } = await run([], { env: { ...env, BACKUP_FOLDER: join(file, 'backups') } });
    expect(stdout).toContain('WARNING: No safety backup was made: The backup folder');
    expect(stdout).toContain('The database is healthy and current');
    expect(exitCode).toBe(0);
  });

  it.each(['auto', 'always'])('is not made in a folder without a volume (%s)', async (mode) => {
    await fill(database);
    const before = await snapshot(database.url);
    const nowhere = '/no volume is mounted here/backups';
    const { exitCode, stdout, stderr } = await run([], {
      env: { ...env, BACKUP_FOLDER: nowhere, TT_BACKUP_BEFORE_MIGRATE: mode },
    });
    expect(exitCode).toBe(mode === 'auto' ? 0 : 30);
    expect(mode === 'auto' ? stdout : stderr).toMatch(/cannot be\s+used:\s+it\s+is\s+not\s+there/);
    expect((await snapshot(database.url)) === before).toBe(mode === 'always');
  });

  it('stops the run with nothing changed if it is required and cannot be made', async () => {
    await fill(database);
    const before = await snapshot(database.url);
    await writeFile(folder, 'a file where the folder should be');
    const { exitCode, stderr } = await run([], { env: { ...env, TT_BACKUP_BEFORE_MIGRATE: 'always' } });
    expect(exitCode).toBe(30);
    expect(stderr).toContain('No backup could be made');
    expect(stderr).toContain('Safe: nothing was changed in the database.');
    expect(await snapshot(database.url)).toBe(before);
  });

  it('is named in the banner of a later failure', async () => {
    await fill(database);
    await execute(database, 'CREATE VIEW time_off_requests AS SELECT 1 AS id');
    const before = await snapshot(database.url, { withoutSequences: true });
    const { exitCode, stderr } = await run([], { env });
    const [archive = ''] = await archivesIn(folder);
    expect(exitCode).toBe(20);
    expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(
      new RegExp(`rolled back: the database is exactly as it was\\. .* safety backup ${join(folder, archive)}`),
    );
    expect(await snapshot(database.url, { withoutSequences: true })).toBe(before);
  });

  it('replaces the oldest of five, and no other file', async () => {
    await mkdir(folder);
    await fill(database);
    const name = spoken(database);
    const write = async (file: string, kind: ArchiveKind, of: string, day: number): Promise<void> => {
      const zip = new AdmZip();
      zip.addFile('manifest.json', Buffer.from(renderManifest(manifestOf(kind, of, day))));
      await zip.writeZipPromise(join(folder, file));
    };
    for (const day of [1, 2, 3, 4, 5, 6]) await write(`safety-${day}.zip`, 'safety', name, day);
    await write('manual.zip', 'manual', name, 1);
    await write('neighbour.zip', 'safety', 'another database', 1);
    await writeFile(join(folder, 'timetracker_backup_20200101_000000.zip'), 'damaged');

    const { stdout } = await run([], { env });
    const made = (await archivesIn(folder)).findLast((file) => file.startsWith('timetracker_backup_')) ?? '';
    expect(await archivesIn(folder)).toEqual([
      'manual.zip',
      'neighbour.zip',
      'safety-3.zip',
      'safety-4.zip',
      'safety-5.zip',
      'safety-6.zip',
      'timetracker_backup_20200101_000000.zip',
      made,
    ]);
    expect(stdout).toContain(`Removed an older safety backup: ${join(folder, 'safety-1.zip')}.`);
  });

  it('is not made again while the database is unchanged, and is kept until the next change has succeeded', async () => {
    await mkdir(folder);
    await fill(database);
    await execute(database, 'CREATE VIEW time_off_requests AS SELECT 1 AS id');
    for (let attempt = 1; attempt <= 3; attempt++) {
      const { exitCode, all } = await run([], { env });
      expect(exitCode, all).toBe(20);
      expect(await archivesIn(folder), all).toHaveLength(1);
    }
    await execute(database, 'DROP VIEW time_off_requests');
    const migrated = await run([], { env });
    expect(migrated.exitCode, migrated.all).toBe(0);
    const saved = basename(/Safety backup: (\S+\.zip)/.exec(migrated.stdout)?.[1] ?? '');

    // newer backups of an unhealthy database replace the others, but not this one
    for (const day of [1, 2, 3, 4, 5, 6]) {
      const zip = new AdmZip();
      const createdAt = new Date(Date.now() + day * 1000);
      zip.addFile(
        'manifest.json',
        Buffer.from(renderManifest({ ...manifestOf('safety', spoken(database), 1), createdAt })),
      );
      await zip.writeZipPromise(join(folder, `safety-${day}.zip`));
    }
    await execute(database, 'DROP INDEX idx_time_entries_user_id');
    const mended = await run([], { env });
    expect(mended.exitCode, mended.all).toBe(0);
    expect(await archivesIn(folder), mended.all).toContain(saved);
    expect(await archivesIn(folder)).toHaveLength(6);
    expect(parseManifest(new AdmZip(join(folder, saved)).readAsText('manifest.json'))).toMatchObject({ healthy: true });
  });

  it('leaves only files that the next one removes if it was killed', async () => {
    await mkdir(folder);
    await fill(database);
    const before = await makeBackupSlow(database);
    const gate = start([], { env: { ...env, TT_MIGRATION_LOCK_TIMEOUT: '60' } });
    await partialIn(folder, gate);
    gate.kill('SIGKILL');
    await gate;
    await before.release();
    const left = await readdir(folder);
    expect(left.filter((name) => !name.includes('.partial'))).toEqual([]);
    expect(left.length).toBeGreaterThan(0);
    expect(await snapshot(database.url)).toBe(before.snapshot);

    expect((await run([], { env })).exitCode).toBe(0);
    const names = (await readdir(folder)).filter((name) => name !== '.db-init');
    expect(names).toEqual([expect.stringMatching(/^timetracker_backup_\d{8}_\d{6}\.zip$/)]);
  });
});

describePostgres(
  'a running safety backup',
  () => {
    it('is removed at SIGTERM, with nothing changed', async () => {
      const database = await createDatabase();
      await fill(database);
      const folder = await temporaryDirectory();
      const held = await makeBackupSlow(database);
      const env = { DATABASE_URL: database.url, BACKUP_FOLDER: folder, TT_MIGRATION_LOCK_TIMEOUT: '60' };
      const gate = start([], { env });
      await partialIn(folder, gate);
      gate.kill('SIGTERM');
      expect((await gate).exitCode).toBe(143);
      await held.release();
      expect(await readdir(folder)).toEqual([]);
      expect(await snapshot(database.url)).toBe(held.snapshot);
    });

    it('waits for a locked table no longer than a migration does', async () => {
      const database = await createDatabase();
      await fill(database);
      const folder = await temporaryDirectory();
      const held = await makeBackupSlow(database);
      const env = { DATABASE_URL: database.url, BACKUP_FOLDER: folder, TT_MIGRATION_LOCK_TIMEOUT: '1' };
      const { exitCode, stderr } = await run([], { env: { ...env, TT_BACKUP_BEFORE_MIGRATE: 'always' } });
      await held.release();
      expect(exitCode).toBe(30);
      expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(/pg_dump: error: .* timeout .* LOCK TABLE other\.locked/);
      expect(await readdir(folder)).toEqual([]);
    });
  },
  'tools',
);

async function countUsers({ engine, url, name }: TestDatabase): Promise<number> {
  const sql = 'SELECT count(*) AS users FROM users';
  if (engine === 'sqlite') {
    const file = new Database(name, { readonly: true });
    return Number(file.prepare(sql).pluck().get());
  }
  return withClient(url, async (client) => Number((await client.query<{ users: string }>(sql)).rows[0]?.users));
}
