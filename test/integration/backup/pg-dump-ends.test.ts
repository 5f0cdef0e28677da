import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { runInProcess } from '../../support/run-in-process.ts';
import { createDatabase, withClient } from '../../support/database.ts';
import { startProxy } from '../../support/postgres-proxy.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** The running child processes of this process (Linux). */
function children(): readonly string[] {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return processes.flatMap((pid) => {
    try {
      const [, name = '', parent] = /^\d+ \((.*)\) [^Z] (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
      return Number(parent) === process.pid ? [name] : [];
    } catch {
      return [];
    }
  });
}

describePostgres(
  'a backup that fails while its rows are counted',
  () => {
    it.skipIf(process.platform !== 'linux')('leaves no running pg_dump', async () => {
      const database = await createDatabase();
      await withClient(database.url, (client) => client.query('CREATE TABLE a (id int); CREATE TABLE z (id int)'));
      const folder = await temporaryDirectory();
      const proxy = await startProxy(() => ({
        kind: 'forward',
        url: database.url,
        cut: (query) => (query.includes('count(*)') ? 'before' : null),
      }));
      await withClient(database.url, async (client) => {
        // pg_dump waits for this one
        await client.query('BEGIN; LOCK TABLE z IN ACCESS EXCLUSIVE MODE');
        const { exitCode, all } = await runInProcess(['backup', 'create'], {
          DATABASE_URL: proxy.urlOf(database.url),
          UPLOAD_FOLDER: folder,
          BACKUP_FOLDER: folder,
          TT_MIGRATION_LOCK_TIMEOUT: '50',
        });
        expect([exitCode, all]).toEqual([3, expect.stringMatching(/Connection terminated/)]);
        expect(children()).not.toContain('pg_dump');
      });
    });
  },
  'tools',
);
