import type { RestoreObstacle } from '../failure.ts';
import { capital } from './advice.ts';
import type { Notice } from './banner.ts';

/** Why nothing was restored. */
export function describeRestoreObstacle(database: string, obstacle: RestoreObstacle): Notice {
  return {
    title: `Nothing was restored: ${database}`,
    happened: ['reason' in obstacle ? `${capital(obstacle.reason)}.` : obstacle.kind],
    safe: 'the live database is as it was.',
    options: [],
  };
}
