import { copyFile, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import { beforeAll, expect, it } from 'vitest';
import { execute } from '../../support/database.ts';
import { run, type RunResult } from '../../support/run.ts';
import {
  ask,
  relatedDatabases,
  currentArchive,
  describeRestores,
  fillWithNewer,
  type Installation,
  install,
  uploadsIn,
  uploadsOf,
} from './restores.ts';

const mark = 'CREATE TABLE since_then (id integer)';

/** Whether anything was restored since the mark was set. */
async function isMarked({ database, engine }: Installation): Promise<boolean> {
  const tables = engine === 'sqlite' ? 'sqlite_schema' : 'pg_class';
  const column = engine === 'sqlite' ? 'name' : 'relname';
  return (await ask(database, `SELECT 1 FROM ${tables} WHERE ${column} = 'since_then'`)).length > 0;
}

describeRestores('TT_RESTORE_FROM', (engine) => {
  let place: Installation;
  let archive: string;
  const up = (file: string): Promise<RunResult> => run([], { env: { ...place.env, TT_RESTORE_FROM: file } });
  beforeAll(async () => {
    place = await install(engine);
    archive = join(place.root, 'archive.zip');
    await copyFile(currentArchive(engine), archive);
    await fillWithNewer(place.database);
  });

  it('stops the start if there is no archive', async () => {
    const { exitCode, stderr } = await up(join(place.root, 'missing.zip'));
    expect(exitCode, stderr).toBe(32);
    expect(stderr).toContain('remove TT_RESTORE_FROM from .env');
    expect(stderr).toContain('missing.zip');
  });

  it('restores once, even if two runs start at the same time', async () => {
    const both = await Promise.all([up(archive), up(archive)]);
    for (const { exitCode, all } of both) expect(exitCode, all).toBe(0);
    expect(both.filter(({ all }) => all.includes('Restored:'))).toHaveLength(1);
    expect(await uploadsIn(place.statics)).toEqual(uploadsOf(archive));
    expect(await relatedDatabases(place.database)).toHaveLength(2);
    await execute(place.database, mark);
  });

  it('does not restore again at the next start', async () => {
    const { exitCode, all } = await up(archive);
    expect(exitCode, all).toBe(0);
    expect(all).toContain('was restored already');
    expect(await isMarked(place)).toBe(true);
  });

  it('finds a name without a folder among the backups', async () => {
    await copyFile(archive, join(place.backups, 'named.zip'));
    const { exitCode, all } = await up('named.zip');
    expect(exitCode, all).toBe(0);
    expect(all).toContain(`${join(place.backups, 'named.zip')} was restored already`);
    const missing = await up('other.zip');
    expect(missing.exitCode).toBe(32);
    expect(missing.stderr).toContain(join(place.backups, 'other.zip'));
  });

  it('recognises a restored archive under another name, with another time, and after it was deleted', async () => {
    const copy = join(place.root, 'copy.zip');
    await copyFile(archive, copy);
    await utimes(archive, 1000, 1000);
    for (const file of [copy, archive]) {
      const { exitCode, all } = await up(file);
      expect(exitCode, all).toBe(0);
    }
    await rm(archive);
    const { exitCode, all } = await up(archive);
    expect(exitCode, all).toBe(0);
    expect(await isMarked(place)).toBe(true);
    await copyFile(copy, archive);
  });

  it('does not restore again after an undo', async () => {
    expect((await place.run('restore', '--undo', '--yes')).exitCode).toBe(0);
    await execute(place.database, mark);
    const { exitCode, all } = await up(archive);
    expect(exitCode, all).toBe(0);
    expect(await isMarked(place)).toBe(true);
    expect(await uploadsIn(place.statics)).toEqual({ '.gitkeep': '', 'logos/mine.png': 'my logo' });
  });

  it.each(['{ "format": 1, "restores": [', '{ "format": 2, "restores": [] }'])(
    'does not restore if it cannot read what was restored: %s',
    async (damaged) => {
      const memory = join(place.backups, '.db-init', 'restores.json');
      const whole = await readFile(memory);
      await writeFile(memory, damaged);
      for (const { exitCode, stderr } of [await up(archive), await place.run('restore', '--undo', '--yes')]) {
        expect(exitCode, stderr).toBe(31);
        expect(stderr).toContain(memory);
      }
      expect(await isMarked(place)).toBe(true);
      expect(await readFile(memory, 'utf8')).toBe(damaged);
      await writeFile(memory, whole);
    },
  );

  it('restores another archive', async () => {
    const zip = new AdmZip(archive);
    zip.addFile('uploads/new.txt', Buffer.from('new'));
    zip.writeZip(archive);
    const { exitCode, all } = await up(archive);
    expect(exitCode, all).toBe(0);
    expect(await isMarked(place)).toBe(false);
    expect(await uploadsIn(place.statics)).toEqual(uploadsOf(archive));
  });
});
