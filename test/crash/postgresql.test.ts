import { describePostgres, requirePostgres } from '../support/postgres-server.ts';
import { kinds } from './kinds.ts';
import { describeDeaths } from './matrix.ts';
import { postgresScene } from './postgres-stage.ts';

for (const kind of kinds) {
  if (!kind.engines.includes('postgresql')) continue;
  const { name, changes } = kind;
  const openScene = () => postgresScene({ server: requirePostgres().url, changes });
  describePostgres('', () => describeDeaths(kind, `${name} (postgresql)`, openScene), 'tools');
}
