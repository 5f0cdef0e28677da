import { beforeAll, expect, it } from 'vitest';
import { createDatabase, type TestDatabase, withClient } from '../../support/database.ts';
import { startProxy } from '../../support/postgres-proxy.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { start } from '../../support/run.ts';
import { claimOf, requireTrueSafeSentence, safeSentence } from '../../support/safe-sentence.ts';
import { snapshot } from '../../support/snapshot.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { copyDatabase } from '../restore/restores.ts';

/** The SQL of a quarantine schema, as a cleanup leaves it. */
const setAside = `CREATE SCHEMA tt_quarantine_20261128t070000;
  COMMENT ON SCHEMA tt_quarantine_20261128t070000 IS
    '{"by":"db-init","state":"complete","at":"2026-11-28T07:00:00Z","why":"by hand","relations":1,"rows":1}';
  CREATE TABLE tt_quarantine_20261128t070000.of_mine (id int); INSERT INTO tt_quarantine_20261128t070000.of_mine VALUES (1)`;

describePostgres('the Safe sentence of work that was interrupted at its commit', () => {
  let current: TestDatabase;
  let database: TestDatabase;
  beforeAll(async () => {
    [current, database] = [await createDatabase(), await createDatabase()];
    const { exitCode, all } = await start([], { env: { DATABASE_URL: current.url } });
    if (exitCode !== 0) throw new Error(all);
  });

  const works: [string, string, readonly string[]][] = [
    ['gate', 'DROP SCHEMA public CASCADE; CREATE SCHEMA public', []],
    ['repair', 'DROP TABLE task_checklist_items', ['repair']],
    ['adopt', 'DROP TABLE alembic_version', ['adopt']],
    ['reset', 'SELECT 1', ['reset', '--no-backup']],
    ['quarantine', 'SELECT 1', ['quarantine', 'create', '--all', '--yes']],
    ['seed', 'SELECT 1', ['seed', '--users', '3']],
    ['quarantine restore', setAside, ['quarantine', 'restore', 'tt_quarantine_20261128t070000']],
    ['quarantine purge', setAside, ['quarantine', 'purge', 'tt_quarantine_20261128t070000', '--yes']],
  ];
  type Event = 'before' | 'after' | 'gone' | 'SIGTERM';

  /** Runs work that is disturbed at its first COMMIT. */
  async function runUntilCommit(sql: string, args: readonly string[], event: Event) {
    await copyDatabase(current, database);
    await withClient(database.url, (client) => client.query(sql));
    const before = await snapshot(database.url, { withoutSequences: true });
    let committed = false;
    const proxy = await startProxy(() =>
      committed && event === 'gone'
        ? { kind: 'hang up' }
        : {
            kind: 'forward',
            url: database.url,
            cut(query) {
              if (committed && event === 'SIGTERM') work.kill('SIGTERM');
              if (query !== 'COMMIT') return null;
              committed = true;
              if (event === 'SIGTERM') return null;
              return event === 'before' ? 'before' : 'after';
            },
          },
    );
    const folder = await temporaryDirectory();
    const work = start(args[0] === 'reset' ? [...args, '--yes-delete-all-data', database.name] : args, {
      env: {
        DATABASE_URL: proxy.urlOf(database.url),
        UPLOAD_FOLDER: folder,
        FLASK_ENV: 'development',
        TT_WAIT_TIMEOUT: '1',
        TT_BACKUP_BEFORE_MIGRATE: 'never',
      },
    });
    const { exitCode, all } = await work;
    const changed = (await snapshot(database.url, { withoutSequences: true })) !== before;
    return { exitCode, all, changed };
  }

  it.each(works)('%s', async (_, sql, args) => {
    for (const event of ['before', 'after'] as const) {
      const { exitCode, all, changed } = await runUntilCommit(sql, args, event);
      expect([event, exitCode, changed], all).toEqual([event, 3, event === 'after']);
      requireTrueSafeSentence(all, changed);
    }
  });

  it('says that the outcome is unknown if the server cannot be asked', async () => {
    const [[, sql, args] = ['', '', []]] = works;
    const { exitCode, all } = await runUntilCommit(sql, args, 'gone');
    expect([exitCode, claimOf(safeSentence(all) ?? '')], all).toEqual([3, 'unknown']);
  });

  it('names what was committed before a signal', async () => {
    const [[, sql, args] = ['', '', []]] = works;
    const { exitCode, all, changed } = await runUntilCommit(sql, args, 'SIGTERM');
    expect(changed).toBe(true);
    // a run that ends before it receives the signal has succeeded
    if (exitCode === 0) return;
    expect(exitCode, all).toBe(143);
    expect(safeSentence(all)).toContain('the changes that this run had committed stay');
  });
});
