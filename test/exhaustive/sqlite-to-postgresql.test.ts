import { expect, it } from 'vitest';
import { releases } from '../support/fixtures.ts';
import { describePostgres } from '../support/postgres-server.ts';
import { install } from '../integration/restore/restores.ts';
import { inEveryRun, restoreAndCompare } from '../integration/restore/sqlite-rows.ts';

const tags = (await releases('sqlite')).filter((tag) => !inEveryRun.includes(tag));

describePostgres(
  'the rows of a SQLite database in PostgreSQL',
  () => {
    it.each(tags)('are restored from the bare file of %s, cell by cell', async (tag) => {
      expect(await restoreAndCompare(tag, await install('postgresql'))).toEqual([]);
    });
  },
  'tools',
);
