import { makeSafetyBackup } from '../backup/safety.ts';
import type { DatabaseFacts, Database, Transaction } from '../database/database.ts';
import { Failure, reasonOf, type Verdict } from '../failure.ts';
import { type AppliedRevision, createHead, migrate } from '../migration/migrator.ts';
import { stampLedger } from '../migration/ledger.ts';
import { releaseGraph } from '../migration/revisions.ts';
import {
  announceWayBack,
  quarantineAllButLast,
  quarantineLast,
  rightsMissingToClean,
} from '../recovery/quarantine/batches.ts';
import type { Unsafe } from '../recovery/repair-step.ts';
import { mend, NotMendable } from '../recovery/repair.ts';
import { describeMatch, listRows } from '../report/adoption-text.ts';
import { describeDifference } from '../report/differences.ts';
import type { Log } from '../report/log.ts';
import { count } from '../report/numbers.ts';
import type { Recorder } from '../report/record.ts';
import { versionTable } from '../schema/catalog.ts';
import { findDifferences } from '../schema/comparison.ts';
import { loadHead } from '../schema/promise.ts';
import { sameMembers } from './diagnosis.ts';
import type { GateContext } from './gate.ts';
import { notMendable, type Plan } from './plan.ts';
import { writeStamp } from './stamp.ts';

/** A plan that writes. */
export type Work = Extract<Plan, { kind: 'migrate' | 'repair' }>;

/**
 * Carries out a plan to migrate or to repair: rights first, then everything in one transaction, then a last look from outside.
 * It is a module of its own because most runs have nothing to do, and need not load what does it.
 * @throws Failure `missing-rights`, `migration-failed`, `verification-failed`, `refused`
 */
export async function carryOut(plan: Work, facts: DatabaseFacts, context: GateContext): Promise<void> {
  const { database, config, log, recorder } = context;
  announce(plan, log);
  await requireRights(plan, facts, database);
  const quarantine = quarantines(plan);

  // a failure is rolled back; a mistake that nobody noticed is not
  await makeSafetyBackup(context, facts);

  if (quarantine) await quarantineAllButLast(context);
  const held = await naming(plan, context, () =>
    database.transaction(async (transaction) => {
      recorder.attempt();
      const schema = quarantine ? await quarantineLast(transaction, context) : null;
      if (schema !== null) {
        recorder.step({ kind: 'quarantine', schema, relations: facts.relations.map(({ name }) => name) });
      }
      await bringToHead(transaction, plan, facts, context);
      return schema;
    }),
  );
  if (held !== null) announceWayBack(held, log);
  await prove(database);
  recorder.left({ state: 'current', revisions: releaseGraph.heads });
  writeStamp(config, database, releaseGraph.heads, log);
  log.info(`The database is healthy and current (${releaseGraph.heads.join(', ')}).`);
}

/** What the database says no to between two revisions is a failed migration as well. */
async function naming<Result>(
  plan: Work,
  { signal, database }: GateContext,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Failure) throw error;
    const remaining = plan.kind === 'migrate' ? plan.pending : [];
    const failed = { engine: database.engine, revision: null, applied: [], remaining, reason: reasonOf(error) };
    throw new Failure({ kind: 'migration-failed', failed }, { cause: error });
  }
}

/** Whether a plan begins with a cleanup. */
export function quarantines(plan: Work): boolean {
  return plan.kind === 'migrate' && plan.quarantine;
}

/** Asks for all rights before anything starts. @throws Failure `missing-rights` */
export async function requireRights(plan: Work, facts: DatabaseFacts, database: Database): Promise<void> {
  const cleans = quarantines(plan);
  // what is the owner's own may belong to whom it will
  const head = await loadHead(database.engine);
  const altered = Object.keys(facts.catalog.tables).filter((name) => Object.hasOwn(head.tables, name));
  const rights = [
    ...(await database.missingRights({ alters: cleans ? [] : altered, quarantines: cleans })),
    ...(cleans ? await rightsMissingToClean(database) : []),
  ];
  if (rights.length > 0) throw new Failure({ kind: 'missing-rights', database: database.name, rights });
}

