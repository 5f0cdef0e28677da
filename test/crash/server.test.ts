import { expect, it } from 'vitest';
import { describePostgres } from '../support/postgres-server.ts';
import { describePrivateCluster, type PrivateCluster, startPrivateCluster } from '../support/private-cluster.ts';
import { type Kind, kinds } from './kinds.ts';
import { prepareCase, runCase } from './crash-case.ts';
import { postgresInstallation } from './postgres-environment.ts';
import { randomOf } from './random.ts';
import { failuresOf, seed } from './case-counts.ts';

/** How often the server is killed in each kind of work. */
const deaths = Number(process.env['TEST_CRASH_SERVER_DEATHS'] ?? 2);

let cluster: Promise<PrivateCluster> | null = null;

async function killServerDuring(kind: Kind, title: string): Promise<readonly string[]> {
  const server = await (cluster ??= startPrivateCluster());
  const installation = await postgresInstallation({ server: server.url, changes: kind.changes });
  const crashCase = await prepareCase(kind, installation);
  const chance = randomOf(seed(), `${title} server`);
  // the last kill follows the end of the work: committed data must be on the disk by then
  const parts = [...Array.from({ length: deaths - 1 }, (_, index) => (index + chance()) / (deaths - 1)), null];
  const cases = parts.map((part) => ({
    title: `the server killed and started again ${part === null ? 'after its end' : `after ${(part * 100).toFixed(1)} % of its time`}`,
    run: () =>
      runCase(crashCase, async () => {
        // the data of the setup must not be lost
        await server.run('CHECKPOINT');
        const work = installation.runProcess(kind.args(installation));
        await (part === null ? work : new Promise((resolve) => setTimeout(resolve, part * crashCase.duration)));
        await server.crash();
        return work;
      }),
  }));
  return failuresOf(title, cases, () => installation.restoreSaved());
}

const describeWithTools = (title: string, spec: () => void): void => describePostgres(title, spec, 'tools');

describePrivateCluster('a server that is killed', () => {
  for (const kind of kinds.filter(({ engines }) => engines.includes('postgresql'))) {
    const title = `${kind.name} (postgresql)`;
    describeWithTools(title, () => {
      it('leaves work that the next start completes or rolls back', async () => {
        expect(await killServerDuring(kind, title)).toEqual([]);
      });
    });
  }
});
