import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { atEnd } from '../support/cleanup.ts';
import { archivesIn } from '../integration/backup/backups.ts';
import { admin, createDatabase, databaseUrl } from '../support/database.ts';
import { unzipped } from '../support/fixtures.ts';
import { describePostgres } from '../support/postgres-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { bug, runHere } from './here.ts';
import { goBackAndForth, namesIn, oldInstallation, oldRelease, resetOf } from './life.ts';
import { ownerOf } from './owners.ts';

/** The database of an older release without a letter that any encoding lacks. */
async function plainSql(): Promise<string> {
  const file = join(await temporaryDirectory(), 'plain.sql.gz');
  const text = await unzipped(oldRelease);
  await writeFile(file, gzipSync(text.replaceAll(/[^\t\n -~]/gu, '?')));
  return file;
}

describePostgres(
  'a database in another encoding than UTF-8',
  () => {
    it.each([
      ['LATIN1', 'Größe ÿ'],
      ['WIN1252', 'Größe € “x”'],
      ['EUC_JP', '日本 テスト'],
    ])('is %s, and stays it', async (encoding, name) => {
      const database = `dbi_${encoding.toLowerCase()}_${randomBytes(3).toString('hex')}`;
      await admin(`CREATE DATABASE ${database} TEMPLATE template0 ENCODING '${encoding}' LOCALE 'C'`);
      atEnd(() => admin(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`));
      const superuser = databaseUrl(database);
      const { url } = await ownerOf(
        { engine: 'postgresql', name: database, url: superuser, drop: () => Promise.resolve() },
        'CREATEDB',
      );
      const env = await oldInstallation(url, name, await plainSql());
      const { BACKUP_FOLDER: backups = '' } = env;
      await goBackAndForth(env, superuser, name);
      expect((await runHere(['verify'], env)).exitCode).toBe(0);
      // what a new schema begins with has letters that it lacks, and the application's own would fail there, too
      const reset = await runHere(resetOf(superuser), env);
      expect([reset.exitCode, reset.all]).toEqual([20, expect.stringContaining(encoding)]);
      expect(await namesIn(superuser)).toEqual([name]);

      // its backup goes into a database that knows more letters
      const [archive = ''] = await archivesIn(backups);
      const { url: other } = await createDatabase();
      const moved = {
        ...env,
        DATABASE_URL: other,
        UPLOAD_FOLDER: await temporaryDirectory(),
        BACKUP_FOLDER: await temporaryDirectory(),
      };
      const { exitCode, all } = await runHere(['restore', `${backups}/${archive}`, '--yes'], moved);
      expect([exitCode, all]).toEqual([0, expect.not.stringMatching(bug)]);
      expect(await namesIn(other)).toEqual([name]);
      expect((await runHere(['restore', '--undo', '--yes'], moved)).exitCode).toBe(0);
      expect((await runHere(['restore', '--undo', '--yes'], moved)).exitCode).toBe(0);
      expect((await runHere(['restore', '--drop-former', '--yes'], moved)).exitCode).toBe(0);
    });
  },
  'tools',
);
