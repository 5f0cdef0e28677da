import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { archivesIn, describeBackups, fill } from '../integration/backup/backups.ts';
import { sqliteUrl, type TestDatabase } from '../support/database.ts';
import { requireTrueSafeSentence } from '../support/safe-sentence.ts';
import { snapshot } from '../support/snapshot.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { bugPattern, runInProcess } from '../support/run-in-process.ts';
import { mountVolume, noVolumes } from './volumes.ts';

describeBackups(`read-only volumes`, ({ name: engine, create }) => {
  it.skipIf(noVolumes !== null)(
    'do not prevent a start on a current database, but a change without a backup',
    async () => {
      const volume = await mountVolume('24m');
      const [backups, uploads] = [join(volume.path, 'backups'), join(volume.path, 'uploads')];
      await mkdir(uploads);
      await writeFile(join(uploads, 'photo.jpg'), 'a photo');
      const database = await create();
      await fill(database);
      const env = { DATABASE_URL: database.url, UPLOAD_FOLDER: uploads, BACKUP_FOLDER: backups };
      const must = async (expected: number, ...args: readonly string[]): Promise<string> => {
        const { exitCode, all } = await runInProcess(args, env);
        expect([args, exitCode, all]).toEqual([args, expected, expect.not.stringMatching(bugPattern)]);
        if (exitCode !== 0) requireTrueSafeSentence(all, false);
        return all;
      };
      await must(0, 'backup', 'create');
      const [archive = ''] = await archivesIn(backups);
      volume.makeReadOnly();
      const before = await snapshot(database.url);
      const refused = await runInProcess(['gate'], { ...env, TT_BACKUP_BEFORE_MIGRATE: 'always' });
      expect([refused.exitCode, refused.all]).toEqual([30, expect.stringMatching(/EROFS|read-only/)]);
      expect(await must(30, 'backup', 'create')).toContain(backups);
      expect(await must(31, 'restore', join(backups, archive), '--yes')).toMatch(/EROFS|read-only/);
      expect(await snapshot(database.url)).toBe(before);
      await must(0, 'backup', 'verify', join(backups, archive));
      for (const command of ['status', 'plan', 'gate']) {
        const once = await runInProcess([command], { ...env, TT_RUN_ONCE: 'backup list' });
        expect([command, once.exitCode, once.all]).toEqual([command, 2, expect.stringMatching(/EROFS|read-only/)]);
      }

      expect(await must(0, 'gate')).toContain('No safety backup was made');
      expect(await must(0, 'gate')).toContain('nothing to do');
      await must(0, 'verify');
    },
  );

  it.skipIf(noVolumes !== null || engine === 'postgresql')(
    'can be inspected, and every report that speaks for the gate says what the gate cannot write',
    async () => {
      const volume = await mountVolume('24m');
      const name = join(volume.path, 'x.db');
      const database: TestDatabase = { engine: 'sqlite', name, url: sqliteUrl(name), drop: () => Promise.resolve() };
      const env = {
        DATABASE_URL: database.url,
        UPLOAD_FOLDER: await temporaryDirectory(),
        BACKUP_FOLDER: await temporaryDirectory(),
      };
      await fill(database);
      expect((await runInProcess(['gate'], env)).exitCode).toBe(0);
      volume.makeReadOnly();
      expect((await runInProcess(['verify'], env)).exitCode).toBe(0);
      for (const args of [
        ['gate'],
        ['status'],
        ['plan'],
        ['repair', '--dry-run'],
        ['reset', '--yes-delete-all-data', 'x.db'],
        ['repair'],
      ]) {
        const { exitCode, all } = await runInProcess(args, env);
        expect([args[0], exitCode, all]).toEqual([args[0], 4, expect.stringContaining('EROFS')]);
        expect(all).not.toMatch(bugPattern);
        expect(all).not.toContain('would start');
        requireTrueSafeSentence(all, false);
      }
      const { stdout } = await runInProcess(['status', '--json'], env);
      expect(JSON.parse(stdout)).toMatchObject({
        state: 'current',
        action: 'refuse',
        problems: [{ kind: 'file-access-denied', object: name }],
        exitCode: 4,
      });
    },
  );
});