function announce(plan: Work, log: Log): void {
  const { state } = plan;
  const { pending, adopt } = plan.kind === 'migrate' ? plan : { pending: [], adopt: [] };
  switch (state.kind) {
    case 'fresh':
      if (state.traces.length > 0) {
        log.warn('THE DATABASE IS EMPTY, BUT IT DOES NOT LOOK LIKE A FIRST START:');
        for (const trace of state.traces) log.warn(`  ${trace}`);
        log.warn(
          '  This is what a lost or wrongly mounted database volume looks like. If data should be here, stop now:',
        );
        log.warn(
          '  docker compose down, then look at the volumes. TT_REQUIRE_EXISTING=true refuses an empty database.',
        );
      }
      log.info(`The database is empty: creating the schema of all ${pending.length} revisions at once.`);
      break;
    case 'behind':
      log.info(`The database is at ${state.revisions.join(', ')}: ${pending.length} revisions to apply.`, { pending });
      break;
    case 'unversioned':
      log.info('The database has no version information: it is compared with the schema of every known revision.');
      if (state.identity.kind === 'match') describeMatch(state.identity).forEach((line) => log.info(`  ${line}`));
      log.info(`It is stamped ${listRows(adopt)}, and ${count(pending.length, 'revision')} applied.`, {
        adopt,
        pending,
      });
      break;
    case 'corrupted':
      log.warn('Detected corrupted database state: tables, but neither alembic_version nor any core table.');
      log.warn('They are moved to a quarantine schema; nothing is dropped.');
      break;
    case 'drifted':
      log.warn(`The schema differs in what its revision promises (${state.differences.length}): that is mended.`);
      break;
    case 'current':
    case 'partial':
    case 'ahead':
    case 'foreign':
    case 'interrupted':
    case 'unreadable':
      throw new Error(`nothing to migrate in the state ${state.kind}`);
  }
}

/** Migrates, adds what is still missing, and looks at the result, all before anything is committed. */
export async function bringToHead(
  transaction: Transaction,
  plan: Work,
  before: DatabaseFacts,
  context: GateContext,
): Promise<void> {
  const { kind, state } = plan;
  const adopt = plan.kind === 'migrate' ? plan.adopt : [];
  const { log, recorder, signal } = context;
  const started = performance.now();
  const options = { versioned: before.revisions !== null || adopt.length > 0, signal };
  if (adopt.length > 0) {
    await stampLedger(transaction, releaseGraph, before.revisions !== null, adopt);
    adopt.forEach((revision) => recorder.step({ kind: 'adoption', revision }));
  }
  if (state.kind === 'behind' || state.kind === 'unversioned') {
    await migrate(transaction, releaseGraph, {
      ...options,
      onApplied: (...progress) => noteProgress(log, recorder, ...progress),
    });
  } else if (kind === 'migrate') {
    await createHead(transaction, releaseGraph, {
      ...options,
      onApplied: ({ id, milliseconds }) => recorder.step({ kind: 'revision', revision: id, milliseconds }),
    });
  }

  // an empty database has nothing to lose or to go back to: the look after the commit is enough
  if (state.kind !== 'fresh') await mendWhatIsMissing(transaction, state, context);
  log.info(`The schema was brought to the head in ${formatMilliseconds(performance.now() - started)}.`);
}

/** Adds what the schema lacks, and requires that nothing is missing then. */
async function mendWhatIsMissing(
  transaction: Transaction,
  state: Work['state'],
  { log, recorder, database }: GateContext,
): Promise<void> {
  const { engine, name } = database;
  const head = await loadHead(engine);
  const facts = await transaction.observe();
  const missing = findDifferences(head, facts.catalog, engine);
  if (missing.length === 0) return requireHealthy(facts, database);
  try {
    for (const { object, message } of (await mend(transaction, missing, { facts, head, engine })).map(
      describeDifference,
    )) {
      log.info(`  mended: ${message}`);
      recorder.step({ kind: 'mending', object, message });
    }
  } catch (error) {
    if (!(error instanceof NotMendable)) throw error;
    throw state.kind === 'drifted'
      ? new Failure({ kind: 'refused', database: name, refusal: notMendable(state, error.unsafe) }, { cause: error })
      : new Failure(
          { kind: 'verification-failed', database: name, verdict: judge(facts, missing, error.unsafe) },
          { cause: error },
        );
  }
  await requireHealthy(await transaction.observe(), database);
}

function noteProgress(
  log: Log,
  recorder: Recorder,
  { id, milliseconds }: AppliedRevision,
  position: number,
  total: number,
): void {
  recorder.step({ kind: 'revision', revision: id, milliseconds });
  const place = `${String(position).padStart(String(total).length)}/${total}`;
  log.info(`  ${place} ${id} (${formatMilliseconds(milliseconds)})`, { revision: id, milliseconds });
}

/** Looks once more after the commit, from outside the transaction: what is there now is what the application finds. */
async function prove(database: Database): Promise<void> {
  await requireHealthy(await database.observe('quick'), database);
}

async function requireHealthy(facts: DatabaseFacts, database: Database): Promise<void> {
  const differences = findDifferences(await loadHead(database.engine), facts.catalog, database.engine);
  const verdict = judge(facts, differences);
  if (verdict.versionTableMissing || !sameMembers(verdict.revisions, verdict.heads) || differences.length > 0) {
    throw new Failure({ kind: 'verification-failed', database: database.name, verdict });
  }
}

function judge(facts: DatabaseFacts, differences: Verdict['differences'], unsafe: readonly Unsafe[] = []): Verdict {
  return {
    versionTableMissing: !facts.relations.some((relation) => relation.name === versionTable),
    revisions: facts.revisions ?? [],
    heads: releaseGraph.heads,
    differences,
    unsafe,
  };
}

function formatMilliseconds(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
