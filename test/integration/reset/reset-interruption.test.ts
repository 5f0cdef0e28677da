import { beforeEach, expect, it } from 'vitest';
import { execute, type TestDatabase, withClient } from '../../support/database.ts';
import { describePostgres } from '../../support/postgres-server.ts';
import { run, start } from '../../support/run.ts';
import { eventually, waitForOutput } from '../../support/wait-for-output.ts';
import { snapshot } from '../../support/snapshot.ts';
import { describeBackups } from '../backup/backups.ts';
import { freshOne, type ResetInstallation, installationOf, withoutTimes } from './resets.ts';

let installation: ResetInstallation;
const now = (): Promise<string> => snapshot(installation.database.url, { withoutSequences: true });
const startReset = (): ReturnType<typeof start> =>
  start(['reset', '--yes-delete-all-data', installation.name], { env: installation.env });

describeBackups('reset that is killed', ({ name: engine }) => {
  // the next suite tests other points on PostgreSQL
  const lines = [/Making a safety backup/, /deleted \d+ tables/, /brought to the head/];
  it.each(engine === 'sqlite' ? lines : lines.slice(-1))(
    'leaves the old database or a new one after the output %s',
    async (line) => {
      installation = await installationOf(engine, 'v1.5.1');
      const before = await now();
      const killed = startReset();
      await waitForOutput(killed, line);
      killed.kill('SIGKILL');
      await killed;
      await settle(installation.database);
      const found = (await now()) === before ? 'old' : await withoutTimes(installation.database.url);
      expect(found).toBeOneOf(['old', await freshOne(engine)]);
      const { exitCode, stdout } = await run([], { env: installation.env });
      expect(exitCode).toBe(0);
      expect(stdout).toContain('The database is healthy and current');
    },
  );
});

/** Rolls back the interrupted work: the server does so by itself, SQLite when the file is opened for writing. */
async function settle(database: TestDatabase): Promise<void> {
  if (database.engine === 'sqlite') return execute(database, 'BEGIN IMMEDIATE; ROLLBACK');
  await withClient(database.url, async (client) => {
    await eventually(async () => {
      const { rowCount } = await client.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'db-init % reset'`,
      );
      return rowCount === 0;
    });
  });
}

describePostgres(
  'a reset in the middle of its transaction',
  () => {
    const [gate, key] = ['reset_test', 4711];

    beforeEach(async () => {
      installation = await installationOf('postgresql', 'v1.5.1');
    });

    /** Lets reset wait at a kind of statement, until the lock is released. */
    const stopAt = (tag: string): Promise<void> =>
      execute(
        installation.database,
        `CREATE FUNCTION ${gate}() RETURNS event_trigger LANGUAGE plpgsql AS
         $$ BEGIN PERFORM pg_advisory_xact_lock(${key}); END $$;
       CREATE EVENT TRIGGER ${gate} ON ddl_command_end WHEN TAG IN ('${tag}') EXECUTE FUNCTION ${gate}()`,
      );

    it.each([
      ['SIGKILL', 'DROP TABLE', undefined],
      ['SIGKILL', 'CREATE INDEX', undefined],
      ['SIGTERM', 'CREATE INDEX', 143],
    ] as const)('is rolled back by %s at a %s', async (signal, tag, expected) => {
      await stopAt(tag);
      const before = await now();
      await withClient(installation.database.url, async (client) => {
        await client.query('SELECT pg_advisory_lock($1)', [key]);
        const reset = startReset();
        await eventually(async () => {
          const { rowCount } = await client.query(
            `SELECT FROM pg_stat_activity WHERE datname = current_database()
             AND application_name LIKE 'db-init % reset' AND wait_event = 'advisory'`,
          );
          return rowCount === 1;
        });
        reset.kill(signal);
        expect((await reset).exitCode).toBe(expected);
      });
      await settle(installation.database);
      expect(await now()).toBe(before);
    });

    it('is rolled back if it fails, and the banner names the backup', async () => {
      await execute(
        installation.database,
        `CREATE FUNCTION ${gate}() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$;
       CREATE EVENT TRIGGER ${gate} ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION ${gate}()`,
      );
      const before = await now();
      const { exitCode, stderr } = await startReset();
      expect(exitCode).toBe(20);
      expect(stderr).toContain('not today');
      expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(/The safety backup .* contains the database/);
      expect(await now()).toBe(before);
    });
  },
  'tools',
);
