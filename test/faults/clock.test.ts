import type { ArchiveKind } from '../../src/model/archive.ts';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { renderManifest } from '../../src/archive/manifest.ts';
import { archivesIn, describeBackups, execute, fill, manifestOf, spoken } from '../integration/backup/backups.ts';
import { createSqliteDatabase, type TestDatabase } from '../support/database.ts';
import { snapshot } from '../support/snapshot.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { bugPattern, runInProcess } from '../support/run-in-process.ts';

/** Sets and stops the clock of this process, and of db-init within it. */
const setClock = (time: string): void => void vi.useFakeTimers({ now: new Date(time), toFake: ['Date'] });
afterEach(() => {
  vi.useRealTimers();
});

const environmentOf = async ({ url }: TestDatabase): Promise<Record<string, string>> => {
  const folder = await temporaryDirectory();
  return { DATABASE_URL: url, UPLOAD_FOLDER: folder, BACKUP_FOLDER: join(folder, 'backups') };
};

async function must(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const { exitCode, all } = await runInProcess(args, env);
  expect([exitCode, all]).toEqual([0, expect.not.stringMatching(bugPattern)]);
  return all;
}

describeBackups('a clock that was set back', ({ create }) => {
  it.each<[ArchiveKind, readonly string[], number]>([
    ['safety', ['gate'], 5],
    ['manual', ['backup', 'create', '--keep', '2'], 2],
  ])('does not let the newest backup (%s) be removed first', async (kind, args, keep) => {
    const database = await create();
    await fill(database);
    const env = await environmentOf(database);
    const { BACKUP_FOLDER: folder = '' } = env;
    await mkdir(folder);
    for (let day = 1; day <= keep; day++) {
      const zip = new AdmZip();
      const manifest = { ...manifestOf(kind, spoken(database), day), createdAt: new Date(2090, 0, day) };
      zip.addFile('manifest.json', Buffer.from(renderManifest(manifest)));
      await zip.writeZipPromise(join(folder, `of-tomorrow-${day}.zip`));
    }
    const told = await must(args, env);
    const left = await archivesIn(folder);
    const made = left.filter((name) => name.startsWith('timetracker_backup_'));
    expect(made).toHaveLength(1);
    expect(told).not.toContain(`Removed an older safety backup: ${join(folder, made[0] ?? '')}`);
    expect(left).toHaveLength(keep);
    expect(left).not.toContain('of-tomorrow-1.zip');
    await must(['backup', 'verify', join(folder, made[0] ?? '')], env);
  });
});

describe('a clock', () => {
  it.each(['1970-01-01T00:00:01Z', '2099-12-31T23:59:59Z', '2026-10-25T00:59:59Z'])(
    'that stands still at %s does not mix up names',
    async (time) => {
      const database = await createSqliteDatabase();
      await fill(database);
      const env = await environmentOf(database);
      const { BACKUP_FOLDER: folder = '' } = env;
      setClock(time);
      await must(['gate'], env);
      await must(['backup', 'create'], env);
      await must(['backup', 'create'], env);
      const archives = await archivesIn(folder);
      expect(archives).toHaveLength(3);
      for (const name of archives) await must(['backup', 'verify', join(folder, name)], env);

      const states = [await snapshot(database.url)];
      for (const marker of ['a', 'b']) {
        await execute(database, `UPDATE users SET full_name = '${marker}'`);
        states.push(await snapshot(database.url));
        await must(['restore', join(folder, archives[1] ?? ''), '--yes', '--database-only'], env);
      }
      await must(['restore', '--undo', '--yes'], env);
      expect((await snapshot(database.url)) === states[2]).toBe(true);
      await must(['restore', '--undo', '--yes'], env);
      expect((await snapshot(database.url)) === states[2]).toBe(false);
      await must(['restore', '--drop-former', '--yes'], env);
      await must(['verify'], env);
    },
  );

  it('that jumps between a restore and its undo has no effect', async () => {
    const database = await createSqliteDatabase();
    await fill(database);
    const env = await environmentOf(database);
    const { BACKUP_FOLDER: folder = '' } = env;
    setClock('2031-05-05T05:05:05Z');
    await must(['gate'], env);
    await must(['backup', 'create'], env);
    const [archive = ''] = (await archivesIn(folder)).toReversed();
    for (const [time, marker] of [
      ['2031-05-05T05:06:00Z', 'first'],
      ['1999-01-01T00:00:00Z', 'second'],
    ] as const) {
      setClock(time);
      await execute(database, `UPDATE users SET full_name = '${marker}'`);
      await must(['restore', join(folder, archive), '--yes'], env);
    }
    setClock('2025-01-01T00:00:00Z');
    await must(['restore', '--undo', '--yes'], env);
    expect(await snapshot(database.url)).toContain('second');
    const journal: unknown = JSON.parse(await readFile(join(folder, '.db-init/restores.json'), 'utf8'));
    expect(journal).toMatchObject({ format: 1 });
  });

  it.each(['2090-01-01T00:00:00Z', 'nonsense'])('of another machine, %s, has no effect on a journal', async (time) => {
    const database = await createSqliteDatabase();
    await fill(database);
    const env = await environmentOf(database);
    await must(['gate'], env);
    const before = await snapshot(database.url);
    const { BACKUP_FOLDER: folder = '' } = env;
    const [live, id] = [database.name, '20900101_000000'];
    await writeFile(
      join(folder, '.db-init/restore.json'),
      JSON.stringify({
        format: 1,
        id,
        action: 'restore',
        way: 'files',
        database: live,
        archive: null,
        startedAt: time,
        holder: 'host x, pid 1',
        phase: 'preparing',
        places: { live, incoming: `${live}.restore_${id}`, outgoing: `${live}.bak_${id}` },
        uploads: [],
      }),
    );
    expect(await must(['gate'], env)).toContain('It was taken back');
    expect(await snapshot(database.url)).toBe(before);
  });
});
