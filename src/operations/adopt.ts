import type { DatabaseFacts } from '../model/database-facts.ts';
import type { State } from '../model/state.ts';
import type { Plan } from '../model/plan.ts';
import { warnOfAbsentUploads } from '../backup/absent-uploads.ts';
import { makeSafetyBackup, type SafetyContext } from '../backup/safety.ts';
import type { Database } from '../database/database.ts';
import { Failure } from '../errors/failure.ts';
import { assess } from '../assessment/assess.ts';
import { refusalOf } from '../assessment/plan.ts';
import { stampLedger } from '../migration/ledger.ts';
import { releaseGraph } from '../migration/revisions.ts';
import { adoptionMessages } from '../report/gate-messages.ts';
import { describeMatch, describeDifference } from '../report/schema-differences.ts';
import { commandsFor } from '../report/commands.ts';
import { loadFingerprints } from '../schema/fingerprints.ts';
import { compareWith } from '../schema/identification.ts';

/** The dependencies of an adoption. */
export interface AdoptionContext extends SafetyContext {
  /** Asks the operator to agree to the sentence. Throws if the operator does not agree. */
  readonly consent: (what: string) => Promise<void>;
}

/** The options of the command. */
export interface AdoptionRequest {
  /** The revisions to stamp; null: identify them by the schema. */
  readonly revisions: readonly string[] | null;
  /** Stamp them even if the schema differs from theirs. */
  readonly force: boolean;
}

/**
 * Finds the revisions with which to stamp the database, and logs the reason.
 * @throws Failure `refused` if the schema is not that of a revision, `adoption-refused` if it is not that of the
 *   requested revisions, `usage` if there is nothing to adopt
 */
export async function planAdoption(
  { revisions, force }: AdoptionRequest,
  context: AdoptionContext,
): Promise<{ readonly rows: readonly string[]; readonly facts: DatabaseFacts }> {
  const { database, config, log, recorder } = context;
  const seen = await assess(database, config);
  const { observation, state, plan } = seen;
  recorder.assessed(seen);
  if (observation.kind !== 'seen') throw notAdoptable(database, state, plan);
  if (state.kind !== 'unversioned' && state.kind !== 'drifted') throw notAdoptable(database, state, plan);
  const { facts } = observation;
  const torn = state.kind === 'unversioned' && state.torn !== null && !force;
  if (revisions !== null && !torn) return { rows: await compareRevisions(revisions, force, facts, context), facts };
  if (state.kind === 'drifted') {
    if (state.older === null) throw notAdoptable(database, state, plan);
    return { rows: state.older, facts };
  }
  if (state.identity.kind === 'none' || state.torn !== null) {
    throw new Failure({ kind: 'refused', database: database.name, refusal: refusalOf(state) });
  }
  describeMatch(state.identity).forEach((line) => log.info(line));
  return { rows: state.identity.revisions, facts };
}

/**
 * Stamps the database after a safety backup, and changes nothing else. Call it under the run lock.
 * @throws Failure as `planAdoption`, or `missing-rights`, `backup-failed`
 */
export async function adopt(request: AdoptionRequest, context: AdoptionContext): Promise<void> {
  const { database, config, log, recorder } = context;
  const { rows, facts } = await planAdoption(request, context);
  const exists = facts.revisions !== null;
  await requireRights(facts, database);
  await warnOfAbsentUploads(context, facts);
  await makeSafetyBackup(context, facts);
  await database.transaction(async (transaction) => {
    recorder.attempt();
    await stampLedger(transaction, releaseGraph, exists, rows, facts.revisions ?? []);
    rows.forEach((revision) => recorder.step({ kind: 'adoption', revision }));
  });
  const { state } = await assess(database, config);
  recorder.ended({ state: state.kind, revisions: rows });
  log.info(adoptionMessages.stamped(rows));
  log.info(commandsFor(config).gate);
}

/** Plans an adoption, and checks its rights. Reads only. @throws Failure as `adopt`, except for the backup */
export async function showAdoption(request: AdoptionRequest, context: AdoptionContext): Promise<readonly string[]> {
  const { rows, facts } = await planAdoption(request, context);
  const obstacle = await context.database.findEntryObstacle();
  if (obstacle !== null) throw new Failure(obstacle);
  await requireRights(facts, context.database);
  return rows;
}

/** @throws Failure `missing-rights`, `file-access-denied` */
async function requireRights({ revisions }: DatabaseFacts, database: Database): Promise<void> {
  const alters = revisions === null ? [] : ['alembic_version'];
  const rights = await database.missingRights({ alters, quarantines: false });
  if (rights.length > 0) throw new Failure({ kind: 'missing-rights', database: database.name, rights });
}

/**
 * Parses the value of --revision.
 * @param text identifiers, separated by commas
 * @returns the rows for alembic_version
 * @throws Failure `usage` if one is unknown
 */
export function readRevisions(text: string): readonly string[] {
  const named = text.split(',').map((part) => part.trim());
  const unknown = named.filter((revision) => !releaseGraph.knows(revision));
  if (unknown.length > 0) {
    throw new Failure({ kind: 'usage', message: adoptionMessages.unknownRevisions(unknown) });
  }
  return releaseGraph.headsOf(named);
}

async function compareRevisions(
  rows: readonly string[],
  force: boolean,
  { catalog }: DatabaseFacts,
  { database, log, consent }: AdoptionContext,
): Promise<readonly string[]> {
  const { engine, name } = database;
  const { schema, rules } = compareWith(rows, catalog, engine, await loadFingerprints(engine, releaseGraph));
  if (schema.length > 0 && !force) {
    throw new Failure({ kind: 'adoption-refused', database: name, revisions: rows, mismatches: [...schema, ...rules] });
  }
  const differences = [...schema, ...rules];
  if (differences.length === 0) log.info(adoptionMessages.same(rows));
  else log.warn(adoptionMessages.compared(rows));
  for (const difference of differences) log.warn(`  ${describeDifference(difference).message}`);
  if (schema.length > 0) {
    await consent(adoptionMessages.consent(rows));
  }
  return rows;
}

function notAdoptable(database: Database, state: State, plan: Plan): Failure {
  if (plan.kind === 'refuse') return new Failure({ kind: 'refused', database: database.name, refusal: plan.refusal });
  const message =
    'revisions' in state ? adoptionMessages.hasRevisions(state.revisions) : adoptionMessages.noCoreTable(state.kind);
  return new Failure({ kind: 'usage', message });
}
