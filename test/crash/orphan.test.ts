import { execFileSync } from 'node:child_process';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { withClient } from '../support/database.ts';
import { describePostgres, requirePostgres } from '../support/postgres-server.ts';
import { start } from '../support/run.ts';
import { eventually } from '../support/wait-for-output.ts';
import { kindCalled } from './kinds.ts';
import { differenceOf } from './database-snapshot.ts';
import { postgresInstallation, urlOf } from './postgres-environment.ts';
import { failuresOf } from './case-counts.ts';

const kind = kindCalled('restore by schemas');
const key = 4712;

/** Blocks the session that adds the last foreign keys: at that time psql has received everything, including its COMMIT. */
const gate = `
  CREATE FUNCTION pg_catalog.crash_gate() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
    IF (SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace) > 100
      THEN PERFORM pg_advisory_xact_lock(${key}); END IF; END $$;
  CREATE EVENT TRIGGER crash_gate ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION crash_gate()`;

describePostgres(
  'a psql that outlives its restore',
  () => {
    it('does not commit after the next start has begun', async () => {
      const server = requirePostgres().url;
      const installation = await postgresInstallation({ server, changes: 'schemas' });
      await kind.prepare(installation);
      const before = await installation.snapshot();
      const url = urlOf(server, installation.name);

      const run = async (): Promise<void> => {
        await withClient(url, (client) => client.query('SET allow_system_table_mods TO on; ' + gate));
        await withClient(url, async (client) => {
          await client.query('SELECT pg_advisory_lock($1)', [key]);
          const restore = execa(restoreCommand(), kind.args(installation), {
            reject: false,
            env: installation.env,
            all: true,
          });
          const waits = async (): Promise<boolean> => {
            const { rowCount } = await client.query(
              `SELECT FROM pg_stat_activity WHERE datname = current_database()
                 AND application_name LIKE 'db-init load %' AND wait_event = 'advisory'`,
            );
            return rowCount === 1;
          };
          await eventually(waits);
          // what pg_restore wrote was passed on
          await eventually(async () => !childrenOf(restore.pid).includes('pg_restore'));
          await client.query('SELECT pg_sleep(0.2)');
          process.kill(restore.pid ?? 0, 'SIGKILL');
          await restore;

          const next = start([], { env: installation.env });
          await Promise.race([next, eventually(async () => !(await waits()))]);
          await client.query('SELECT pg_advisory_unlock($1)', [key]);
          const { exitCode, all } = await next;
          expect(exitCode, all).toBe(0);
        });
        await withClient(url, (client) => client.query('DROP EVENT TRIGGER crash_gate; DROP FUNCTION crash_gate'));
        expect(differenceOf(await installation.snapshot(), before)).toBeNull();
        expect(await installation.leftovers()).toEqual([]);
      };
      expect(await failuresOf(kind.name, [{ title: 'killed when psql knew everything', run }])).toEqual([]);
    });
  },
  'tools',
);

const restoreCommand = (): string => new URL('../../entrypoint', import.meta.url).pathname;

/** The names of a process's children. */
function childrenOf(pid: number | undefined): readonly string[] {
  try {
    return execFileSync('ps', ['-o', 'comm=', '--ppid', String(pid)], { encoding: 'utf8' })
      .trim()
      .split('\n');
  } catch {
    return [];
  }
}
