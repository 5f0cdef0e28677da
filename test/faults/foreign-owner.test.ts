import { chmod, chown, mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { archivesIn, describeBackups, fill } from '../integration/backup/backups.ts';
import { sqliteUrl } from '../support/database.ts';
import { run } from '../support/run.ts';
import { requireTrueSafeSentence } from '../support/safe-sentence.ts';
import { snapshot } from '../support/snapshot.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { bugPattern, runInProcess } from '../support/run-in-process.ts';

/** The user of db-init, and another user. */
const [nobody, stranger] = [65_534, 4711];

const asRoot = process.getuid?.() === 0 ? describe : describe.skip;

asRoot('files of somebody else', () => {
  describeBackups('', ({ name: engine, create }) => {
    /** An old installation, its folders open to all, with an archive. */
    async function install() {
      const root = await temporaryDirectory();
      await chmod(root, 0o755);
      const folders = { data: join(root, 'data'), uploads: join(root, 'uploads'), backups: join(root, 'backups') };
      for (const folder of Object.values(folders)) await mkdir(folder, { mode: 0o755 });
      await writeFile(join(folders.uploads, 'photo.jpg'), 'a photo');
      const file = join(folders.data, 'timetracker.db');
      const database = engine === 'sqlite' ? { ...(await create()), name: file, url: sqliteUrl(file) } : await create();
      await fill(database);
      const env = { DATABASE_URL: database.url, UPLOAD_FOLDER: folders.uploads, BACKUP_FOLDER: folders.backups };
      const made = await runInProcess(['backup', 'create'], env);
      expect(made.exitCode, made.all).toBe(0);
      const [name = ''] = await archivesIn(folders.backups);
      const seen = async (): Promise<unknown> => [
        await snapshot(database.url),
        (await readdir(root, { recursive: true })).filter((path) => !path.endsWith('.db-init-lock')).toSorted(),
      ];
      return {
        ...folders,
        root,
        archive: join(folders.backups, name),
        seen,
        /** @returns the output of the run, in one line */
        must: async (expected: number, args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
          const words = args.map((word) => (word === 'NAME' ? basename(database.name) : word));
          const { exitCode, all } = await run(words, { env: { ...env, ...more }, uid: nobody });
          expect([words, exitCode, all]).toEqual([words, expected, expect.not.stringMatching(bugPattern)]);
          // the database is compared at the end
          if (exitCode !== 0) requireTrueSafeSentence(all, false);
          return all.replaceAll(/\s+/g, ' ');
        },
      };
    }

    it('are not changed, and the message names the user who must own them', async () => {
      const { must, seen, root, archive, data, backups } = await install();
      const before = await seen();
      for (const path of ['', ...(await readdir(root, { recursive: true }))]) {
        await chown(join(root, path), stranger, stranger);
      }
      const place = engine === 'sqlite' ? data : backups;
      const denied = new RegExp(`${engine === 'sqlite' ? 'uid 65534' : 'cannot be used'}.*EACCES.*${place}`);
      const code = engine === 'sqlite' ? 4 : 30;
      // reading is allowed, and commands that read report the exit code of the gate
      expect(await must(engine === 'sqlite' ? 4 : 0, ['status'])).toMatch(engine === 'sqlite' ? denied : /behind/);
      expect(await must(code, ['status'], { TT_BACKUP_BEFORE_MIGRATE: 'always' })).toMatch(denied);
      for (const args of [
        ['backup', 'create'],
        ['reset', '--yes-delete-all-data', 'NAME'],
      ]) {
        expect(await must(code, args)).toMatch(denied);
      }
      expect(await must(code, ['gate'], { TT_BACKUP_BEFORE_MIGRATE: 'always' })).toMatch(denied);

      // only their owner may read archives
      for (const args of [
        ['backup', 'verify', archive],
        ['restore', archive, '--yes'],
      ]) {
        const told = await must(32, args);
        expect(told).toContain('user that db-init runs as may not read the file');
        expect(told).toContain(`sudo chown -R ${nobody}:${nobody} ${archive}`);
      }
      await chmod(archive, 0o644);
      await must(0, ['backup', 'verify', archive]);
      expect(await must(engine === 'sqlite' ? 4 : 31, ['restore', archive, '--yes'])).toMatch(/EACCES/);
      expect(await seen()).toEqual(before);
      // a server does not check the owners of files
      const [started, told] = engine === 'sqlite' ? [4, denied] : [0, /No safety backup was made: .*EACCES/];
      expect(await must(started, ['gate'])).toMatch(told);
    });

    it('are not left out of a backup of the uploads, and not replaced', async () => {
      const { must, seen, uploads, archive, data, backups } = await install();
      const before = await seen();
      for (const folder of [data, backups]) {
        await chown(folder, nobody, nobody);
        for (const path of await readdir(folder, { recursive: true })) await chown(join(folder, path), nobody, nobody);
      }
      await chown(uploads, stranger, stranger);
      await chmod(join(uploads, 'photo.jpg'), 0o600);
      expect(await must(30, ['backup', 'create'])).toMatch(/photo\.jpg cannot be read \(EACCES/);
      expect(await must(31, ['restore', archive, '--yes'])).toMatch(new RegExp(`${uploads} cannot be used.*EACCES`));
      expect(await seen()).toEqual(before);
      await must(0, ['gate'], { TT_BACKUP_BEFORE_MIGRATE: 'always' });
    });
  });
});
