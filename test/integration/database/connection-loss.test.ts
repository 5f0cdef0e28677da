import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { startProxy } from '../../support/postgres-proxy.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { runInProcess } from '../../support/run-in-process.ts';
import { snapshot } from '../../support/snapshot.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

describePostgres('a lost connection', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
    await runInProcess(['gate'], { DATABASE_URL: database.url, UPLOAD_FOLDER: await temporaryDirectory() });
  });

  /** Runs a command whose connection breaks at a statement. @returns also how many statements there were */
  async function cutAt(args: readonly string[], statement: number, side: 'before' | 'after') {
    const volume = await temporaryDirectory();
    let statements = 0;
    const cut = (): typeof side | null => (++statements === statement ? side : null);
    const proxy = await startProxy(() => ({ kind: 'forward', url: database.url, cut }));
    const env = { DATABASE_URL: proxy.urlOf(database.url), UPLOAD_FOLDER: volume, TT_STATIC_UPLOAD_FOLDER: volume };
    return { ...(await runInProcess(args, env)), statements };
  }

  const archive = join(import.meta.dirname, '../../fixtures/archives/pg-v5.0.0-pgdump15.zip');

  it.each([
    ['gate', [], 20],
    ['status', ['status'], 20],
    ['verify', ['verify'], 20],
    ['quarantine list', ['quarantine', 'list'], 20],
    // two connections, and no journal yet; the crash tests cut later ones
    ['restore', ['restore', archive, '--dry-run'], 12],
  ] as const)('is not reported as a bug at any statement of %s', async (_, args, most) => {
    const before = await snapshot(database.url);
    const { statements } = await cutAt(args, 0, 'before');
    expect(statements).toBeGreaterThan(1);
    for (let statement = 1; statement <= Math.min(statements, most); statement++) {
      const { exitCode, all } = await cutAt(args, statement, statement % 2 === 0 ? 'before' : 'after');
      if (exitCode === 0) continue;
      expect(exitCode, `statement ${statement}: ${all}`).toBe(3);
      expect(all).toMatch(/connection|terminated|reach/i);
    }
    expect(await snapshot(database.url)).toBe(before);
  });
});
