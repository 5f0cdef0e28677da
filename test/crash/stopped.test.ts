import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withClient } from '../support/database.ts';
import { describePostgres, requirePostgres } from '../support/postgres-server.ts';
import { kindCalled, succeed } from './kinds.ts';
import { type CrashCase, prepareCase, runCase } from './crash-case.ts';
import { differenceOf } from './database-snapshot.ts';
import { postgresInstallation } from './postgres-environment.ts';
import { randomOf } from './random.ts';
import type { TestInstallation } from './test-installation.ts';
import { sqliteInstallation } from './sqlite-environment.ts';
import { type Case, failuresOf, seed } from './case-counts.ts';

/** The number of randomly chosen steps for each case; TEST_CRASH_STEPS=1000 takes all. */
const most = Math.ceil(Number(process.env['TEST_CRASH_STEPS'] ?? 8) / 8);
const kind = kindCalled('restore');

/** Ends the sessions of a stopped run, as the timeouts of a server do. */
const endSessions = (name: string): Promise<unknown> =>
  withClient(requirePostgres().url, (client) =>
    client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'db-init %' AND
         (starts_with(datname, $1) OR datname IN ('postgres', 'template1')) AND pid <> pg_backend_pid()`,
      [name],
    ),
  );

describe('a paused restore (sqlite)', () => {
  testStops('sqlite', once(sqliteInstallation), () => Promise.resolve());
});

describePostgres(
  'a paused restore whose sessions end (postgresql)',
  () => {
    const prepared = once(() => postgresInstallation({ server: requirePostgres().url, changes: kind.changes }));
    testStops('postgresql', prepared, ({ name }) => endSessions(name));

    it('moves nothing after another run has finished the work, if the kernel has no locks', async () => {
      const crashCase = await prepared();
      const { installation } = crashCase;
      // at the swap of the files
      const first = crashCase.steps.findIndex((step) => step.startsWith('mkdir .db-init-former'));
      const cases = stepsOf(crashCase, first, /^rename /).map(({ title, step }): Case => {
        const run = async (): Promise<void> => {
          let settled: Awaited<ReturnType<TestInstallation['snapshot']>> | null = null;
          const meanwhile = async (): Promise<void> => {
            await endSessions(installation.name);
            rmSync(join(installation.backups, '.db-init/lock'));
            await succeed(installation, []);
            settled = await installation.snapshot();
          };
          const ending = await installation.runProcess(kind.args(installation), {
            death: { kind: 'stop', step, meanwhile },
          });
          if (settled === null) throw new Error(`it was never stopped:\n${ending.all}`);
          expect(ending.exitCode, ending.all).toBe(31);
          expect(ending.all).toContain('Another run has taken over');
          expect(differenceOf(await installation.snapshot(), settled)).toBeNull();
          expect(await installation.leftovers()).toEqual([]);
          await installation.restoreSaved();
        };
        return { title, run };
      });
      expect(await failuresOf('stopped without locks', cases, () => installation.restoreSaved())).toEqual([]);
    });
  },
  'tools',
);

/** Stops a restore at a step after its journal was written, runs a start meanwhile, and continues the restore. */
function testStops(
  title: string,
  prepared: () => Promise<CrashCase>,
  whileStopped: (installation: TestInstallation) => Promise<unknown>,
): void {
  it('keeps other runs away, and is completed by itself or by another run', async () => {
    const crashCase = await prepared();
    const { installation } = crashCase;
    const cases = stepsOf(
      crashCase,
      crashCase.steps.findIndex((step) => /restore\.json\.partial restore/.test(step)) + 1,
    ).map(({ title: where, step }): Case => {
      const meanwhile = async (): Promise<void> => {
        await whileStopped(installation);
        const gate = await installation.run([], { TT_LOCK_TIMEOUT: '0' });
        expect(gate.exitCode, gate.all).toBe(5);
        expect(gate.all.replaceAll(/\s+/g, ' ')).toContain('it is stopped: kill -CONT');
      };
      const death = { kind: 'stop', step, meanwhile } as const;
      return {
        title: where,
        run: () => runCase(crashCase, () => installation.runProcess(kind.args(installation), { death })),
      };
    });
    expect(await failuresOf(`stopped (${title})`, cases, () => installation.restoreSaved())).toEqual([]);
  });
}

/** Some steps of a kind, from the given one to the last one before the journal is removed. */
function stepsOf(
  { steps }: CrashCase,
  first: number,
  sort = /^/,
): readonly { readonly title: string; readonly step: number }[] {
  const last = steps.findIndex((step, index) => index > first && step.startsWith('rm restore.json.partial'));
  const all = steps.flatMap((title, index) =>
    index >= first && index < last && sort.test(title) ? [{ title, step: index + 1 }] : [],
  );
  if (all.length <= most) return all;
  const chance = randomOf(seed(), 'stopped');
  const chosen = Array.from({ length: most }, (_, part) => all[Math.floor(((part + chance()) * all.length) / most)]);
  return chosen.filter((step) => step !== undefined);
}

/** Without a stop, the work is done only once. */
function once(open: () => Promise<TestInstallation>): () => Promise<CrashCase> {
  let crashCase: Promise<CrashCase> | null = null;
  return () => (crashCase ??= open().then((installation) => prepareCase(kind, installation)));
}
