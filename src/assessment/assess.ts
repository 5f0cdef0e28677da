import type { Assessment, Observation } from './observation.ts';
import type { Attachment, DatabaseFacts } from '../model/database-facts.ts';
import type { Engine } from '../model/engine.ts';
import type { SideFileFault, State, RestoreJournal } from '../model/state.ts';
import type { Plan } from '../model/plan.ts';
import type { Config } from '../config/config.ts';
import { causeOf, isConnectionLost } from '../database/error-cause.ts';
import type { Database } from '../database/database.ts';
import { Failure, type Problem, reasonOf } from '../errors/failure.ts';
import { releaseGraph } from '../migration/revisions.ts';
import { describeNoVersionTable, describeReason } from '../report/causes.ts';
import { coreTables, versionTable } from '../schema/catalog.ts';
import { createRowQuestion, type ExpectedSchema } from '../schema/row-questions.ts';
import { findSuspects } from '../schema/suspects.ts';
import { loadExpectedSchema } from '../schema/expected-schema.ts';
import type { Fingerprints } from '../schema/fingerprints.ts';
import type { ApplicationObjects } from '../schema/application-objects.ts';
import { diagnose, isOfUnknownOwner, isUnversioned } from './diagnosis.ts';
import type { RepairPlan } from '../repair/repair-step.ts';
import { planFor } from './plan.ts';
import { findRestoreJournal, findTracesOfDatabase } from '../state-folder/state-paths.ts';

/** The largest number of tables whose rows one statement looks for. */
const maxTablesAsked = 500;

/**
 * Observes, diagnoses and plans, without writing anything.
 * @param depth `whole` for a report: only the notes need the text of all defaults
 * @param loading the schema of the head, if the caller has begun to load it
 */
export async function assess(
  database: Database,
  config: Config,
  depth: 'quick' | 'whole' = 'quick',
  loading: Promise<ExpectedSchema> = loadExpectedSchema(database.engine),
): Promise<Assessment> {
  const [observation, expected] = await Promise.all([observe(database, config, loading, depth), loading]);
  const knowledge = {
    graph: releaseGraph,
    expected,
    fingerprints: await fingerprintsFor(observation),
    applicationObjects: await applicationObjectsFor(observation),
  };
  const first = diagnose(observation, knowledge);
  // a schema of the head is not compared with the earlier revisions: loading them takes time
  const diagnosis =
    first.kind === 'drifted' || first.kind === 'behind'
      ? diagnose(observation, { ...knowledge, fingerprints: await loadAllFingerprints(database.engine) })
      : first;
  const assessed = await assessRepairOf(database, observation, diagnosis, expected);
  const { repair } = assessed;
  const state = await addBackups(assessed.state, config);
  const plan = planFor(state, config, {
    engine: database.engine,
    allRevisions: releaseGraph.revisions.map(({ id }) => id),
    others: observation.kind === 'seen' ? observation.facts.otherSessions : [],
    unsafe: repair?.unsafe ?? [],
  });
  const obstacle = (await database.findEntryObstacle()) ?? (await obstacleOf(plan, observation, database, config));
  return { observation, state, plan, obstacle, repair };
}

/** Looks for obstacles only if the plan writes, so that a healthy database does not wait for the answer. */
async function obstacleOf(
  plan: Plan,
  observation: Observation,
  database: Database,
  config: Config,
): Promise<Problem | null> {
  if ((plan.kind !== 'migrate' && plan.kind !== 'repair') || observation.kind !== 'seen') return null;
  const { findObstacle } = await import('./obstacles.ts');
  return findObstacle(plan, observation.facts, database, config);
}

/**
 * Reads the rows of a drifted database to find out which differences can be repaired. If that fails, the state becomes
 * `unreadable`: too little is known to change anything.
 */
async function assessRepairOf(
  database: Database,
  observation: Observation,
  state: State,
  expected: ExpectedSchema,
): Promise<{ state: State; repair: RepairPlan | null }> {
  if (state.kind !== 'drifted' || observation.kind !== 'seen') return { state, repair: null };
  const { assessRepair } = await import('../repair/repair.ts');
  const { engine } = observation;
  try {
    const context = { ...expected, facts: await database.observe('whole'), engine };
    return { state, repair: await database.read((session) => assessRepair(session, state.differences, context)) };
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    const cause = causeOf(error);
    return { state: { kind: 'unreadable', reason: describeReason(reasonOf(error), cause), cause }, repair: null };
  }
}

