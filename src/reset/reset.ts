import {
  type GateContext,
  bringToHead,
  finish,
  withMigrationFailure,
  verify,
} from '../execution/migrate-and-repair.ts';
import { executePlan } from '../execution/execute-plan.ts';
import type { Assessment } from '../assessment/observation.ts';
import type { DatabaseFacts } from '../model/database-facts.ts';
import type { State } from '../model/state.ts';
import type { Work } from '../model/plan.ts';
import { holdsRows } from '../backup/database-summary.ts';
import { obstacleOf, requireSafetyBackup } from '../backup/safety.ts';
import { isConnectionLost } from '../database/error-cause.ts';
import { DependentObjectsError } from '../database/postgres/dependents.ts';
import { quoteName } from '../platform/sql-quoting.ts';
import { number, only } from '../database/row-values.ts';
import type { Session } from '../database/session.ts';
import { Failure } from '../errors/failure.ts';
import type { ResetObstacle } from '../errors/obstacles.ts';
import { requireEncoding } from '../assessment/encoding.ts';
import { assess } from '../assessment/assess.ts';
import { refusalOf } from '../assessment/plan.ts';
import { findRestoreJournal } from '../state-folder/state-paths.ts';
import { releaseGraph } from '../migration/revisions.ts';
import { describeObstacle } from '../report/backup-messages.ts';
import { commandsFor } from '../report/commands.ts';
import { announceKept, announceNext, describeLoss, describeDeleted } from '../report/development-messages.ts';
import { coreTables, hasAllCoreTables, versionTable } from '../schema/catalog.ts';
import { requireExclusiveAccess, requireExclusiveFile } from './exclusive-access.ts';
import { loadApplicationObjects } from '../schema/application-objects.ts';
import { planDrop, type DropPlan, executeDrop } from './drop-plan.ts';

/** The dependencies of a reset. */
export interface ResetContext extends GateContext {
  /** Asks the operator for the name of the database to empty. @param loss what will be deleted, as a sentence */
  readonly consent: (loss: string) => Promise<void>;
}

/** The options of the command. */
export interface ResetRequest {
  /** End other sessions instead of refusing. */
  readonly disconnect: boolean;
  readonly backup: boolean;
}

/** The results of the checks before a reset. */
interface CheckedReset {
  readonly facts: DatabaseFacts;
  readonly dropPlan: DropPlan;
}

/** The plan for the emptied database: create the schema as for an empty one. */
const recreate: Extract<Work, { kind: 'migrate' }> = {
  kind: 'migrate',
  state: { kind: 'fresh', traces: [] },
  pending: releaseGraph.revisions.map(({ id }) => id),
  quarantine: false,
  adopt: [],
};

/**
 * Deletes all objects of the application and creates the schema again, in one transaction. If the run is interrupted,
 * either the old database or the new one exists (recovery document, "Option 2").
 *
 * Keeps objects that do not belong to the application. If that is impossible, it deletes nothing.
 * @throws Failure `refused` in a state in which the database may belong to another application; `reset-refused`,
 *   `missing-rights`, `unfit-encoding`, `migration-failed`, `verification-failed`
 */
export async function reset(request: ResetRequest, context: ResetContext): Promise<void> {
  const { database, config, log, recorder } = context;
  await database.withLock(async () => {
    const { database: target } = config;
    // do not open the file while a restore is unfinished, not even to look for other sessions
    if (target.kind === 'sqlite' && findRestoreJournal(config) === null) await requireExclusiveFile(target.file);
    const seen = await assess(database, config);
    recorder.assessed(seen);
    if (seen.state.kind === 'fresh') return executePlan(seen, context);
    const prepared = await prepare(seen, request, context).catch((error: unknown) => {
      recorder.ended({ state: seen.state.kind, revisions: revisionsIn(seen) });
      throw error;
    });
    await recreateSchema(prepared, request, context);
    announceKept(prepared.dropPlan.kept, log);
    announceNext(recorder.record.backup, commandsFor(context.config), log);
  });
}

/** Runs all checks before the first table is dropped. They do not change the database. @throws Failure */
async function prepare(seen: Assessment, request: ResetRequest, context: ResetContext): Promise<CheckedReset> {
  const { database, log, consent } = context;
  const facts = requireTimeTracker(seen, context);
  await requireEncoding(recreate.pending, database);
  const dropPlan = planDrop(facts, database.engine, await loadApplicationObjects(database.engine));
  if (dropPlan.obstacles.length > 0) throw refused(context, { kind: 'blocking-objects', objects: dropPlan.obstacles });
  const rights = await database.missingRights({ alters: dropPlan.tables, quarantines: false });
  if (rights.length > 0) throw new Failure({ kind: 'missing-rights', database: database.name, rights });
  if (facts.otherSessions.length > 0 && !request.disconnect) {
    throw refused(context, { kind: 'others-are-connected', others: facts.otherSessions });
  }
  const core = coreTables.filter((table) => dropPlan.tables.includes(table));
  const counts = await database.read((session) => countRows(session, core));
  const loss = describeLoss(database.name, dropPlan.tables.length, counts);
  await consent(loss);
  // on PostgreSQL only the server knows all dependencies; for SQLite, the plan has checked them
  if (database.engine === 'postgresql') await tryDrop(dropPlan, request, context);
  log.warn(loss);
  if (request.backup) await saveRows(dropPlan, context);
  return { facts, dropPlan };
}

