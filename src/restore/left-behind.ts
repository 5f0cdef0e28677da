import type { Database } from '../database/database.ts';
import { findUnarchivedObjects, type UnarchivedObject } from '../database/postgres/unarchived-objects.ts';
import { reasonOf } from '../errors/failure.ts';
import type { Log } from '../report/log.ts';
import { describeNotRecreated } from '../report/restore-messages.ts';
import type { Way } from '../state-folder/journal.ts';

/**
 * Reads what belongs to the live database and is in no archive: publications, subscriptions, replication slots, rights
 * of other roles, default privileges.
 * @param way the kind of swap: a swap of schemas keeps what belongs to the database
 */
export async function findLeftBehind(live: Database, way: Way): Promise<readonly UnarchivedObject[]> {
  if (way === 'files') return [];
  return live.read((session) => findUnarchivedObjects(session, way === 'schemas' ? 'schema' : 'database'));
}

/**
 * Makes in a restored database those objects that can do no harm there. Logs what cannot be made, for example because
 * its table is missing.
 */
export async function carryAlong(around: readonly UnarchivedObject[], database: Database, log: Log): Promise<void> {
  for (const { object, on, statement } of around.filter(({ safe }) => safe)) {
    try {
      await database.transaction((session) => session.run(statement));
    } catch (error) {
      log.warn(describeNotRecreated(on === null ? object : `${object} on ${on}`, reasonOf(error)));
    }
  }
}

/** The objects that a restored database lacks. */
export async function findLacking(
  around: readonly UnarchivedObject[],
  database: Database,
  way: Way,
): Promise<readonly UnarchivedObject[]> {
  const there = new Set((await findLeftBehind(database, way)).map(({ statement }) => statement));
  return around.filter(({ statement }) => !there.has(statement));
}
