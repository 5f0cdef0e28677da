import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { atEnd } from '../support/cleanup.ts';
import { archivesIn } from '../integration/backup/backups.ts';
import { currentArchive } from '../integration/restore/restores.ts';
import { admin, createDatabase, databaseUrl, withClient } from '../support/database.ts';
import { unzipped } from '../support/fixtures.ts';
import { describePostgres } from '../support/postgres-server.ts';
import { requireTrueSafeSentence } from '../support/safe-sentence.ts';
import { snapshot } from '../support/snapshot.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { bugPattern, runInProcess } from '../support/run-in-process.ts';
import { goBackAndForth, namesIn, oldInstallation, oldRelease, resetOf } from './full-lifecycle.ts';
import { ownerOf } from './owners.ts';

/** The database of an older release without characters that an encoding lacks. */
async function plainSql(): Promise<string> {
  const file = join(await temporaryDirectory(), 'plain.sql.gz');
  const text = await unzipped(oldRelease);
  await writeFile(file, gzipSync(text.replaceAll(/[^\t\n -~]/gu, '?')));
  return file;
}

/** An empty database in an encoding, which belongs to a separate role. */
async function databaseIn(encoding: string): Promise<{ readonly superuser: string; readonly url: string }> {
  const name = `dbi_${encoding.toLowerCase()}_${randomBytes(3).toString('hex')}`;
  await admin(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING '${encoding}' LOCALE 'C'`);
  atEnd(() => admin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  const superuser = databaseUrl(name);
  const drop = (): Promise<void> => Promise.resolve();
  const { url } = await ownerOf({ engine: 'postgresql', name, url: superuser, drop }, 'CREATEDB');
  return { superuser, url };
}

/** The names of all users, byte by byte. */
const bytesIn = (url: string): Promise<unknown[]> =>
  withClient(url, async (client) => {
    const { rows } = await client.query<{ hex: string }>(
      `SELECT DISTINCT encode(convert_to(full_name, 'SQL_ASCII'), 'hex') AS hex FROM users`,
    );
    return rows.map(({ hex }) => hex);
  });

describePostgres(
  'a database in another encoding than UTF-8',
  () => {
    it.each([
      ['LATIN1', 'Größe ÿ'],
      ['WIN1252', 'Größe € “x”'],
      ['EUC_JP', '日本 テスト'],
    ])('is %s, and keeps its encoding', async (encoding, name) => {
      const { superuser, url } = await databaseIn(encoding);
      const env = await oldInstallation(url, name, await plainSql());
      const { BACKUP_FOLDER: backups = '' } = env;
      await goBackAndForth(env, superuser, name);
      expect((await runInProcess(['verify'], env)).exitCode).toBe(0);
      // the first rows of a new schema have characters that the encoding lacks
      const held = await archivesIn(backups);
      const reset = await runInProcess(resetOf(superuser), env);
      expect([reset.exitCode, reset.all]).toEqual([
        2,
        expect.stringContaining(`encoding of the database is ${encoding}`),
      ]);
      expect(reset.all).not.toMatch(/DELETES ALL DATA|Making a safety backup/);
      expect(await archivesIn(backups)).toEqual(held);
      expect(await namesIn(superuser)).toEqual([name]);

      // its backup can be restored into a database with more characters
      const [archive = ''] = await archivesIn(backups);
      const { url: other } = await createDatabase();
      const moved = {
        ...env,
        DATABASE_URL: other,
        UPLOAD_FOLDER: await temporaryDirectory(),
        BACKUP_FOLDER: await temporaryDirectory(),
      };
      const { exitCode, all } = await runInProcess(['restore', `${backups}/${archive}`, '--yes'], moved);
      expect([exitCode, all]).toEqual([0, expect.not.stringMatching(bugPattern)]);
      expect(await namesIn(other)).toEqual([name]);
      expect((await runInProcess(['restore', '--undo', '--yes'], moved)).exitCode).toBe(0);
      expect((await runInProcess(['restore', '--undo', '--yes'], moved)).exitCode).toBe(0);
      expect((await runInProcess(['restore', '--drop-former', '--yes'], moved)).exitCode).toBe(0);
    });

    it('is refused before any change if it is LATIN1 and empty', async () => {
      const { superuser, url } = await databaseIn('LATIN1');
      const env = {
        DATABASE_URL: url,
        UPLOAD_FOLDER: await temporaryDirectory(),
        BACKUP_FOLDER: await temporaryDirectory(),
      };
      const before = await snapshot(superuser);
      for (const args of [['gate'], ['plan', '--rehearse']]) {
        const { exitCode, all } = await runInProcess(args, env);
        expect([exitCode, all]).toEqual([2, expect.stringContaining('encoding of the database is LATIN1')]);
        expect(all).toContain('createdb');
        expect(await snapshot(superuser)).toBe(before);
        requireTrueSafeSentence(all, false);
      }
      // an archive with characters that it lacks is not restored either
      const { exitCode, all } = await runInProcess(
        ['restore', currentArchive('postgresql'), '--yes', '--database-only'],
        env,
      );
      expect([exitCode, all.replaceAll(/\s+/g, ' ')]).toEqual([31, expect.stringMatching(/no equivalent in .*LATIN1/)]);
      expect(all).not.toMatch(bugPattern);
      expect(await snapshot(superuser)).toBe(before);
      requireTrueSafeSentence(all, false);
    });

    it('keeps every byte if it is SQL_ASCII', async () => {
      const { superuser, url } = await databaseIn('SQL_ASCII');
      const env = await oldInstallation(url, 'x', await plainSql());
      const { BACKUP_FOLDER: backups = '' } = env;
      // LATIN1, UTF-8 and invalid bytes together
      await withClient(superuser, (client) =>
        client.query(String.raw`UPDATE users SET full_name = E'Gr\366\337e \342\202\254 \377\200 \\'`),
      );
      const bytes = ['4772f6df6520e282ac20ff80205c'];
      const must = async (...args: readonly string[]): Promise<void> => {
        const { exitCode, all } = await runInProcess(args, env);
        expect([args, exitCode, all]).toEqual([args, 0, expect.not.stringMatching(bugPattern)]);
      };
      await must('gate');
      expect(await bytesIn(superuser)).toEqual(bytes);
      const [safety = ''] = await archivesIn(backups);
      const archive = `${backups}/${safety}`;
      await must('backup', 'verify', archive);
      await must('restore', archive, '--yes');
      expect(await bytesIn(superuser)).toEqual(bytes);
      await must('restore', '--undo', '--yes');
      expect(await bytesIn(superuser)).toEqual(bytes);
      await must(...resetOf(superuser));
      await must('verify');

      // bytes that are not UTF-8 are not converted: nothing is guessed, and nothing changed
      const other = await createDatabase();
      const moved = { ...env, DATABASE_URL: other.url, BACKUP_FOLDER: await temporaryDirectory() };
      const { exitCode, all } = await runInProcess(['restore', archive, '--yes'], moved);
      expect([exitCode, all.replaceAll(/\s+/g, ' ')]).toEqual([
        31,
        expect.stringContaining('invalid byte sequence for encoding "UTF8"'),
      ]);
      expect(all).not.toMatch(bugPattern);
      expect(all).not.toContain('COPY users');
      expect((await runInProcess(['status', '--json'], moved)).stdout).toContain('"fresh"');
    });
  },
  'tools',
);
