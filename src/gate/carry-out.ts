import type { DatabaseFacts, Database, Transaction } from '../database/database.ts';
import { makeSafetyBackup } from '../backup/safety.ts';
import { Failure, type Verdict } from '../failure.ts';
import { type AppliedRevision, createHead, migrate } from '../migration/migrator.ts';
import { stampLedger } from '../migration/ledger.ts';
import { releaseGraph } from '../migration/revisions.ts';
import { quarantineAllButLast, quarantineLast, rightsMissingToClean } from '../recovery/quarantine/batches.ts';
import { mend } from '../recovery/repair.ts';
import { describeMatch, listRows } from '../report/adoption-text.ts';
import { describeDifference } from '../report/differences.ts';
import type { Log } from '../report/log.ts';
import type { Recorder } from '../report/record.ts';
import { versionTable } from '../schema/catalog.ts';
import { findDifferences } from '../schema/comparison.ts';
import { loadHead } from '../schema/promise.ts';
import { sameMembers } from './diagnosis.ts';
import type { GateContext } from './gate.ts';
import type { Plan } from './plan.ts';
import { writeStamp } from './stamp.ts';

/**
 * Carries out a plan to migrate: rights first, then everything in one transaction, then a last look from outside.
 * It is a module of its own because most runs have nothing to do, and need not load what does it.
 * @throws Failure `missing-rights`, `migration-failed`, `verification-failed`
 */
export async function carryOut(
  plan: Extract<Plan, { kind: 'migrate' }>,
  facts: DatabaseFacts,
  context: GateContext,
): Promise<void> {
  const { database, config, log, recorder } = context;
  announceMigration(plan, log);
  const altered = facts.relations.filter(({ kind }) => kind !== 'sequence').map(({ name }) => name);
  const { quarantine } = plan;
  const rights = [
    ...(await database.missingRights({ alters: quarantine ? [] : altered, quarantines: quarantine })),
    ...(quarantine ? await rightsMissingToClean(database) : []),
  ];
  if (rights.length > 0) throw new Failure({ kind: 'missing-rights', database: database.name, rights });

  await backUpFirst(facts, context);

  if (plan.quarantine) await quarantineAllButLast(context);
  await database.transaction(async (transaction) => {
    recorder.attempt();
    if (plan.quarantine) await quarantineLast(transaction, context);
    await bringToHead(transaction, plan, facts, context);
  });
  await prove(database);
  recorder.left({ state: 'current', revisions: releaseGraph.heads });
  writeStamp(config, database, releaseGraph.heads, log);
  log.info(`The database is healthy and current (${releaseGraph.heads.join(', ')}).`);
}

function announceMigration({ state, pending, adopt }: Extract<Plan, { kind: 'migrate' }>, log: Log): void {
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
      log.info(`It is stamped ${listRows(adopt)}, and ${pending.length} revisions are applied.`, { adopt, pending });
      break;
    case 'corrupted':
      log.warn('Detected corrupted database state: tables, but neither alembic_version nor any core table.');
      log.warn('They are moved to a quarantine schema; nothing is dropped.');
      break;
    case 'current':
    case 'drifted':
    case 'partial':
    case 'ahead':
    case 'foreign':
    case 'interrupted':
    case 'unreadable':
      throw new Error(`nothing to migrate in the state ${state.kind}`);
  }
}

/** Migrates, adds what is still missing, and looks at the result, all before anything is committed. */
async function bringToHead(
  transaction: Transaction,
  { state, adopt }: Extract<Plan, { kind: 'migrate' }>,
  before: DatabaseFacts,
  { log, recorder, signal, database }: GateContext,
): Promise<void> {
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
  } else {
    await createHead(transaction, releaseGraph, {
      ...options,
      onApplied: ({ id, milliseconds }) => recorder.step({ kind: 'revision', revision: id, milliseconds }),
    });
  }

  const head = await loadHead(database.engine);
  const missing = findDifferences(head, (await transaction.observe()).catalog, database.engine);
  if (missing.length > 0) {
    const mended = await mend(transaction, missing, head);
    for (const { object, message } of mended.map(describeDifference)) {
      log.info(`  mended: ${message}`);
      recorder.step({ kind: 'mending', object, message });
    }
  }
  await requireHealthy(await transaction.observe(), database);
  log.info(`The schema was brought to the head in ${formatMilliseconds(performance.now() - started)}.`);
}

/** Before anything is changed: a failure is rolled back, and a mistake that nobody noticed is not. */
async function backUpFirst(facts: DatabaseFacts, context: GateContext): Promise<void> {
  const started = performance.now();
  const backup = await makeSafetyBackup(context, facts);
  if (backup === null) return;
  const milliseconds = performance.now() - started;
  context.recorder.step({ kind: 'backup', path: backup.path, bytes: backup.size, milliseconds });
}

function noteProgress(
  log: Log,
  recorder: Recorder,
  { id, milliseconds }: AppliedRevision,
  position: number,
  total: number,
): void {
  recorder.step({ kind: 'revision', revision: id, milliseconds });
  const count = `${String(position).padStart(String(total).length)}/${total}`;
  log.info(`  ${count} ${id} (${formatMilliseconds(milliseconds)})`, { revision: id, milliseconds });
}

/** Looks once more after the commit, from outside the transaction: what is there now is what the application finds. */
async function prove(database: Database): Promise<void> {
  await requireHealthy(await database.observe(), database);
}

async function requireHealthy(facts: DatabaseFacts, { engine, name }: Database): Promise<void> {
  const verdict: Verdict = {
    versionTableMissing: !facts.relations.some((relation) => relation.name === versionTable),
    revisions: facts.revisions ?? [],
    heads: releaseGraph.heads,
    differences: findDifferences(await loadHead(engine), facts.catalog, engine),
  };
  if (verdict.versionTableMissing || !sameMembers(verdict.revisions, verdict.heads) || verdict.differences.length > 0) {
    throw new Failure({ kind: 'verification-failed', database: name, verdict });
  }
}

function formatMilliseconds(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
