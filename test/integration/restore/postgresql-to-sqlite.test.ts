import { expect, it } from 'vitest';
import { describePostgres } from '../../support/postgres-server.ts';
import { runInProcess } from '../../faults/run-in-process.ts';
import { archivePath, ask, besides, execute, install, realArchives, uploadsIn, uploadsOf } from './restores.ts';
import { restoreIntoFile } from './sqlite-rows.ts';

describePostgres(
  'the rows of a PostgreSQL archive in SQLite',
  () => {
    it.each(realArchives.postgresql)('arrive out of the application’s %s, cell by cell', async (name) => {
      const { must, database, statics, run: on } = await install('sqlite');
      await execute(database, 'CREATE TABLE of_mine (id integer)');
      expect(await restoreIntoFile(archivePath(name), { database, must })).toEqual([]);
      expect(await uploadsIn(statics)).toEqual(uploadsOf(archivePath(name)));
      console.log((await must()).all);
      expect((await must()).stdout).toContain('healthy and current');
      expect((await on('restore', '--undo', '--yes')).exitCode).toBe(0);
      expect(await ask(database, 'SELECT count(*) FROM of_mine')).toEqual([0]);
      await must('restore', '--drop-former', '--yes');
    });
  },
  'tools',
);
