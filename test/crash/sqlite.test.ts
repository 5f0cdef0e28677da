import { kinds } from './kinds.ts';
import { describeDeaths } from './matrix.ts';
import { sqliteScene } from './sqlite-stage.ts';

for (const kind of kinds) {
  if (kind.engines.includes('sqlite')) describeDeaths(kind, `${kind.name} (sqlite)`, sqliteScene);
}
