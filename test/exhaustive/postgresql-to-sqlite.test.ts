import { join } from 'node:path';
import { expect, it } from 'vitest';
import { release, releases } from '../support/fixtures.ts';
import { describePostgres } from '../support/postgres-server.ts';
import { restoreSql } from '../support/restore-sql.ts';
import { runInProcess } from '../support/run-in-process.ts';
import { install } from '../integration/restore/restores.ts';
import { restoreIntoFile } from '../integration/restore/sqlite-rows.ts';

/** The oldest release, and those whose columns differ from other releases at the same revision. */
const tags = (await releases('pg')).filter((tag) => /^v(?:[123]|4\.\d\.)/.test(tag));

describePostgres(
  'the rows of a PostgreSQL archive in SQLite',
  () => {
    it.each(tags)('are restored from an archive of %s, cell by cell', async (tag) => {
      const large = await install('postgresql');
      await restoreSql(large.database.url, release('pg', tag, 'before.sql.gz'));
      const archive = join(large.root, 'archive.zip');
      const made = await runInProcess(['backup', 'create', '--output', archive], large.env);
      expect(made.exitCode, made.all).toBe(0);
      expect(await restoreIntoFile(archive, await install('sqlite'))).toEqual([]);
    });
  },
  'tools',
);
