import type { Database } from '../database/database.ts';
import { reasonOf } from '../errors/failure.ts';
import type { Log } from '../report/log.ts';
import { describeNotRecreated } from '../report/restore-messages.ts';
import type { SwapKind } from '../state-folder/journal.ts';
import { findUnarchivedObjects, type UnarchivedObject } from '../database/postgres/unarchived-objects.ts';

/**
 * Finds the objects that belong to the live database and that no archive contains: publications, subscriptions,
 * replication slots, rights of other roles, default privileges. SQLite has none.
 * @param swapKind the kind of swap: a swap of schemas keeps what belongs to the database
 */
export async function findUnarchived(live: Database, swapKind: SwapKind): Promise<readonly UnarchivedObject[]> {
  if (swapKind === 'files') return [];
  return live.read((session) => findUnarchivedObjects(session, swapKind === 'schemas' ? 'schema' : 'database'));
}

/**
 * Creates those objects in a restored database that can do no harm there (`safe`). Logs each one that cannot be
 * created, for example because its table is missing.
 */
export async function recreateUnarchived(
  unarchived: readonly UnarchivedObject[],
  database: Database,
  log: Log,
): Promise<void> {
  for (const { object, on, statement } of unarchived.filter(({ safe }) => safe)) {
    try {
      await database.transaction((session) => session.run(statement));
    } catch (error) {
      log.warn(describeNotRecreated(on === null ? object : `${object} on ${on}`, reasonOf(error)));
    }
  }
}

/** Finds those objects that the restored database lacks. */
export async function findMissing(
  unarchived: readonly UnarchivedObject[],
  database: Database,
  swapKind: SwapKind,
): Promise<readonly UnarchivedObject[]> {
  const there = new Set((await findUnarchived(database, swapKind)).map(({ statement }) => statement));
  return unarchived.filter(({ statement }) => !there.has(statement));
}
