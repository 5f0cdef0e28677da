import { join } from 'node:path';
import Database from 'better-sqlite3';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { execute, withClient } from '../../support/database.ts';
import { requirePostgres } from '../../support/postgres-server.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { applicationArchive } from './crafted.ts';
import {
  ask,
  copyDatabase,
  currentArchive,
  describeRestores,
  type EngineName,
  everything,
  install,
  type Installation,
  madeByHand,
} from './restores.ts';

const objects = {
  sqlite: [
    "CREATE TRIGGER promote AFTER INSERT ON users BEGIN UPDATE users SET role = 'admin' WHERE id = new.id; END",
    'CREATE VIEW everybody AS SELECT username FROM users',
    'CREATE INDEX by_lower_name ON users (lower(username))',
    'CREATE VIRTUAL TABLE notes USING fts5 (body)',
    'CREATE TABLE doubled (a INTEGER, b INTEGER GENERATED ALWAYS AS (abs(a)) STORED)',
    'CREATE TABLE checked (a INTEGER CHECK ("abs"(a) > 1))',
    'CREATE TABLE dated (a TEXT DEFAULT (hex(randomblob(4))))',
  ],
  postgresql: [
    `CREATE FUNCTION promote() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.role := 'admin'; RETURN new; END $$`,
    'CREATE VIEW everybody AS SELECT username FROM users',
    'CREATE INDEX by_lower_name ON users (lower(username))',
    'CREATE TABLE doubled (a int, b int GENERATED ALWAYS AS (abs(a)) STORED)',
    'CREATE TABLE checked (a int CHECK (abs(a) > 1))',
    'CREATE TABLE dated (a text DEFAULT md5(random()::text))',
  ],
} as const;

/** A healthy database with more objects in it, as an archive of the application. */
async function archiveWith(engine: EngineName, sql: readonly string[]): Promise<string> {
  const healthy = await madeByHand(currentArchive(engine));
  if (engine === 'sqlite') {
    const file = join(await temporaryDirectory(), 'database');
    await copyDatabase(healthy, { ...healthy, name: file });
    const database = new Database(file);
    for (const statement of sql) database.exec(statement);
    const bytes = database.serialize();
    database.close();
    return applicationArchive(engine, bytes, '171_merge_kanban_feature_heads');
  }
  await withClient(healthy.url, async (client) => {
    for (const statement of sql) await client.query(statement);
  });
  const { binDirectory } = requirePostgres();
  const { stdout } = await execa(join(binDirectory ?? '', 'pg_dump'), ['--format=custom', '--dbname', healthy.url], {
    encoding: 'buffer',
  });
  return applicationArchive(engine, Buffer.from(stdout), '171_merge_kanban_feature_heads');
}

describeRestores('an archive with objects that TimeTracker does not make', (engine) => {
  it('is refused with the name of each, changes nothing, and is loaded completely with --trust-archive', async () => {
    const place: Installation = await install(engine);
    await place.must('gate');
    const archive = await archiveWith(engine, objects[engine]);
    const before = await everything(place);
    for (const args of [
      ['restore', archive, '--dry-run'],
      ['restore', archive, '--yes'],
      ['backup', 'verify', archive, '--prove'],
    ]) {
      const { exitCode, stderr, all } = await place.run(...args);
      expect(exitCode, all).toBe(32);
      for (const name of objects[engine].map(
        (sql) => / (promote|everybody|by_lower_name|notes|doubled|checked|dated)\b/.exec(sql)?.[1] ?? '',
      )) {
        expect(stderr).toContain(name);
      }
      expect(stderr).toContain('Safe: nothing was changed');
      expect(stderr).toContain('--trust-archive');
      expect(await everything(place)).toEqual(before);
    }
    // the archive is intact: its objects are named, and none of it was run
    const { exitCode: whole, stdout } = await place.run('backup', 'verify', archive);
    expect({ whole, stdout }).toMatchObject({ whole: 0, stdout: expect.stringContaining('objects:   ') });
    for (const name of ['everybody', 'by_lower_name', 'doubled', 'checked', 'dated']) expect(stdout).toContain(name);
    const clean = await place.run('backup', 'verify', currentArchive(engine));
    expect(clean.stdout).not.toContain('objects:');
    const trusted = await place.run('restore', archive, '--trust-archive', '--yes');
    expect(trusted.exitCode, trusted.all).toBe(0);
    expect(await ask(place.database, 'SELECT count(*) > 0 FROM everybody')).toEqual([engine === 'sqlite' ? 1 : true]);
  });

  it('is accepted if they are plain tables and indexes', async () => {
    const place = await install(engine);
    await place.must('gate');
    const archive = await archiveWith(engine, [
      "CREATE TABLE mine (id INTEGER PRIMARY KEY, note VARCHAR(50) DEFAULT 'it''s', at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)",
      "INSERT INTO mine (id, note) VALUES (1, 'kept')",
      'CREATE INDEX mine_note ON mine (note)',
    ]);
    const { exitCode, all } = await place.run('restore', archive, '--yes');
    expect(exitCode, all).toBe(0);
    expect(await ask(place.database, 'SELECT note FROM mine')).toEqual(['kept']);
  });

  it('leaves no temporary role behind', async () => {
    if (engine === 'sqlite') return;
    const place = await install(engine);
    await place.must('restore', currentArchive(engine), '--yes');
    await execute(place.database, 'SELECT 1');
    // other tests restore on this server at the same time
    const left = `SELECT rolname::text FROM pg_roles WHERE starts_with(rolname, '${place.database.name}_restore_')`;
    expect(await ask(place.database, left)).toEqual([]);
  });
});
