import type { Config } from '../config/config.ts';
import type { Database, DatabaseFacts, Transaction } from '../database/database.ts';
import { Failure, type Verdict } from '../failure.ts';
import { migrate } from '../migration/migrator.ts';
import { releaseGraph } from '../migration/revisions.ts';
import { mend } from '../recovery/repair.ts';
import { quarantineBatch, quarantineSome } from '../recovery/quarantine.ts';
import type { Log } from '../report/log.ts';
import { describeDifference } from '../report/differences.ts';
import { versionTable } from '../schema/catalog.ts';
import { findDifferences } from '../schema/comparison.ts';
import { loadHead } from '../schema/promise.ts';
import { sameMembers } from './diagnosis.ts';
import { look } from './look.ts';
import type { Plan } from './plan.ts';
import { writeStamp } from './stamp.ts';

/** What the gate works with. */
export interface GateContext {
  readonly database: Database;
  readonly config: Config;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Takes the lock, looks, and carries out the plan. Returns only if the application may start.
 * @throws Failure that says why it may not
 */
export async function runGate(context: GateContext): Promise<void> {
  const { database, config, log } = context;
  await database.withLock(async () => {
    const { observation, plan } = await look(database, config);
    switch (plan.kind) {
      case 'refuse':
        throw new Failure({ kind: 'refused', database: database.name, refusal: plan.refusal });
      case 'pass':
        announcePass(plan, log);
        return;
      case 'migrate': {
        const facts = observation.kind === 'seen' ? observation.facts : null;
        if (facts === null) throw new Error('a plan to migrate without an observation');
        await carryOut(plan, facts, context);
      }
    }
  });
}

function announcePass({ state }: Extract<Plan, { kind: 'pass' }>, log: Log): void {
  if (state.kind === 'ahead') {
    log.warn(
      `The database is newer than this image (${state.unknown.join(', ')}). TT_ALLOW_NEWER_SCHEMA lets it pass: ` +
        'its core tables are there, nothing else was checked.',
    );
    return;
  }
  log.info(`The database is healthy and current (${releaseGraph.heads.join(', ')}): nothing to do.`);
}

async function carryOut(plan: Extract<Plan, { kind: 'migrate' }>, facts: DatabaseFacts, context: GateContext): Promise<void> {
  const { database, config, log } = context;
  announceMigration(plan, log);
  const rights = await database.missingRights({
    alters: facts.relations.filter(({ kind }) => kind !== 'sequence').map(({ name }) => name),
    quarantines: plan.quarantine,
  });
  if (rights.length > 0) throw new Failure({ kind: 'missing-rights', database: database.name, rights });

  if (plan.quarantine) {
    // more than one transaction can hold locks for: committed batches, of which the last one migrates as well
    for (let left = facts.relations.length; left > quarantineBatch; ) {
      left = await database.transaction((transaction) => quarantineSome(transaction, log));
    }
  }
  await database.transaction(async (transaction) => {
    if (plan.quarantine) await quarantineSome(transaction, log);
    await bringToHead(transaction, facts, context);
  });
  await prove(database);
  writeStamp(config, database, releaseGraph.heads, log);
  log.info(`The database is healthy and current (${releaseGraph.heads.join(', ')}).`);
}

function announceMigration({ state, pending }: Extract<Plan, { kind: 'migrate' }>, log: Log): void {
  switch (state.kind) {
    case 'fresh':
      if (state.traces.length > 0) {
        log.warn('THE DATABASE IS EMPTY, BUT IT DOES NOT LOOK LIKE A FIRST START:');
        for (const trace of state.traces) log.warn(`  ${trace}`);
        log.warn('  This is what a lost or wrongly mounted database volume looks like. If data should be here, stop now:');
        log.warn('  docker compose down, then look at the volumes. TT_REQUIRE_EXISTING=true refuses an empty database.');
      }
      log.info(`The database is empty: ${pending.length} revisions to apply.`);
      break;
    case 'behind':
      log.info(`The database is at ${state.revisions.join(', ')}: ${pending.length} revisions to apply.`, { pending });
      break;
    case 'corrupted':
      log.warn('Detected corrupted database state: tables, but neither alembic_version nor any core table.');
      log.warn('They are moved to a quarantine schema; nothing is dropped.');
      break;
    default:
      throw new Error(`nothing to migrate in the state ${state.kind}`);
  }
}

/** Migrates, adds what is still missing, and looks at the result, all before anything is committed. */
async function bringToHead(transaction: Transaction, before: DatabaseFacts, { log, signal, database }: GateContext): Promise<void> {
  const started = performance.now();
  const applied = await migrate(transaction, releaseGraph, {
    versioned: before.revisions !== null,
    signal,
    onApplied: ({ id, milliseconds }, position, total) =>
      log.info(`  ${String(position).padStart(3)}/${total} ${id} (${formatMilliseconds(milliseconds)})`, { revision: id, milliseconds }),
  });
  const head = await loadHead(database.engine);
  const missing = findDifferences(head, (await transaction.observe()).catalog, database.engine);
  if (missing.length > 0) {
    const mended = await mend(transaction, missing, head);
    for (const difference of mended) log.info(`  mended: ${describeDifference(difference).message}`);
    await requireHealthy(await transaction.observe(), database);
  }
  log.info(`${applied.length} revisions applied in ${formatMilliseconds(performance.now() - started)}.`);
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
