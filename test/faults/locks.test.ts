import { expect, it } from 'vitest';
import { archivesIn } from '../integration/backup/backups.ts';
import { withClient } from '../support/database.ts';
import { describePrivateCluster, startPrivateCluster } from '../support/private-cluster.ts';
import { requireTrueSafeSentence } from '../support/safe-sentence.ts';
import { bugPattern, runInProcess } from '../support/run-in-process.ts';
import { namesIn, oldInstallation } from './full-lifecycle.ts';

/** Relations in schema public: a dump would need more locks than there are. */
const relationsIn = (url: string): Promise<unknown> =>
  withClient(url, async (client) => {
    const { rows } = await client.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM pg_class WHERE relnamespace = 'public'::regnamespace",
    );
    return rows[0]?.count;
  });

describePrivateCluster('a server with room for few locks', () => {
  it('is reported to need more locks for work that locks everything, and nothing is half done', async () => {
    const server = await startPrivateCluster(['-c', 'max_connections=20']);
    await server.run('CREATE DATABASE fresh TEMPLATE template0');
    await server.run('CREATE DATABASE old TEMPLATE template0');
    const url = (name: string): string => new URL(`/${name}`, server.url).href;
    const old = await oldInstallation(url('old'), 'x');
    const { BACKUP_FOLDER: backups = '' } = old;
    expect((await runInProcess(['backup', 'create'], old)).exitCode).toBe(0);
    const archives = await archivesIn(backups);
    await server.run('ALTER SYSTEM SET max_locks_per_transaction = 10');
    await server.crash();

    const insisting = { TT_BACKUP_BEFORE_MIGRATE: 'always' };
    for (const [database, refusal, args, more] of [
      ['fresh', 20, ['gate'], {}],
      ['old', 30, ['backup', 'create'], {}],
      ['old', 17, ['gate'], insisting],
      // the rows are read first, which locks the same number of tables
      ['old', 17, ['reset', '--yes-delete-all-data=old', '--no-backup'], {}],
    ] as const) {
      const before = await relationsIn(url(database));
      const { exitCode, all } = await runInProcess(args, { ...old, ...more, DATABASE_URL: url(database) });
      expect([args, exitCode, all]).toEqual([args, refusal, expect.not.stringMatching(bugPattern)]);
      expect(all.replaceAll(/\s+/g, ' ')).toContain('max_locks_per_transaction');
      expect(await relationsIn(url(database))).toEqual(before);
      requireTrueSafeSentence(all, false);
    }
    expect(await namesIn(url('old'))).toEqual(['x']);
    expect(await archivesIn(backups)).toEqual(archives);

    // the restored database is read as well
    const restore = ['restore', `${backups}/${archives.join()}`, '--yes'];
    const refused = await runInProcess(restore, old);
    expect(refused.all).not.toMatch(bugPattern);
    expect(refused.exitCode, refused.all).toBe(31);
    expect(refused.all.replaceAll(/\s+/g, ' ')).toMatch(
      /(?:Restoring|Looking at the restored database) failed: .*max_locks_per_transaction/,
    );
    requireTrueSafeSentence(refused.all, false);
    expect(await namesIn(url('old'))).toEqual(['x']);

    // the advice of the banner helps
    await server.run('ALTER SYSTEM RESET max_locks_per_transaction');
    await server.crash();
    const { exitCode, all } = await runInProcess(restore, old);
    expect(exitCode, all).toBe(0);
    expect(await namesIn(url('old'))).toEqual(['x']);
  });
});
