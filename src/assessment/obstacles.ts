import type { DatabaseFacts } from '../model/database-facts.ts';
import type { Work } from '../model/plan.ts';
import { findSafetyObstacle } from '../backup/safety.ts';
import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { Failure, type Problem } from '../errors/failure.ts';
import { rightsMissingToClean } from '../quarantine/batches.ts';
import { loadHead } from '../schema/expected-schema.ts';
import { requireEncoding } from './encoding.ts';
import { unrepairableRefusal, startsWithQuarantine } from './plan.ts';

/**
 * What keeps a plan that writes from being carried out, asked before anything starts: the encoding, the rights, what
 * refuses the application's rows, unique indexes that are broken, and the place of a safety backup that must be made.
 * Nothing is written. It is a module of its own because most runs have nothing to do.
 * @returns null if nothing is in the way
 */
export async function findObstacle(
  plan: Work,
  facts: DatabaseFacts,
  database: Database,
  config: Config,
): Promise<Problem | null> {
  try {
    if (plan.kind === 'migrate') await requireEncoding(plan.pending, database);
    await requireRights(plan, facts, database);
    await requireNoObstruction(facts, database);
    await requireSoundIndexes(database);
    return await findSafetyObstacle({ database, config }, facts);
  } catch (error) {
    if (error instanceof Failure) return error.problem;
    throw error;
  }
}

/** A migration looks up rows by its unique indexes, and would build on what they miss. @throws Failure `broken-indexes` */
async function requireSoundIndexes(database: Database): Promise<void> {
  if (database.engine !== 'postgresql') return;
  const { findBrokenIndexes } = await import('../database/postgres/index-check.ts');
  const indexes = await findBrokenIndexes(database);
  if (indexes.length > 0) throw new Failure({ kind: 'broken-indexes', database: database.name, indexes });
}

/**
 * What refuses the application's rows would still be there after the migration, which would be taken back for it.
 * @throws Failure `refused`, as at the head
 */
async function requireNoObstruction({ surroundings, revisions }: DatabaseFacts, database: Database): Promise<void> {
  const head = await loadHead(database.engine);
  const differences = surroundings.attachments
    .filter(({ table, refuses }) => refuses && table !== null && Object.hasOwn(head.tables, table))
    .map((attachment) => ({ kind: 'obstruction', attachment }) as const);
  if (differences.length === 0) return;
  const { obstructed } = await import('../repair/decisions.ts');
  const state = { kind: 'drifted', revisions: revisions ?? [], older: null, differences } as const;
  const refusal = unrepairableRefusal(state, differences.map(obstructed));
  throw new Failure({ kind: 'refused', database: database.name, refusal });
}

/** @throws Failure `missing-rights`, `file-access-denied` */
async function requireRights(plan: Work, facts: DatabaseFacts, database: Database): Promise<void> {
  const cleans = startsWithQuarantine(plan);
  // what is the owner's own may belong to whom it will
  const head = await loadHead(database.engine);
  const altered = Object.keys(facts.catalog.tables).filter((name) => Object.hasOwn(head.tables, name));
  // our own transactions ask to write, whatever the default is; the application's do not
  const settings = facts.surroundings.attachments.filter(({ table, refuses }) => table === null && refuses);
  const rights = [
    ...settings.map(({ what, name, detail, remedy }) => ({ action: `write (${what} ${name}: ${detail})`, remedy })),
    ...(await database.missingRights({ alters: cleans ? [] : altered, quarantines: cleans })),
    ...(cleans ? await rightsMissingToClean(database) : []),
  ];
  if (rights.length > 0) throw new Failure({ kind: 'missing-rights', database: database.name, rights });
}
