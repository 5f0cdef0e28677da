import type { Database } from '../database/database.ts';
import { findSurroundings, type Surrounding } from '../database/postgres/left-behind.ts';
import { reasonOf } from '../errors/failure.ts';
import type { Log } from '../report/log.ts';
import { describeNotRecreated } from '../report/restore-messages.ts';
import type { Way } from '../state-folder/journal.ts';

/**
 * What the live database has around the application's tables, and no archive holds: publications, subscriptions,
 * replication slots, rights of other roles, default privileges.
 * @param way in which the database is exchanged: what belongs to a database stays where only a schema changes
 */
export async function findLeftBehind(live: Database, way: Way): Promise<readonly Surrounding[]> {
  if (way === 'files') return [];
  return live.read((session) => findSurroundings(session, way === 'schemas' ? 'schema' : 'database'));
}

/** Makes anew in a restored database what can do no harm there. What cannot be made, for want of its table perhaps, is told. */
export async function carryAlong(around: readonly Surrounding[], database: Database, log: Log): Promise<void> {
  for (const { object, on, statement } of around.filter(({ safe }) => safe)) {
    try {
      await database.transaction((session) => session.run(statement));
    } catch (error) {
      log.warn(describeNotRecreated(on === null ? object : `${object} on ${on}`, reasonOf(error)));
    }
  }
}

/** What of it a restored database lacks. */
export async function findLacking(
  around: readonly Surrounding[],
  database: Database,
  way: Way,
): Promise<readonly Surrounding[]> {
  const there = new Set((await findLeftBehind(database, way)).map(({ statement }) => statement));
  return around.filter(({ statement }) => !there.has(statement));
}
