import { beforeAll, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { startProxy } from '../../support/postgres-proxy.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { run, type RunResult } from '../../support/run.ts';
import { snapshot } from '../../support/snapshot.ts';

describePostgres('a connection that is lost', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
    await run([], { env: { DATABASE_URL: database.url } });
  });

  /** Runs a command whose connection breaks at a statement. @returns also how many statements there were */
  async function cutAt(args: readonly string[], statement: number, side: 'before' | 'after') {
    let statements = 0;
    const cut = (): typeof side | null => (++statements === statement ? side : null);
    const proxy = await startProxy(() => ({ kind: 'forward', url: database.url, cut }));
    const result: RunResult = await run(args, { env: { DATABASE_URL: proxy.urlOf(database.url) } });
    return { ...result, statements };
  }

  it.each([['gate'], ['status'], ['verify'], ['quarantine', 'list']])(
    'is no bug at any statement of %s',
    async (...args) => {
      const before = await snapshot(database.url);
      const { statements } = await cutAt(args, 0, 'before');
      expect(statements).toBeGreaterThan(1);
      for (let statement = 1; statement <= statements; statement++) {
        const { exitCode, all } = await cutAt(args, statement, statement % 2 === 0 ? 'before' : 'after');
        expect(exitCode, `statement ${statement}: ${all}`).not.toBe(1);
        if (exitCode === 0) continue;
        expect(all).toMatch(/connection|terminated|reach/i);
      }
      expect(await snapshot(database.url)).toBe(before);
    },
  );
});
