import { expect, it } from 'vitest';
import { openMaintenanceConnection } from '../../../src/database/postgres/maintenance-connection.ts';
import { withClient } from '../../support/database.ts';
import { describePrivateCluster, startPrivateCluster } from '../../support/private-cluster.ts';
import { eventually } from '../../support/wait-for-output.ts';
import { never, targetOf } from './loads.ts';

describePrivateCluster('a database beside the live one', () => {
  it('is dropped while the server vacuums it, although its owner may not end the vacuum', async () => {
    const cluster = await startPrivateCluster(['-c', 'autovacuum=on', '-c', 'autovacuum_naptime=1s']);
    await cluster.run("CREATE ROLE app LOGIN CREATEDB PASSWORD 'secret'");
    await cluster.run('CREATE DATABASE live OWNER app');
    const url = (name: string): string => Object.assign(new URL(cluster.url), { pathname: `/${name}` }).href;
    const target = { ...targetOf(url('live')), user: 'app', password: 'secret' };
    const silent = (): string => '';
    const maintenance = await openMaintenanceConnection(target, {
      waitTimeout: 10,
      lockTimeout: 10,
      applicationName: 'db-init 0 restore',
      signal: never,
      onWaiting: silent,
      onLockWaiting: silent,
    });
    try {
      await maintenance?.create('scratch');
      // a vacuum of a page a tenth of a second
      await withClient(url('scratch'), (client) =>
        client.query(`
          CREATE TABLE slow (id int) WITH (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,
            autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0);
          INSERT INTO slow SELECT generate_series(1, 200000);
          DELETE FROM slow WHERE id % 2 = 0`),
      );
      await withClient(cluster.url, (client) =>
        eventually(async () => {
          const worker = `SELECT 1 FROM pg_stat_activity WHERE datname = 'scratch' AND backend_type = 'autovacuum worker'`;
          return (await client.query(worker)).rows.length > 0;
        }),
      );
      await maintenance?.drop('scratch');
      expect(await maintenance?.exists('scratch')).toBe(false);
    } finally {
      await maintenance?.close();
    }
  });
});
