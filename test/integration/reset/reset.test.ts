import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import pg from 'pg';
import Database from 'better-sqlite3';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseManifest } from '../../../src/archive/manifest.ts';
import { execute, createDatabase, withClient } from '../../support/database.ts';
import { state } from '../../support/fixtures.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { restoredDatabase } from '../../support/templates.ts';
import { run } from '../../support/run.ts';
import { snapshot } from '../../support/snapshot.ts';
import { describeBackups } from '../backup/backups.ts';
import { archivesIn, around, freshOne, reset, type ResetInstallation, installationOf, withoutTimes } from './resets.ts';

const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');

describeBackups('reset', ({ name: engine, create }) => {
  let fresh: string;
  beforeAll(async () => {
    fresh = await freshOne(engine);
  });
  let installation: ResetInstallation;
  beforeEach(async () => {
    installation = await installationOf(engine, 'v1.5.1');
  });
  const now = (): Promise<string> => snapshot(installation.database.url, { withoutSequences: true });

  it('leaves the same as the gate in an empty database, and a backup of the former data', async () => {
    const report = join(installation.backups, '../run.json');
    const { exitCode, stdout } = await reset(installation, [], {
      TT_REPORT_FILE: report,
      TT_BACKUP_BEFORE_MIGRATE: 'never',
    });
    expect(exitCode).toBe(0);
    expect(await withoutTimes(installation.database.url)).toBe(fresh);

    const [archive = ''] = await archivesIn(installation.backups);
    const path = join(installation.backups, archive);
    expect(stdout).toContain(`restore ${path}`);
    expect(stdout).toContain('the application inserts its default rows');
    const manifest = parseManifest(new AdmZip(path).readAsText('manifest.json'));
    expect(manifest).toMatchObject({ kind: 'safety', revisions: ['004'] });
    expect(manifest?.rows['users']).toBeGreaterThan(0);
    expect(JSON.parse(await readFile(report, 'utf8'))).toMatchObject({
      command: 'reset',
      exitCode: 0,
      before: { state: 'behind' },
      steps: [{ kind: 'backup', path }, { kind: 'deletion' }, { kind: 'revision' }],
      after: { state: 'current' },
      backup: path,
    });
  });

  it.each(['v4.8.7', 'v5.10.0'])('leaves the same for a database of %s', async (tag) => {
    const old = await installationOf(engine, tag);
    const { exitCode, stdout } = await reset(old, ['--no-backup']);
    expect(exitCode).toBe(0);
    expect(stdout).not.toContain('still there');
    expect(await withoutTimes(old.database.url)).toBe(fresh);
  });

  it('leaves the same for a seeded database', async () => {
    const env = { ...installation.env, FLASK_ENV: 'development' };
    expect((await run([], { env })).exitCode).toBe(0);
    expect((await run(['seed', '--users', '3', '--clients', '3'], { env })).exitCode).toBe(0);
    expect((await reset(installation, ['--no-backup'])).exitCode).toBe(0);
    expect(await withoutTimes(installation.database.url)).toBe(fresh);
  });

  it('requires the name of the database', async () => {
    const { env, name } = installation;
    const before = await now();
    const missing = await run(['reset'], { env });
    expect(missing.exitCode).toBe(2);
    expect(flat(missing.stderr)).toContain(`--yes-delete-all-data ${name}, or set TT_FORCE_RESET_DB=true`);
    const other = await run(['reset', '--yes-delete-all-data', 'another'], {
      env: { ...env, TT_FORCE_RESET_DB: 'true' },
    });
    expect(other.exitCode).toBe(2);
    expect(flat(other.stderr)).toContain(`says another, but the database is ${name}`);
    expect((await run(['reset', '--yes'], { env })).exitCode).toBe(2);
    expect(await now()).toBe(before);

    expect((await run(['reset'], { env: { ...env, TT_FORCE_RESET_DB: 'true' } })).exitCode).toBe(0);
    expect(await withoutTimes(installation.database.url)).toBe(fresh);
  });

  it('deletes nothing if no backup can be made, except with --no-backup', async () => {
    const before = await now();
    await writeFile(installation.backups, 'a file where the folder should be');
    const { exitCode, stderr } = await reset(installation);
    expect(exitCode).toBe(30);
    expect(stderr).toContain('No safety backup could be made');
    expect(await now()).toBe(before);
    expect((await reset(installation, ['--no-backup'])).exitCode).toBe(0);
    expect(await withoutTimes(installation.database.url)).toBe(fresh);
  });

  it("leaves tables that are not the application's, with their rows", async () => {
    await execute(installation.database, "CREATE TABLE notes (note text); INSERT INTO notes VALUES ('kept')");
    const { exitCode, stdout } = await reset(installation);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("Not deleted, because it is not TimeTracker's: notes.");
    expect(await snapshot(installation.database.url)).toContain('kept');
    await execute(installation.database, 'DROP TABLE notes');
    expect(await withoutTimes(installation.database.url)).toBe(fresh);
  });

  it('deletes nothing while another object refers to it', async () => {
    await execute(installation.database, 'CREATE TABLE shelves (id integer, user_id integer REFERENCES users (id))');
    const before = await now();
    const { exitCode, stderr } = await reset(installation);
    expect(exitCode).toBe(2);
    expect(flat(stderr)).toContain("Objects that are not TimeTracker's prevent the reset");
    expect(flat(stderr)).toMatch(/- .*shelves/);
    expect(flat(stderr)).toContain('quarantine create --all --yes');
    expect(await now()).toBe(before);
    expect(await archivesIn(installation.backups).catch(() => [])).toEqual([]);
  });

  it('deletes nothing if a view has the name of a table', async () => {
    await execute(installation.database, 'CREATE VIEW time_off_requests AS SELECT 1 AS id');
    const before = await now();
    const { exitCode, stderr } = await reset(installation);
    expect(exitCode).toBe(2);
    expect(flat(stderr)).toContain('- view time_off_requests has the name of a table');
    expect(await now()).toBe(before);
  });

  it("deletes nothing if tables only have the names of TimeTracker's", async () => {
    const other = await around(await create());
    await execute(
      other.database,
      `CREATE TABLE schema_migrations (version text); CREATE TABLE wikis (id integer);
       CREATE TABLE users (id integer, login text); INSERT INTO users VALUES (1, 'somebody');
       CREATE TABLE projects (id integer); CREATE TABLE time_entries (id integer); CREATE TABLE settings (id integer)`,
    );
    const unlike = async (): Promise<void> => {
      const before = await snapshot(other.database.url);
      const { exitCode, stderr } = await reset(other, ['--no-backup']);
      expect(exitCode).toBe(15);
      expect(flat(stderr)).toContain("Nothing shows that this is TimeTracker's database");
      expect(flat(stderr)).toContain('(users, projects, time_entries, settings');
      expect(flat(stderr)).toContain('quarantine create --all --yes');
      expect((await run(['gate'], { env: other.env })).stderr).not.toContain('db-init reset');
      expect(await snapshot(other.database.url)).toBe(before);
    };
    await unlike();
    await execute(other.database, 'CREATE TABLE clients (id integer)');
    await unlike();
    await execute(
      other.database,
      `DROP TABLE schema_migrations; DROP TABLE clients; CREATE TABLE alembic_version (version_num text);
       INSERT INTO alembic_version VALUES ('8a1f0c')`,
    );
    await unlike();
  });

  it('does the same as the gate in an empty database', async () => {
    const empty = await around(await create());
    expect((await reset(empty, [], { TT_REQUIRE_EXISTING: 'true' })).exitCode).toBe(16);
    const { exitCode, stdout } = await reset(empty);
    expect(exitCode).toBe(0);
    expect(stdout).not.toContain('DELETES');
    expect(await withoutTimes(empty.database.url)).toBe(fresh);
  });

  it('does not touch databases that a restore has kept', async () => {
    await mkdir(join(installation.backups, '.db-init'), { recursive: true });
    await writeFile(join(installation.backups, '.db-init', 'restore.json'), '{}');
    const before = await now();
    expect((await reset(installation)).exitCode).toBe(31);
    expect(await now()).toBe(before);
  });
});