/** Adds the backups that can be restored to the state of a database whose load was cut off. */
async function addBackups(state: State, config: Config): Promise<State> {
  if ((state.kind !== 'partial' && state.kind !== 'unversioned') || state.torn === null) return state;
  const { listArchives } = await import('../backup/list.ts');
  const archives = await listArchives(config).catch(() => []);
  const fitting = archives.filter(({ problem, engine }) => problem === null && engine === config.database.kind);
  return { ...state, torn: { ...state.torn, backups: fitting.map(({ name }) => name) } };
}

/** Loads the module that reads journals only if there is a journal: most databases were never restored. */
async function assessRestore(config: Config): Promise<RestoreJournal | null> {
  const file = findRestoreJournal(config);
  if (file === null) return null;
  const { describeJournal } = await import('../state-folder/journal.ts');
  return { file, says: describeJournal(config) };
}

async function fingerprintsFor(observation: Observation): Promise<Fingerprints | null> {
  if (observation.kind !== 'seen' || !isUnversioned(observation.facts)) return null;
  return loadAllFingerprints(observation.engine);
}

async function loadAllFingerprints(engine: Engine): Promise<Fingerprints> {
  const { loadFingerprints } = await import('../schema/fingerprints.ts');
  return loadFingerprints(engine, releaseGraph);
}

/**
 * Loads the list of application objects only if no version row identifies the application, because the list is large.
 */
async function applicationObjectsFor(observation: Observation): Promise<ApplicationObjects | null> {
  if (observation.kind !== 'seen' || !isOfUnknownOwner(observation.facts, releaseGraph)) return null;
  const { loadApplicationObjects } = await import('../schema/application-objects.ts');
  return loadApplicationObjects(observation.engine);
}

/** Whether tables that refer to each other hold rows. A table that the role may not read counts as one that does. */
async function isOccupied(database: Database, facts: DatabaseFacts): Promise<boolean> {
  if (!isOfUnknownOwner(facts, releaseGraph)) return false;
  const { relatedTables } = await import('./other-application.ts');
  const related = relatedTables(facts.catalog).slice(0, maxTablesAsked);
  if (related.length === 0) return false;
  const { holdsRows } = await import('../backup/database-summary.ts');
  return database.read((session) => holdsRows(session, related)).catch(() => true);
}

async function observe(
  database: Database,
  config: Config,
  loading: Promise<ExpectedSchema>,
  depth: 'quick' | 'whole',
): Promise<Observation> {
  let facts;
  try {
    const expected = await loading;
    facts = await database.observe(depth, createRowQuestion(expected, database.engine));
    facts = await withTrials(database, expected, facts);
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    const sideFile = sideFileIn(error);
    const cause = causeOf(error);
    const reason = describeReason(reasonOf(error), cause);
    const seen = { kind: 'not-seen', reason, cause, ...(sideFile !== null && { sideFile }) } as const;
    return { ...seen, restoreJournal: await assessRestore(config) };
  }
  // a view can show any revision and accepts no version rows: its rows are not used
  const ledger = facts.relations.find(({ name }) => name === versionTable)?.kind ?? 'table';
  if (ledger !== 'table' && ledger !== 'partitioned table') {
    const cause = { kind: 'other' } as const;
    return {
      kind: 'not-seen',
      reason: describeNoVersionTable(ledger),
      cause,
      restoreJournal: await assessRestore(config),
    };
  }
  // the volumes are searched only if there is no core table, because most databases have core tables
  const found = facts.catalog.tables;
  const traces = coreTables.some((table) => Object.hasOwn(found, table)) ? [] : findTracesOfDatabase(config);
  const occupied = await isOccupied(database, facts);
  return {
    kind: 'seen',
    engine: database.engine,
    facts,
    traces,
    occupied,
    restoreJournal: await assessRestore(config),
  };
}

/**
 * Adds the objects of the owner's that refuse every row, though their definition does not tell: rows are tried. Only in
 * a database with a version row and such objects: most databases have none.
 */
async function withTrials(database: Database, { head }: ExpectedSchema, facts: DatabaseFacts): Promise<DatabaseFacts> {
  const suspects = (facts.revisions ?? []).length === 0 ? [] : findSuspects(head, facts);
  if (suspects.length === 0) return facts;
  const refusing = await database.tryRows(suspects);
  const isTried = ({ table, what, name }: Attachment): boolean =>
    refusing.some((tried) => tried.table === table && tried.what === what && tried.name === name);
  const attachments = [...facts.runtime.attachments.filter((attachment) => !isTried(attachment)), ...refusing];
  return { ...facts, runtime: { ...facts.runtime, attachments } };
}

function sideFileIn(error: unknown): SideFileFault | null {
  return error instanceof Failure && error.problem.kind === 'unreadable' ? (error.problem.sideFile ?? null) : null;
}
