import { startProxy } from '../support/postgres-proxy.ts';
import { failuresOf, seed } from './case-counts.ts';
import { type CrashCase, runCase } from './crash-case.ts';
import type { Kind } from './kinds.ts';
import { randomOf } from './random.ts';

/** The number of statements of backup, restore and undo at which the connection is cut. Other work gets half as many. */
const cuts = Number(process.env['TEST_CRASH_CUTS'] ?? 8);
const cutsOf = ({ share }: Kind): number => (share === 1 ? cuts : Math.ceil(cuts / 2));

/** The statement at which a connection is cut. */
interface Cut {
  readonly statement: number;
  readonly side: 'before' | 'after';
  /** All connections, or only the connection of that statement. */
  readonly all: boolean;
}

/** A proxy that cuts connections at given statements. */
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
    /** Runs `work` with a cut. @returns the number of statements */
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

/** Cuts the connections of a kind of work at evenly chosen statements. @returns descriptions of the failures */
export async function cutEverywhere(crashCase: CrashCase, title: string): Promise<readonly string[]> {
  const { kind, installation } = crashCase;
  const proxy = await startCuttingProxy(installation.url);
  // The next starts use the same variables, because the journal of a restore holds the address of the server. A run that
  // loses all connections waits for the server; a short time is enough here.
  const more = { DATABASE_URL: proxy.through(installation.url), TT_WAIT_TIMEOUT: '2' };
  const chance = randomOf(seed(), title);
  const [, statements] = await proxy.cutting(null, () => installation.run(kind.args(installation), more));
  await installation.restoreSaved();
  const count = Math.min(statements, cutsOf(kind));
  const cases = Array.from({ length: count }, (_, index) => {
    const statement = 1 + Math.floor(((index + chance()) / count) * statements);
    const cut: Cut = { statement, side: chance() < 0.5 ? 'before' : 'after', all: chance() < 0.5 };
    const which = cut.all ? 'all connections' : 'a connection';
    const work = () => installation.runProcess(kind.args(installation), { more });
    return {
      title: `${which} cut ${cut.side} statement ${statement} of ${statements}`,
      run: () => runCase(crashCase, async () => (await proxy.cutting(cut, work))[0], more),
    };
  });
  return failuresOf(title, cases, () => installation.restoreSaved());
}
