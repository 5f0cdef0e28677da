import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { releaseGraph } from '../../../src/migration/revisions.ts';
import { execute, createSqliteDatabase } from '../../support/database.ts';
import { release, sqliteFile } from '../../support/fixtures.ts';
import { run as runCommand } from '../../support/run.ts';
import { snapshot } from '../../support/snapshot.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import {
  archivePath,
  ask,
  relatedDatabases,
  contentsOf,
  currentArchive,
  describeRestores,
  difference,
  fillWithNewer,
  filesIn,
  install,
  madeByHand,
  now,
  realArchives,
  uploadsIn,
  uploadsOf,
} from './restores.ts';

const head = releaseGraph.heads.join();

describeRestores('an archive of the application', (engine) => {
  it('is restored into an empty database', async () => {
    const archive = currentArchive(engine);
    const since = now();
    const expected = await contentsOf(await madeByHand(archive), since);
    const { database, statics, data, run } = await install(engine);
    const { exitCode, all } = await run('restore', archive, '--yes');
    expect(exitCode, all).toBe(0);
    expect(difference(expected, await contentsOf(database, since))).toEqual([]);
    expect(await ask(database, 'SELECT version_num FROM alembic_version')).toEqual([head]);
    expect(await uploadsIn(statics)).toEqual(uploadsOf(archive));
    expect(await uploadsIn(data)).toEqual({ 'avatars/me.png': 'me' });
  });

  it('replaces a newer database with rows, and an undo brings it back, and a second undo removes it again', async () => {
    const archive = archivePath(realArchives[engine][0]);
    const since = now();
    const expected = await contentsOf(await madeByHand(archive), since);
    const { database, statics, run } = await install(engine);
    await fillWithNewer(database);
    await execute(database, 'CREATE TABLE of_mine (id integer); INSERT INTO of_mine VALUES (7)');
    const state = async () => ({ rows: await contentsOf(database, since), uploads: await uploadsIn(statics) });
    const before = await state();

    const restored = await run('restore', archive, '--yes');
    expect(restored.exitCode, restored.all).toBe(0);
    const after = await state();
    expect(difference(expected, after.rows)).toEqual([]);
    expect(after.uploads).toEqual(uploadsOf(archive));
    expect(await relatedDatabases(database)).toHaveLength(2);
    expect((await run()).stdout).toContain('healthy and current');

    const undone = await run('restore', '--undo', '--yes');
    expect(undone.exitCode, undone.all).toBe(0);
    const taken = await state();
    expect(difference(before.rows, taken.rows)).toEqual([]);
    expect(taken.uploads).toEqual(before.uploads);
    expect(await relatedDatabases(database)).toHaveLength(2);

    const redone = await run('restore', '--undo', '--yes');
    expect(redone.exitCode, redone.all).toBe(0);
    const again = await state();
    expect(difference(after.rows, again.rows)).toEqual([]);
    expect(again.uploads).toEqual(after.uploads);

    const dropped = await run('restore', '--drop-former', '--yes');
    expect(dropped.exitCode, dropped.all).toBe(0);
    expect(await relatedDatabases(database)).toHaveLength(1);
    expect(Object.keys(await filesIn(statics)).filter((path) => path.startsWith('.db-init'))).toEqual([]);
    for (const goneBack of ['--undo', '--drop-former']) {
      const { exitCode, stderr } = await run('restore', goneBack, '--yes');
      expect(exitCode, stderr).toBe(31);
      expect(stderr).toContain('There is nothing to go back to');
    }
  });
});

describe('a database file among the uploads', () => {
  it('is not moved with them, and neither are the backups', async () => {
    const first = await install('sqlite');
    const name = `${first.statics}/timetracker.db`;
    const database = { ...(await createSqliteDatabase()), name, url: `sqlite:///${name}` };
    const env = { TT_STATIC_UPLOAD_FOLDER: first.statics, BACKUP_FOLDER: `${first.statics}/backups` };
    const { run } = await install('sqlite', { database, env });
    await fillWithNewer(database);
    await execute(database, 'CREATE TABLE of_mine (id integer)');
    const before = await snapshot(database.url);
    const made = await run('backup', 'create');
    expect(made.exitCode, made.all).toBe(0);

    const archive = currentArchive('sqlite');
    const restored = await run('restore', archive, '--yes');
    expect(restored.exitCode, restored.all).toBe(0);
    expect(await snapshot(database.url)).not.toBe(before);
    const there = Object.entries(await uploadsIn(first.statics));
    const uploads = there.filter(([path]) => !path.startsWith('timetracker.db'));
    expect(Object.fromEntries(uploads)).toEqual(uploadsOf(archive));
    const archives = Object.keys(await filesIn(first.statics)).filter((path) => path.endsWith('.zip'));
    expect(archives).toEqual([expect.stringMatching(/^backups\//)]);

    expect((await run('restore', '--undo', '--yes')).exitCode).toBe(0);
    expect(await snapshot(database.url)).toBe(before);
  });
});

describe('a bare SQLite file', () => {
  it('is restored into a SQLite installation, by hand and at a start, and removed by an undo', async () => {
    const file = join(await temporaryDirectory(), 'former.db');
    await copyFile(await sqliteFile(release('sqlite', 'v4.8.7', 'before.db.gz')), file);
    const bytes = await readFile(file);
    const since = now();
    const migrated = await createSqliteDatabase();
    await copyFile(file, migrated.name);
    const env = { DATABASE_URL: migrated.url, TT_BACKUP_BEFORE_MIGRATE: 'never' };
    const gate = await runCommand(['gate'], { env });
    expect(gate.exitCode, gate.all).toBe(0);
    const expected = await contentsOf(migrated, since);

    const { database, statics, run } = await install('sqlite');
    await fillWithNewer(database);
    const before = await snapshot(database.url);
    const restored = await run('restore', file, '--yes');
    expect(restored.exitCode, restored.all).toBe(0);
    expect(difference(expected, await contentsOf(database, since))).toEqual([]);
    expect(await uploadsIn(statics)).toMatchObject({ 'logos/mine.png': 'my logo' });
    expect((await run('restore', '--undo', '--yes')).exitCode).toBe(0);
    expect(await snapshot(database.url)).toBe(before);

    const other = await install('sqlite', { env: { TT_RESTORE_FROM: file } });
    const started = await other.run();
    expect(started.exitCode, started.all).toBe(0);
    expect(difference(expected, await contentsOf(other.database, since))).toEqual([]);
    expect(await readFile(file)).toEqual(bytes);
  });
});
