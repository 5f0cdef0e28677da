import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import Database from 'better-sqlite3';
import { execa } from 'execa';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ArchiveKind, type Manifest, parseManifest, renderManifest } from '../../../src/archive/manifest.ts';
import { createDatabase, createSqliteDatabase, type TestDatabase, withClient } from '../../support/database.ts';
import { release, sqliteFile } from '../../support/fixtures.ts';
import { describePostgres, requirePostgres } from '../../support/postgres-server.ts';
import { restoreSql } from '../../support/restore-sql.ts';
import { run, start } from '../../support/run.ts';
import { eventually } from '../../support/seen.ts';
import { snapshot } from '../../support/snapshot.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const tag = 'v4.20.0';
const revisions = ['118_add_role_hidden_module_ids', '128_add_invoices_zugferd_pdf'];

async function fill({ engine, url, name }: TestDatabase): Promise<void> {
  if (engine === 'postgresql') await restoreSql(url, release('pg', tag, 'before.sql.gz'));
  else await copyFile(await sqliteFile(release('sqlite', tag, 'before.db.gz')), name);
}

/** Runs SQL in a database of either engine. */
async function execute({ engine, url, name }: TestDatabase, sql: string): Promise<void> {
  if (engine === 'postgresql') return void (await withClient(url, (client) => client.query(sql)));
  const file = new Database(name);
  file.exec(sql);
  file.close();
}

/** A server and the tools that go with it are needed on PostgreSQL. */
function describeBackups(
  title: string,
  spec: (engine: { readonly name: TestDatabase['engine']; readonly create: () => Promise<TestDatabase> }) => void,
): void {
  describe(`${title} (sqlite)`, () => spec({ name: 'sqlite', create: createSqliteDatabase }));
  describePostgres(`${title} (postgresql)`, () => spec({ name: 'postgresql', create: createDatabase }), 'tools');
}

const archivesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith('.zip')).toSorted();

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

  it('holds the database as it was before the migration, and comes back as that', async () => {
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
    expect(manifest?.members[member]).toEqual({
      size: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
    });

    const restored = await create();
    if (engine === 'sqlite') await writeFile(restored.name, content);
    else await restoreDump(restored, content);
    expect(await snapshot(restored.url)).toBe(before);
    expect(manifest?.rows['users']).toBe(await countUsers(restored));
  });

  it('shows the settings without their secrets', async () => {
    await fill(database);
    await execute(database, `UPDATE settings SET mail_password = 'hunter2', jira_client_secret = NULL`);
    await run([], { env });
    const [archive = ''] = await archivesIn(folder);
    const text = new AdmZip(join(folder, archive)).readAsText('settings.json');
    expect(text).not.toContain('hunter2');
    expect(JSON.parse(text)).toMatchObject({ mail_password_set: true, jira_client_secret_set: false });
    expect(JSON.parse(text)).toHaveProperty('company_name');
  });

  it('is not made of an empty database, nor where it is not wanted, nor where nothing is to be done', async () => {
    await mkdir(folder);
    expect((await run([], { env: { ...env, TT_BACKUP_BEFORE_MIGRATE: 'always' } })).exitCode).toBe(0);
    expect((await run([], { env: { ...env, TT_BACKUP_BEFORE_MIGRATE: 'always' } })).stdout).toContain('nothing to do');
    const other = await create();
    await fill(other);
    const never = { ...env, DATABASE_URL: other.url, TT_BACKUP_BEFORE_MIGRATE: 'never' };
    expect((await run([], { env: never })).exitCode).toBe(0);
    expect(await archivesIn(folder)).toEqual([]);
  });

  it('is made before a database is stamped by hand, too', async () => {
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

  it('that cannot be made is a warning', async () => {
    await fill(database);
    const file = join(await temporaryDirectory(), 'file');
    await writeFile(file, '');
    const { exitCode, stdout } = await run([], { env: { ...env, BACKUP_FOLDER: join(file, 'backups') } });
    expect(stdout).toContain('WARNING: No safety backup was made: The backup folder');
    expect(stdout).toContain('The database is healthy and current');
    expect(exitCode).toBe(0);
  });

  it.each(['auto', 'always'])('is not made in a place where no volume is mounted (%s)', async (mode) => {
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

  it('that must be made and cannot stops the run with nothing changed', async () => {
    await fill(database);
    const before = await snapshot(database.url);
    await writeFile(folder, 'a file where the folder should be');
    const { exitCode, stderr } = await run([], { env: { ...env, TT_BACKUP_BEFORE_MIGRATE: 'always' } });
    expect(exitCode).toBe(30);
    expect(stderr).toContain('No backup could be made');
    expect(stderr).toContain('Safe: nothing was changed in the database.');
    expect(await snapshot(database.url)).toBe(before);
  });

  it('is named in the banner of a failure that comes later', async () => {
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

  it('takes the place of the oldest of five, and of nothing else', async () => {
    await mkdir(folder);
    await fill(database);
    const name = engine === 'sqlite' ? database.name : `${database.name} on ${hostAndPort()}`;
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

  it('that was killed leaves only what the next one clears away', async () => {
    await mkdir(folder);
    await fill(database);
    const before = await hold(database);
    const gate = start([], { env: { ...env, TT_MIGRATION_LOCK_TIMEOUT: '60' } });
    await partialIn(folder, gate);
    gate.kill('SIGKILL');
    await gate;
    await before.letGo();
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
  'a safety backup on the way',
  () => {
    it('is taken away by SIGTERM, with nothing changed', async () => {
      const database = await createDatabase();
      await fill(database);
      const folder = await temporaryDirectory();
      const held = await hold(database);
      const env = { DATABASE_URL: database.url, BACKUP_FOLDER: folder, TT_MIGRATION_LOCK_TIMEOUT: '60' };
      const gate = start([], { env });
      await partialIn(folder, gate);
      gate.kill('SIGTERM');
      expect((await gate).exitCode).toBe(143);
      await held.letGo();
      expect(await readdir(folder)).toEqual([]);
      expect(await snapshot(database.url)).toBe(held.snapshot);
    });

    it('waits no longer for a locked table than a migration does', async () => {
      const database = await createDatabase();
      await fill(database);
      const folder = await temporaryDirectory();
      const held = await hold(database);
      const env = { DATABASE_URL: database.url, BACKUP_FOLDER: folder, TT_MIGRATION_LOCK_TIMEOUT: '1' };
      const { exitCode, stderr } = await run([], { env: { ...env, TT_BACKUP_BEFORE_MIGRATE: 'always' } });
      await held.letGo();
      expect(exitCode).toBe(30);
      expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(/pg_dump: error: .* timeout .* LOCK TABLE other\.locked/);
      expect(await readdir(folder)).toEqual([]);
    });
  },
  'tools',
);

/** Makes a backup of the database take long: a table that is locked on PostgreSQL, a large one on SQLite. */
async function hold(database: TestDatabase): Promise<{ snapshot: string; letGo: () => Promise<unknown> }> {
  if (database.engine === 'sqlite') {
    await execute(
      database,
      `CREATE TABLE ballast AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)
         SELECT i, hex(randomblob(300000)) AS bytes FROM n`,
    );
    return { snapshot: await snapshot(database.url), letGo: async () => undefined };
  }
  // outside of what the gate looks at, which must not wait for it
  await execute(database, 'CREATE SCHEMA other; CREATE TABLE other.locked (id int)');
  const before = await snapshot(database.url);
  const client = new pg.Client({ connectionString: database.url });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('BEGIN; LOCK TABLE other.locked IN ACCESS EXCLUSIVE MODE');
  return { snapshot: before, letGo: () => client.end() };
}

/** Waits until a run has begun to write an archive. */
async function partialIn(folder: string, gate: ReturnType<typeof start>): Promise<void> {
  let ended = false;
  void gate.then(() => (ended = true));
  await eventually(async () => ended || (await readdir(folder)).some((name) => name.endsWith('.partial')));
  if (ended) throw new Error(`the run was over: ${(await gate).all}`);
}

function hostAndPort(): string {
  const { hostname, port } = new URL(requirePostgres().url);
  return `${hostname}:${port || '5432'}`;
}

function manifestOf(kind: ArchiveKind, database: string, day: number): Manifest {
  return {
    engine: 'sqlite',
    kind,
    createdAt: new Date(2020, 0, day),
    version: '0',
    database,
    server: 's',
    tool: 't',
    revisions: [],
    rows: {},
    members: {},
    uploads: [],
  };
}

async function restoreDump({ url }: TestDatabase, dump: Buffer): Promise<void> {
  const { binDirectory } = requirePostgres();
  await execa(join(binDirectory ?? '', 'pg_restore'), ['--exit-on-error', '--dbname', url], { input: dump });
}

async function countUsers({ engine, url, name }: TestDatabase): Promise<number> {
  const sql = 'SELECT count(*) AS users FROM users';
  if (engine === 'sqlite') {
    const file = new Database(name, { readonly: true });
    return Number(file.prepare(sql).pluck().get());
  }
  return withClient(url, async (client) => Number((await client.query<{ users: string }>(sql)).rows[0]?.users));
}
