import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { execute } from '../../support/database.ts';
import {
  ask,
  contentsOf,
  describeRestores,
  difference,
  everything,
  fillWithNewer,
  type Installation,
  install,
  now,
  put,
  uploadsIn,
} from './restores.ts';

describeRestores('a backup of db-init', (engine) => {
  const since = now();
  let place: Installation;
  let archive: string;
  const state = async () => ({
    rows: await contentsOf(place.database, since),
    statics: await uploadsIn(place.statics),
    data: await uploadsIn(place.data),
  });
  let saved: Awaited<ReturnType<typeof state>>;

  beforeAll(async () => {
    place = await install(engine);
    const { database, statics, data } = place;
    await fillWithNewer(database);
    await place.must();
    await put(statics, { 'a folder/deep & deeper/Größe 日本.txt': 'unicode', 'logos/.gitkeep': '' });
    saved = await state();
    const made = await place.must('backup', 'create');
    archive = /Backup: (.*?\.zip)/.exec(made.stdout)?.[1] ?? '';
    await execute(database, "DELETE FROM alembic_version; UPDATE users SET email = 'changed' || id");
    await put(statics, { 'logos/mine.png': 'another logo', 'new.txt': 'new' });
    await put(data, { 'avatars/me.png': 'older', 'avatars/you.png': 'you' });
    await rm(join(statics, 'a folder'), { recursive: true });
  });

  it('can be restored with --dry-run, which leaves nothing behind', async () => {
    const before = await everything(place);
    const { exitCode, all } = await place.run('restore', archive, '--dry-run');
    expect(exitCode, all).toBe(0);
    expect(all).toContain('The archive can be restored.');
    expect(await everything(place)).toEqual(before);
  });

  it('can be verified, which counts its rows and leaves nothing behind', async () => {
    const before = await everything(place);
    const users = Number((await ask(place.database, 'SELECT count(*) FROM users'))[0]);
    const { exitCode, stdout, all } = await place.run('backup', 'verify', archive, '--prove', '--json');
    expect(exitCode, all).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ engine, restored: { rows: { users, alembic_version: 1 } } });
    expect(await everything(place)).toEqual(before);
  });

  it.runIf(engine === 'sqlite')('is verified with a report in words', async () => {
    const { exitCode, stdout, all } = await place.run('backup', 'verify', archive, '--prove');
    expect(exitCode, all).toBe(0);
    expect(stdout).toMatch(/^restored: .*thrown away: \d+ tables with \d[\d,]* rows$/m);
  });

  it('restores everything unchanged', async () => {
    const { exitCode, all } = await place.run('restore', archive, '--yes');
    expect(exitCode, all).toBe(0);
    const after = await state();
    expect(difference(saved.rows, after.rows)).toEqual([]);
    expect(after.statics).toEqual(saved.statics);
    expect(after.data).toEqual(saved.data);
    expect((await place.run('verify')).exitCode).toBe(0);
  });

  it('restores only the database with --database-only', async () => {
    await put(place.statics, { 'logos/mine.png': 'a third logo' });
    await execute(place.database, "UPDATE users SET email = 'again' || id");
    const { exitCode, all } = await place.run('restore', archive, '--yes', '--database-only');
    expect(exitCode, all).toBe(0);
    const after = await state();
    expect(difference(saved.rows, after.rows)).toEqual([]);
    expect(after.statics).toEqual({ ...saved.statics, 'logos/mine.png': 'a third logo' });
  });
});
