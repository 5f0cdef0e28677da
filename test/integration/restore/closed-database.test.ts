import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { atEnd } from '../../support/cleanup.ts';
import { admin } from '../../support/database.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { run } from '../../support/run.ts';
import { requireTrueSafeSentence } from '../../support/safe-sentence.ts';
import { relatedDatabases, currentArchive, install } from './restores.ts';

describePostgres(
  'a closed database',
  () => {
    it('is reported with the statement that opens it, and with existing databases of a restore', async () => {
      const place = await install('postgresql');
      const { name } = place.database;
      const env = { ...place.env, TT_WAIT_TIMEOUT: '1' };
      const says = async (...args: readonly string[]): Promise<string> => {
        const { exitCode, all } = await run(args, { env });
        expect(exitCode, all).toBe(4);
        requireTrueSafeSentence(all, false);
        const words = all.replaceAll(/\s+/g, ' ');
        expect(words).toContain(`The database lets nobody in: ${name}`);
        expect(words).toContain(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS true`);
        return words;
      };
      await admin(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS false`);
      for (const command of ['gate', 'status', 'verify']) {
        expect(await says(command)).toContain('The server has no other database of a restore.');
      }

      const former = `${name}_before_20261123_201500`;
      await admin(`CREATE DATABASE "${former}"`);
      atEnd(() => admin(`DROP DATABASE IF EXISTS "${former}" WITH (FORCE)`));
      expect(await says('gate')).toContain(`Restores have created or kept these databases: ${former}.`);

      const memory = join(place.backups, '.db-init');
      await mkdir(memory, { recursive: true });
      await writeFile(join(memory, 'restore.json'), '{"format":1,"phase":"swap');
      for (const command of ['gate', 'status']) expect(await says(command)).toContain(former);
      expect(await says('gate')).toContain('restore.json, cannot be read');

      await admin(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS true`);
      // the database is open, and the restore is unknown
      const { exitCode, all } = await run(['gate'], { env });
      expect(exitCode, all).toBe(31);
    });

    it('is distinguished from one whose DROP was interrupted, with the statement that completes it', async () => {
      const place = await install('postgresql');
      const { name } = place.database;
      const mark = (database: string, limit: number): Promise<unknown> =>
        admin(`UPDATE pg_database SET datconnlimit = ${limit} WHERE datname = '${database}'`);
      await place.must('restore', currentArchive('postgresql'), '--yes');
      const former = (await relatedDatabases(place.database)).find((other) => other !== name) ?? '';

      await mark(former, -2);
      for (const args of [['--yes'], ['--yes', '--accept-changes']]) {
        const undo = await place.run('restore', '--undo', ...args);
        expect(undo.exitCode, undo.all).toBe(31);
        expect(undo.all.replaceAll(/\s+/g, ' ')).toContain('a DROP DATABASE was interrupted');
        expect(undo.all).toContain(`DROP DATABASE "${former}"`);
        requireTrueSafeSentence(undo.all, false);
      }
      await mark(name, -2);
      for (const command of ['gate', 'status', 'backup create', `reset --yes-delete-all-data ${name}`]) {
        const { exitCode, all } = await place.run(...command.split(' '));
        expect(exitCode, all).toBe(4);
        expect(all).toContain(`A DROP DATABASE was interrupted: ${name}`);
        expect(all).toContain(`DROP DATABASE "${name}"`);
        expect(all).not.toContain('ALLOW_CONNECTIONS');
      }
      await mark(name, -1);
      await place.must('restore', '--drop-former', '--yes');
      expect(await relatedDatabases(place.database)).toEqual([name]);
    });
  },
  'tools',
);