describePostgres('reset in each state', () => {
  const inState = async (name: string): Promise<ResetInstallation> => {
    const database = await restoredDatabase(state(name));
    return around(database);
  };

  it.each(['drifted', 'half-core', 'unknown-revision', 'unversioned-019'])('starts over: %s', async (name) => {
    const { exitCode, all } = await reset(await inState(name), ['--no-backup']);
    expect(exitCode, all).toBe(0);
  });

  it.each([
    ['polluted', 10],
    ['partial', 11],
    ['partial-with-tables', 11],
  ])('refuses a database of an unknown owner: %s', async (name, code) => {
    const installation = await inState(name);
    const before = await snapshot(installation.database.url);
    expect((await reset(installation)).exitCode).toBe(code);
    expect(await snapshot(installation.database.url)).toBe(before);
  });

  it('refuses the database of another application', async () => {
    const installation = await around(await createDatabase());
    await execute(
      installation.database,
      'CREATE TABLE django_migrations (id integer); CREATE TABLE books (id integer)',
    );
    expect((await reset(installation)).exitCode).toBe(15);
  });
});

describePostgres('reset on PostgreSQL', () => {
  let installation: ResetInstallation;
  beforeEach(async () => {
    installation = await installationOf('postgresql', 'v1.5.1');
  });

  it('deletes types and sequences that belong to no table', async () => {
    await execute(
      installation.database,
      `ALTER TABLE time_entries ALTER COLUMN id DROP DEFAULT; ALTER SEQUENCE time_entries_id_seq OWNED BY NONE;
       CREATE TYPE approvalstatus AS ENUM ('other'); CREATE TYPE mood AS ENUM ('fine')`,
    );
    const { exitCode, all } = await reset(installation, ['--no-backup']);
    expect(exitCode, all).toBe(0);
    await execute(installation.database, 'DROP TYPE mood');
    expect(await withoutTimes(installation.database.url)).toBe(await freshOne('postgresql'));
  });

  it('names every object that depends on a table: views, functions, other schemas', async () => {
    await execute(
      installation.database,
      `CREATE SCHEMA reports; CREATE VIEW reports.hours AS SELECT * FROM time_entries;
       CREATE FUNCTION who(users) RETURNS text LANGUAGE sql AS $$ SELECT 'x'::text $$`,
    );
    const before = await snapshot(installation.database.url);
    const { exitCode, stderr } = await reset(installation);
    expect(exitCode).toBe(2);
    expect(flat(stderr)).toContain('- view reports.hours depends on table time_entries');
    expect(flat(stderr)).toContain('- function who(users) depends on type users');
    expect(await snapshot(installation.database.url)).toBe(before);
  });

  it('leaves a quarantine alone', async () => {
    await execute(
      installation.database,
      'CREATE SCHEMA tt_quarantine_20260101t000000; CREATE TABLE tt_quarantine_20260101t000000.users (id integer)',
    );
    expect((await reset(installation, ['--no-backup'])).exitCode).toBe(0);
    await execute(installation.database, 'SELECT id FROM tt_quarantine_20260101t000000.users');
  });

  it('refuses while other sessions are connected, except with --disconnect', async () => {
    const before = await snapshot(installation.database.url);
    const other = new pg.Client({ connectionString: installation.database.url, application_name: 'the application' });
    const errors: Error[] = [];
    const ended = new Promise<void>((resolve) => void other.on('end', () => resolve()));
    other.on('error', (error) => errors.push(error));
    await other.connect();
    await other.query('BEGIN; LOCK TABLE users IN ROW EXCLUSIVE MODE');
    const refused = await reset(installation);
    expect(refused.exitCode).toBe(2);
    expect(flat(refused.stderr)).toContain('the application');
    expect(flat(refused.stderr)).toContain('reset --disconnect');
    expect(await snapshot(installation.database.url)).toBe(before);

    expect((await reset(installation, ['--no-backup', '--disconnect'])).exitCode).toBe(0);
    await ended;
    expect(errors.join()).toContain('terminat');
  });

  it('names the sessions that it may not end, and who may', async () => {
    const role = `role_${installation.database.name}`;
    await execute(
      installation.database,
      `CREATE ROLE ${role} LOGIN PASSWORD 'pw'; DO $$ DECLARE t record; BEGIN
      FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('ALTER TABLE public.%I OWNER TO ${role}', t.relname); END LOOP; END $$;
      ALTER SCHEMA public OWNER TO ${role}`,
    );
    const url = new URL(installation.database.url);
    url.username = role;
    url.password = 'pw';
    await withClient(installation.database.url, async (client) => {
      await client.query("SET application_name TO 'a superuser'");
      const { exitCode, stderr } = await reset(installation, ['--disconnect', '--no-backup'], {
        DATABASE_URL: url.href,
      });
      expect(exitCode).toBe(4);
      expect(flat(stderr)).toMatch(/end the sessions of others: .*a superuser/);
      expect(stderr).toContain('SELECT pg_terminate_backend(');
    });
    await execute(
      installation.database,
      `REASSIGN OWNED BY ${role} TO CURRENT_USER; DROP OWNED BY ${role}; DROP ROLE ${role}`,
    );
  });
});

describe('reset on SQLite', () => {
  let installation: ResetInstallation;
  beforeEach(async () => {
    installation = await installationOf('sqlite', 'v1.5.1');
  });

  it.each(['delete', 'wal'])('refuses while other programs use the file (%s)', async (mode) => {
    const other = new Database(installation.database.name);
    other.pragma(`journal_mode = ${mode}`);
    other.exec('BEGIN IMMEDIATE');
    other.prepare('UPDATE users SET username = username').run();
    const { exitCode, stderr } = await reset(installation, ['--disconnect']);
    other.exec('ROLLBACK');
    other.close();
    expect(exitCode).toBe(2);
    expect(flat(stderr)).toContain('db-init cannot end the other program');
    expect((await reset(installation)).exitCode).toBe(0);
  });

  it('works on a file with a write-ahead log, and deletes the rest of an interrupted upgrade', async () => {
    await execute(installation.database, 'PRAGMA journal_mode = wal; CREATE TABLE _alembic_tmp_users (id integer)');
    expect((await reset(installation)).exitCode).toBe(0);
    expect(await withoutTimes(installation.database.url)).toBe(await freshOne('sqlite'));
  });
});