/**
 * @throws Failure `refused` unless the database could be read and has a core table; `reset-refused` if its core tables
 * may not be TimeTracker's
 */
function requireTimeTracker({ observation, state }: Assessment, context: ResetContext): DatabaseFacts {
  const refusal = { kind: 'refused', database: context.database.name, refusal: refusalOf(state) } as const;
  if (observation.kind !== 'seen' || state.kind === 'interrupted') throw new Failure(refusal);
  const { facts } = observation;
  const core = coreTables.filter((table) => Object.hasOwn(facts.catalog.tables, table));
  if (core.length === 0) throw new Failure(refusal);
  if (state.kind === 'foreign' || !isRecognised(state, facts, core))
    throw refused(context, { kind: 'not-recognised', core, foreignLedgers: facts.foreignLedgers });
  return facts;
}

/**
 * Whether core tables are TimeTracker's: the database has one of its revisions, or the schema of one, or all core
 * tables.
 */
function isRecognised(state: State, { revisions, foreignLedgers }: DatabaseFacts, core: readonly string[]): boolean {
  if ((revisions ?? []).some((revision) => releaseGraph.knows(revision))) return true;
  if (state.kind === 'unversioned') return state.recognised;
  return hasAllCoreTables(core, foreignLedgers);
}

async function countRows(
  session: Session,
  tables: readonly string[],
): Promise<readonly { readonly table: string; readonly rows: number }[]> {
  const counts: { table: string; rows: number }[] = [];
  for (const table of tables) {
    const row = only(await session.query(`SELECT count(*) AS rows FROM ${quoteName(table)}`));
    counts.push({ table, rows: number(row, 'rows') });
  }
  return counts;
}

/** Drops everything and rolls back, to find dependent objects before a backup is made. */
async function tryDrop(dropPlan: DropPlan, { disconnect }: ResetRequest, context: ResetContext): Promise<void> {
  const { database } = context;
  await translateRefusals(context, () =>
    database.rehearse(async (transaction) => {
      await requireExclusiveAccess(transaction, database.name, disconnect);
      await executeDrop(transaction, dropPlan);
    }),
  );
}

/** Makes a safety backup and ignores TT_BACKUP_BEFORE_MIGRATE, because a reset cannot be undone after the commit. */
async function saveRows({ tables }: DropPlan, context: ResetContext): Promise<void> {
  const { database, signal } = context;
  const withData = tables.filter((table) => table !== versionTable);
  if (!(await database.read((session) => holdsRows(session, withData)))) return;
  try {
    await requireSafetyBackup(context);
  } catch (error) {
    signal.throwIfAborted();
    if (isConnectionLost(error)) throw error;
    throw refused(context, { kind: 'no-backup', reason: describeObstacle(obstacleOf(error)) });
  }
}

async function recreateSchema(
  { facts, dropPlan }: CheckedReset,
  request: ResetRequest,
  context: ResetContext,
): Promise<void> {
  const { database, log, recorder } = context;
  await translateRefusals(context, () =>
    database.transaction(async (transaction) => {
      recorder.attempt();
      await requireExclusiveAccess(transaction, database.name, request.disconnect);
      await executeDrop(transaction, dropPlan);
      log.info(describeDeleted(dropPlan.tables.length));
      recorder.step({ kind: 'deletion', tables: dropPlan.tables });
      await bringToHead(transaction, recreate, { ...facts, revisions: null }, context);
      // commit the deletion only once the new schema has been verified
      await verify(database, (question) => transaction.observe(question));
    }),
  );
  await finish(context);
}

/** Turns an error of the database into a failure: either an object depends on a dropped one, or a migration failed. */
async function translateRefusals(context: ResetContext, work: () => Promise<void>): Promise<void> {
  try {
    await withMigrationFailure(recreate, context, work);
  } catch (error) {
    const cause = error instanceof Failure ? error.cause : null;
    if (!(cause instanceof DependentObjectsError)) throw error;
    throw refused(context, {
      kind: 'blocking-objects',
      objects: cause.dependents.map((description) => ({ kind: 'dependent', description })),
    });
  }
}

const refused = ({ database }: ResetContext, obstacle: ResetObstacle): Failure =>
  new Failure({ kind: 'reset-refused', database: database.name, obstacle });

const revisionsIn = ({ observation }: Assessment): readonly string[] =>
  observation.kind === 'seen' ? (observation.facts.revisions ?? []) : [];
