import { formatMilliseconds } from '../report/format.ts';
import type { Output } from '../report/output.ts';
import type { DatabaseFacts, Question } from '../model/database-facts.ts';
import type { Unsafe } from '../model/repair.ts';
import type { Difference } from '../model/difference.ts';
import type { Work } from '../model/plan.ts';
import { warnOfAbsentUploads } from '../backup/absent-uploads.ts';
import { makeSafetyBackup } from '../backup/safety.ts';
import { recordLastChange } from '../state-folder/last-change.ts';
import type { Config } from '../config/config.ts';
import { causeOfSchemaChange } from '../database/schema-change-cause.ts';
import type { Database, Depth, Transaction } from '../database/database.ts';
import { chainOf } from '../errors/error-code.ts';
import { Failure, reasonOf, type Verdict } from '../errors/failure.ts';
import { type AppliedRevision, createHead, migrate, RevisionFailed } from '../migration/migrator.ts';
import { stampLedger } from '../migration/ledger.ts';
import { releaseGraph } from '../migration/revisions.ts';
import { describeRepaired } from '../report/schema-differences.ts';
import { commandsFor } from '../report/commands.ts';
import type { Log } from '../report/log.ts';
import { announceWayBack } from '../report/quarantine-messages.ts';
import type { Progress } from '../report/progress.ts';
import type { Recorder } from '../report/run-record.ts';
import { versionTable } from '../schema/catalog.ts';
import { findFaults } from '../schema/faults.ts';
import { createRowQuestion } from '../schema/row-questions.ts';
import { findDifferences } from '../schema/comparison.ts';
import { loadExpectedSchema } from '../schema/expected-schema.ts';
import { workMessages } from '../report/gate-messages.ts';
import { announceWork } from '../report/migration-messages.ts';
import { sameMembers } from '../assessment/diagnosis.ts';
import { unrepairableRefusal, repairIsOffRefusal, startsWithQuarantine } from '../assessment/plan.ts';
import { writeStamp } from '../state-folder/run-stamp.ts';

/**
 * Executes a plan to migrate or to repair that has no obstacle: makes the safety backup, does the work in one
 * transaction, and verifies the result after the commit. This module is loaded on demand, because most runs have
 * nothing to write.
 * @throws Failure `backup-failed`, `migration-failed`, `verification-failed`, `refused`
 */
export async function migrateAndRepair(plan: Work, facts: DatabaseFacts, context: GateContext): Promise<void> {
  const { database, log, recorder } = context;
  announceWork(plan, commandsFor(context.config), log);
  const quarantine = startsWithQuarantine(plan) ? await import('../quarantine/batches.ts') : null;
  await warnOfAbsentUploads(context, facts);

  // a failure is rolled back; the backup is for mistakes that are found after the commit
  await makeSafetyBackup(context, facts);

  await quarantine?.quarantineAllButLast(context);
  const moved = new Set(recorder.record.steps.flatMap((step) => (step.kind === 'quarantine' ? step.relations : [])));
  const held = await withMigrationFailure(plan, context, () =>
    database.transaction(async (transaction) => {
      recorder.attempt();
      const schema = quarantine === null ? null : await quarantine.quarantineLast(transaction, context);
      if (schema !== null) {
        const strays = plan.state.kind === 'corrupted' ? plan.state.relations : [];
        const names = strays.map(({ name }) => name);
        recorder.step({ kind: 'quarantine', schema, relations: names.filter((name) => !moved.has(name)) });
      }
      await bringToHead(transaction, plan, facts, context);
      return schema;
    }),
  );
  if (held !== null) announceWayBack(held, commandsFor(context.config), log);
  await finish(context);
}

/**
 * Verifies the committed schema outside of the transaction, as the application will see it, and records the result.
 * @throws Failure `verification-failed`
 */
export async function finish({ database, config, log, recorder }: GateContext): Promise<void> {
  await verify(database, (question) => database.observe('quick', question));
  recorder.ended({ state: 'current', revisions: releaseGraph.heads });
  writeStamp(config, database, releaseGraph.heads, log);
  const { backup } = recorder.record;
  if (backup !== null) noteLastChange(config, database, backup, log);
  log.info(workMessages.healthy(releaseGraph.heads));
}

/** Records the backup of the last change. An error is only logged: the newest backups are kept anyway. */
function noteLastChange(config: Config, database: Database, backup: string, log: Log): void {
  try {
    recordLastChange(config, database.name, backup);
  } catch (error) {
    log.warn(workMessages.backupNotNoted(reasonOf(error)));
  }
}

