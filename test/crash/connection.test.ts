import { describe, expect, it } from 'vitest';
import { describePostgres, requirePostgres } from '../support/postgres-server.ts';
import { startProxy } from '../support/postgres-proxy.ts';
import { type Kind, kinds } from './kinds.ts';
import { prepareCase, runCase } from './crash-case.ts';
import { postgresInstallation } from './postgres-environment.ts';
import { randomOf } from './random.ts';
import { failuresOf, seed } from './case-counts.ts';

/** At how many statements of backup, restore and undo a connection is cut; of others at half as many. */
const cuts = Number(process.env['TEST_CRASH_CUTS'] ?? 8);
const cutsOf = ({ share }: Kind): number => (share === 1 ? cuts : Math.ceil(cuts / 2));

/** Where a connection is cut. */
interface Cut {
  readonly statement: number;
  readonly side: 'before' | 'after';
  /** All connections, or the one that the statement came by. */
  readonly all: boolean;
}

/** A proxy that cuts where it is told. */
async function startCuttingProxy(url: string) {
  let statements = 0;
  let cut: Cut | null = null;
  const proxy = await startProxy(() => ({
    kind: 'forward',
    url,
    cut() {
      statements += 1;
      if (cut === null || statements < cut.statement || (statements > cut.statement && !cut.all)) return null;
      return cut.side;
    },
  }));
  return {
    through: (target: string) => proxy.urlOf(target),
    /** Runs something with a connection cut. @returns how many statements there were */
    async cutting<Result>(wanted: Cut | null, work: () => Promise<Result>): Promise<[Result, number]> {
      [statements, cut] = [0, wanted];
      try {
        return [await work(), statements];
      } finally {
        cut = null;
      }
    },
  };
}

async function cutEverywhere(kind: Kind, title: string): Promise<readonly string[]> {
  const server = requirePostgres().url;
  const proxy = await startCuttingProxy(server);
  // a run that loses all connections waits for the server, and need not wait long to learn what it has to learn
  const env = { TT_WAIT_TIMEOUT: '2' };
  const installation = await postgresInstallation({ server, changes: kind.changes, through: proxy.through, env });
  const crashCase = await prepareCase(kind, installation);
  const chance = randomOf(seed(), title);
  const [, statements] = await proxy.cutting(null, () => installation.run(kind.args(installation)));
  await installation.back();
  const count = Math.min(statements, cutsOf(kind));
  const cases = Array.from({ length: count }, (_, index) => {
    const statement = 1 + Math.floor(((index + chance()) / count) * statements);
    const cut: Cut = { statement, side: chance() < 0.5 ? 'before' : 'after', all: chance() < 0.5 };
    const which = cut.all ? 'all connections' : 'a connection';
    return {
      title: `${which} cut ${cut.side} statement ${statement} of ${statements}`,
      run: () =>
        runCase(crashCase, async () => (await proxy.cutting(cut, () => installation.run(kind.args(installation))))[0]),
    };
  });
  return failuresOf(title, cases, () => installation.back());
}

describePostgres(
  'a run whose connection is cut',
  () => {
    for (const kind of kinds.filter(({ engines }) => engines.includes('postgresql'))) {
      const title = `${kind.name} (postgresql)`;
      describe(title, () => {
        it('is completed or rolled back by the next start', async () => {
          expect(await cutEverywhere(kind, title)).toEqual([]);
        });
      });
    }
  },
  'tools',
);
