import type { DatabaseFacts, MissingRight } from '../model/database-facts.ts';
import type { Work } from '../model/plan.ts';
import { findSafetyObstacle } from '../backup/safety.ts';
import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { Failure, type Problem } from '../errors/failure.ts';
import { releaseGraph } from '../migration/revisions.ts';
import { loadExpectedSchema, loadHead } from '../schema/expected-schema.ts';
import { findUnderOtherName } from '../schema/other-names.ts';
import { generatedColumns } from '../schema/owner-attachments.ts';
import { findLostSeed } from '../schema/torn-load.ts';
import { requireEncoding } from './encoding.ts';
import { unrepairableRefusal, startsWithQuarantine } from './plan.ts';

/**
 * Finds what prevents a plan that writes, before anything is written: the encoding, missing rights, objects such as
 * triggers that refuse the application's rows, broken unique indexes, and no folder for the safety backup. This module
 * is loaded on demand, because most runs have nothing to write.
 * @returns null if nothing prevents the plan
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
    await requireNoObstruction(plan, facts, database);
    await requireSoundIndexes(database);
    return await findSafetyObstacle({ database, config }, facts);
  } catch (error) {
    if (error instanceof Failure) return error.problem;
    throw error;
  }
}

/** Migrations find rows through unique indexes; a broken index misses some of them. @throws Failure `broken-indexes` */
async function requireSoundIndexes(database: Database): Promise<void> {
  if (database.engine !== 'postgresql') return;
  const { findBrokenIndexes } = await import('../database/postgres/index-check.ts');
  const indexes = await findBrokenIndexes(database);
  if (indexes.length > 0) throw new Failure({ kind: 'broken-indexes', database: database.name, indexes });
}

/**
 * Applies the checks at the head before the migration: after it, an object that refuses rows would roll it back, and
 * tables that later revisions insert rows into would no longer be empty, and a table with another name fails a revision.
 * @throws Failure `refused`, as at the head
 */
async function requireNoObstruction(
  { state: { kind } }: Work,
  { runtime, revisions, catalog }: DatabaseFacts,
  database: Database,
): Promise<void> {
  const { head, seed } = await loadExpectedSchema(database.engine);
  const obstructions = [
    ...runtime.attachments.filter(
      ({ table, refuses }) => refuses && table !== null && Object.hasOwn(head.tables, table),
    ),
    ...generatedColumns(head, catalog, database.engine),
  ].map((attachment) => ({ kind: 'obstruction', attachment }) as const);
  const applied = kind === 'behind' ? releaseGraph.withAncestors(revisions ?? []) : new Set<string>();
  const lost = findLostSeed(runtime.answers, applied).map((table) => ({ kind: 'missing-rows', table }) as const);
  const renamed = Object.keys(head.tables).flatMap((table) => {
    const found = findUnderOtherName(table, head, catalog);
    return found === null ? [] : [{ difference: { kind: 'missing-table', table } as const, found }];
  });
  const differences = [...obstructions, ...lost, ...renamed.map(({ difference }) => difference)];
  if (differences.length === 0) return;
  const { unsafeByAttachment, unsafeByMissingRows, unsafeByOtherName } = await import('../repair/decisions.ts');
  const unsafe = [
    ...obstructions.map(unsafeByAttachment),
    ...lost.map((difference) => unsafeByMissingRows(difference, seed, catalog)),
    ...renamed.map(({ difference, found }) => unsafeByOtherName(difference, found)),
  ];
  const state = { kind: 'drifted', revisions: revisions ?? [], older: null, differences } as const;
  throw new Failure({ kind: 'refused', database: database.name, refusal: unrepairableRefusal(state, unsafe) });
}

/** @throws Failure `missing-rights`, `file-access-denied` */
async function requireRights(plan: Work, facts: DatabaseFacts, database: Database): Promise<void> {
  const cleans = startsWithQuarantine(plan);
  // the ownership of objects that are not TimeTracker's does not matter
  const head = await loadHead(database.engine);
  const altered = Object.keys(facts.catalog.tables).filter((name) => Object.hasOwn(head.tables, name));
  // db-init begins its transactions READ WRITE, whatever the default is; the application does not
  const settings = facts.runtime.attachments.filter(({ table, refuses }) => table === null && refuses);
  const rights = [
    ...settings.map((setting) => ({ action: { kind: 'write', setting } as const, remedy: `${setting.remedy};` })),
    ...(await database.missingRights({ alters: cleans ? [] : altered, quarantines: cleans })),
    ...(cleans ? await missingToClean(database) : []),
  ];
  if (rights.length > 0) throw new Failure({ kind: 'missing-rights', database: database.name, rights });
}

async function missingToClean(database: Database): Promise<readonly MissingRight[]> {
  const { rightsMissingToClean } = await import('../quarantine/batches.ts');
  return rightsMissingToClean(database);
}