/**
 * Runs `work`. An error that is not a `Failure` becomes one of the kind `migration-failed`, also between two revisions.
 * @throws Failure
 * @throws the reason of the signal if the run was aborted
 */
export async function withMigrationFailure<Result>(
  plan: Work,
  { signal, database }: Pick<GateContext, 'signal' | 'database'>,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Failure) throw error;
    const remaining = plan.kind === 'migrate' ? plan.pending : [];
    const failed = chainOf(error).find((link) => link instanceof RevisionFailed)?.failed ?? {
      engine: database.engine,
      revision: null,
      applied: [],
      remaining,
      reason: reasonOf(error),
    };
    throw new Failure(
      { kind: 'migration-failed', failed, cause: await causeOfSchemaChange(database, error) },
      { cause: error },
    );
  }
}

/** Migrates, adds the objects that are still missing, and verifies the result, all before the commit. */
export async function bringToHead(
  transaction: Transaction,
  plan: Work,
  before: DatabaseFacts,
  context: GateContext,
): Promise<void> {
  const { state } = plan;
  const { log } = context;
  const started = performance.now();
  if (state.kind === 'behind' || state.kind === 'unversioned') await bringKeysBack(transaction, before, context);
  await applyRevisions(transaction, plan, before, context);
  // an empty database can lose nothing, so the verification after the commit is enough
  if (state.kind !== 'fresh') await repairWhatIsMissing(transaction, state, context);
  log.info(workMessages.broughtToHead(performance.now() - started));
}

/**
 * Gives tables their primary keys and sequences back before the migration: revisions insert rows that the database
 * numbers, and foreign keys that need the keys. All revisions of a table have the same ones.
 * @throws Failure `verification-failed` if rows do not allow a key
 */
async function bringKeysBack(transaction: Transaction, facts: DatabaseFacts, context: GateContext): Promise<void> {
  const { engine, name } = context.database;
  // SQLite needs neither for that
  if (engine === 'sqlite' || context.config.drift === 'fail') return;
  const expected = await loadExpectedSchema(engine);
  const missing = findDifferences(expected.head, facts.catalog, engine).filter(isOfKey);
  if (missing.length === 0) return;
  const { repairDifferences, Unrepairable } = await import('../repair/repair.ts');
  const { parseRule } = await import('../repair/constraint-rules.ts');
  // without its columns, a key was never there: the table is the owner's, and has the name of a later one
  const lost = missing.filter(
    (difference) =>
      difference.kind === 'missing-sequence' ||
      parseRule(difference.definition).columns.every((column) =>
        Object.hasOwn(facts.catalog.tables[difference.table]?.columns ?? {}, column),
      ),
  );
  try {
    reportRepaired(await repairDifferences(transaction, lost, { ...expected, facts, engine }), context);
  } catch (error) {
    if (!(error instanceof Unrepairable)) throw error;
    const verdict = verdictOn(facts, lost, error.unsafe);
    throw new Failure({ kind: 'verification-failed', database: name, verdict }, { cause: error });
  }
}

type KeyDifference = Extract<Difference, { kind: 'missing-sequence' | 'missing-constraint' }>;

function isOfKey(difference: Difference): difference is KeyDifference {
  const { kind } = difference;
  return (
    kind === 'missing-sequence' || (kind === 'missing-constraint' && difference.definition.startsWith('PRIMARY KEY'))
  );
}

/**
 * Applies the pending revisions; does not check whether the schema lacks other objects.
 * @param lenient whether constraints that rows violate are left out; SQLite only
 * @throws RevisionFailed
 */
export async function applyRevisions(
  transaction: Transaction,
  plan: Work,
  before: DatabaseFacts,
  context: GateContext,
  { lenient = false }: { readonly lenient?: boolean } = {},
): Promise<void> {
  const { kind, state } = plan;
  const adopt = plan.kind === 'migrate' ? plan.adopt : [];
  const { log, recorder, signal } = context;
  const options = { versioned: before.revisions !== null || adopt.length > 0, signal };
  if (adopt.length > 0) {
    await stampLedger(transaction, releaseGraph, before.revisions !== null, adopt);
    adopt.forEach((revision) => recorder.step({ kind: 'adoption', revision }));
  }
  if (state.kind === 'behind' || state.kind === 'unversioned') {
    const bar = await openBar(state.pending.length, context);
    bar?.to(0);
    try {
      await migrate(transaction, releaseGraph, {
        ...options,
        lenient,
        onApplied(revision, position, total) {
          logProgress(log, recorder, revision, position, total);
          bar?.to(position);
        },
      });
    } finally {
      bar?.end();
    }
  } else if (kind === 'migrate') {
    await createHead(transaction, releaseGraph, {
      ...options,
      onApplied: ({ id, milliseconds }) => recorder.step({ kind: 'revision', revision: id, milliseconds }),
    });
  }
}

