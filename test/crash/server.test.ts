import { expect, it } from 'vitest';
import { describePostgres } from '../support/postgres-server.ts';
import { describePrivateCluster, type PrivateCluster, startPrivateCluster } from '../support/private-cluster.ts';
import { type Kind, kinds } from './kinds.ts';
import { prepareCase, runCase } from './crash-case.ts';
import { postgresInstallation } from './postgres-environment.ts';
import { randomOf } from './random.ts';
import { failuresOf, seed } from './case-counts.ts';

/** How often the server dies in each kind of work. */
const deaths = Number(process.env['TEST_CRASH_SERVER_DEATHS'] ?? 2);

let cluster: Promise<PrivateCluster> | null = null;

async function haveServerDie(kind: Kind, title: string): Promise<readonly string[]> {
  const server = await (cluster ??= startPrivateCluster());
  const installation = await postgresInstallation({ server: server.url, changes: kind.changes });
  const crashCase = await prepareCase(kind, installation);
  const chance = randomOf(seed(), `${title} server`);
  // the last one dies when the work has said that it is done: what was committed has to be on the disk by then
  const parts = [...Array.from({ length: deaths - 1 }, (_, index) => (index + chance()) / (deaths - 1)), null];
  const cases = parts.map((part) => ({
    title: `the server killed and started again ${part === null ? 'after its end' : `after ${(part * 100).toFixed(1)} % of its time`}`,
    run: () =>
      runCase(crashCase, async () => {
        // nothing that the setup wrote may be lost
        await server.run('CHECKPOINT');
        const work = installation.runProcess(kind.args(installation));
        await (part === null ? work : new Promise((resolve) => setTimeout(resolve, part * crashCase.duration)));
        await server.crash();
        return work;
      }),
  }));
  return failuresOf(title, cases, () => installation.back());
}

const describeWithTools = (title: string, spec: () => void): void => describePostgres(title, spec, 'tools');

describePrivateCluster('a server that is killed', () => {
  for (const kind of kinds.filter(({ engines }) => engines.includes('postgresql'))) {
    const title = `${kind.name} (postgresql)`;
    describeWithTools(title, () => {
      it('leaves work that the next start completes or rolls back', async () => {
        expect(await haveServerDie(kind, title)).toEqual([]);
      });
    });
  }
});