/** Opens the bar of a terminal; null: elsewhere, the log has a line for each revision. */
async function openBar(total: number, { log, output }: GateContext): Promise<Progress | null> {
  if (output === undefined || output.line === null) return null;
  const { openProgress } = await import('../report/progress.ts');
  return openProgress({ label: 'Migrating', total, unit: 'revisions', log, output });
}

/** Adds the objects that the schema lacks, and verifies the result. */
async function repairWhatIsMissing(
  transaction: Transaction,
  state: Work['state'],
  context: GateContext,
): Promise<void> {
  const { database, config } = context;
  const { engine, name } = database;
  const expected = await loadExpectedSchema(engine);
  const look = async (depth: Depth) => {
    const facts = await transaction.observe(createRowQuestion(expected, engine), depth);
    return { facts, missing: findFaults(expected, facts, engine) };
  };
  // only a repair needs the text of all defaults
  const seen = await look('quick');
  if (seen.missing.length === 0) return requireHealthy(verdictOn(seen.facts, []), name);
  const { facts, missing } = await look('whole');
  // for a drifted state, the gate has refused before this point, unless somebody ran the command `repair`
  if (config.drift === 'fail' && state.kind !== 'drifted') {
    throw new Failure({ kind: 'refused', database: name, refusal: repairIsOffRefusal(facts.revisions ?? [], missing) });
  }
  const { repairDifferences, Unrepairable } = await import('../repair/repair.ts');
  try {
    reportRepaired(await repairDifferences(transaction, missing, { ...expected, facts, engine }), context);
  } catch (error) {
    if (!(error instanceof Unrepairable)) throw error;
    throw state.kind === 'drifted'
      ? new Failure(
          { kind: 'refused', database: name, refusal: unrepairableRefusal(state, error.unsafe) },
          { cause: error },
        )
      : new Failure(
          { kind: 'verification-failed', database: name, verdict: verdictOn(facts, missing, error.unsafe) },
          { cause: error },
        );
  }
  await verify(database, (question) => transaction.observe(question, 'quick'));
}

function reportRepaired(repaired: readonly Difference[], { log, recorder }: GateContext): void {
  for (const { object, message } of repaired.map(describeRepaired)) {
    log.info(`  ${message}`);
    recorder.step({ kind: 'mending', object, message });
  }
}

function logProgress(
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

/** Observes the database, and compares it with the schema of the head. @throws Failure `verification-failed` */
export async function verify(
  { engine, name }: Pick<Database, 'engine' | 'name'>,
  observe: (question: Question) => Promise<DatabaseFacts>,
): Promise<void> {
  const expected = await loadExpectedSchema(engine);
  const facts = await observe(createRowQuestion(expected, engine));
  requireHealthy(verdictOn(facts, findFaults(expected, facts, engine)), name);
}

function requireHealthy(verdict: Verdict, database: string): void {
  const { versionTableMissing, revisions, heads, differences } = verdict;
  if (versionTableMissing || !sameMembers(revisions, heads) || differences.length > 0) {
    throw new Failure({ kind: 'verification-failed', database, verdict });
  }
}

function verdictOn(facts: DatabaseFacts, differences: Verdict['differences'], unsafe: readonly Unsafe[] = []): Verdict {
  return {
    versionTableMissing: !facts.relations.some((relation) => relation.name === versionTable),
    revisions: facts.revisions ?? [],
    heads: releaseGraph.heads,
    differences,
    unsafe,
  };
}

/** The dependencies of the gate. */
export interface GateContext {
  readonly database: Database;
  readonly config: Config;
  readonly log: Log;
  readonly recorder: Recorder;
  /** The version of db-init. */
  readonly version: string;
  readonly signal: AbortSignal;
  /** The output for progress; undefined: no progress is shown. */
  readonly output?: Pick<Output, 'line'>;
}
