import type { Assessment } from './observation.ts';
import type { Plan } from '../model/plan.ts';
import type { State } from '../model/state.ts';
import type { Extras } from '../model/difference.ts';
import type { Catalog } from '../model/catalog.ts';
import { refusalOf } from './plan.ts';
import { type ExitCode, exitCodes } from '../errors/exit-codes.ts';
import { exitCodeOf, type Problem } from '../errors/failure.ts';
import type { Database } from '../database/database.ts';
import { releaseGraph } from '../migration/revisions.ts';
import { findExtras } from '../schema/comparison.ts';
import { describeAttachment } from '../report/attachments.ts';
import { describeDifference, describeUnsafe } from '../report/schema-differences.ts';
import { findNotes } from '../schema/faults.ts';
import { describeCause } from '../report/error-messages.ts';

/** A problem, as `--json` reports it. */
export interface ReportedProblem {
  readonly kind: string;
  readonly object: string;
  readonly message: string;
}

/** What the gate would do with the state. */
export type Action =
  'restore' | 'pass' | 'settle' | 'migrate' | 'quarantine and migrate' | 'adopt and migrate' | 'repair' | 'refuse';

/** The object that `status`, `plan` and `verify` print with `--json`. */
export interface StateReport {
  readonly state: State['kind'] | null;
  readonly database: string | null;
  readonly engine: Database['engine'] | null;
  readonly serverVersion: string | null;
  readonly revisions: readonly string[];
  readonly heads: readonly string[];
  readonly pending: readonly string[];
  /** The revisions that the gate would stamp an unversioned database with. */
  readonly adopts: readonly string[];
  readonly action: Action | null;
  /** The archive that the gate would restore first; null if there is none. */
  readonly restores: string | null;
  /** The commands of TT_RUN_ONCE, and the reason why the gate would not run them first; null if there are none. */
  readonly runOnce: { readonly commands: string; readonly why: string | null } | null;
  readonly problems: readonly ReportedProblem[];
  /** Objects that the owner added to the schema: reported, never changed. */
  readonly extras: Extras;
  /** Objects on the application's tables, and settings of the database, that may cause errors. */
  readonly notes: readonly ReportedProblem[];
  readonly exitCode: ExitCode;
}

const noExtras: Extras = { tables: [], columns: [], indexes: [] };

/** Turns an assessment into the object that `--json` prints. */
export function reportAssessment(database: Database, seen: Assessment, head: Catalog, exitCode: ExitCode): StateReport {
  const { observation, state, plan, obstacle } = seen;
  const facts = observation.kind === 'seen' ? observation.facts : null;
  const atHead = state.kind === 'current' || state.kind === 'drifted';
  return {
    state: state.kind,
    database: database.name,
    engine: database.engine,
    serverVersion: database.serverVersion,
    revisions: facts?.revisions ?? [],
    heads: releaseGraph.heads,
    pending: pendingOf(state),
    adopts: plan.kind === 'migrate' ? plan.adopt : [],
    action: obstacle !== null ? 'refuse' : seen.restores === undefined ? actionOf(plan) : 'restore',
    restores: seen.restores ?? null,
    runOnce: seen.orders ?? null,
    problems: problemsOf(database.name, seen),
    extras: facts === null ? noExtras : findExtras(head, facts.catalog),
    notes:
      facts === null
        ? []
        : findNotes(head, facts, database.engine, atHead).map((note) => ({
            kind: note.what,
            ...describeAttachment(note),
          })),
    exitCode,
  };
}

/** Builds the report if nothing was observed: the database could not be reached, or the configuration is wrong. */
export function reportFailure(problems: readonly ReportedProblem[], exitCode: ExitCode): StateReport {
  return {
    state: null,
    database: null,
    engine: null,
    serverVersion: null,
    revisions: [],
    heads: releaseGraph.heads,
    pending: [],
    adopts: [],
    action: null,
    restores: null,
    runOnce: null,
    problems,
    extras: noExtras,
    notes: [],
    exitCode,
  };
}

function actionOf(plan: Plan): Action {
  // the JSON key `action` has said `settle` since the first version
  if (plan.kind === 'recover') return 'settle';
  if (plan.kind !== 'migrate') return plan.kind;
  if (plan.quarantine) return 'quarantine and migrate';
  return plan.adopt.length > 0 ? 'adopt and migrate' : 'migrate';
}

function pendingOf(state: State): readonly string[] {
  switch (state.kind) {
    case 'behind':
    case 'unversioned':
      return state.pending;
    case 'fresh':
    case 'corrupted':
      return releaseGraph.revisions.map(({ id }) => id);
    case 'current':
    case 'drifted':
    case 'partial':
    case 'ahead':
    case 'foreign':
    case 'elsewhere':
    case 'interrupted':
    case 'unreadable':
      return [];
  }
}

function problemsOf(database: string, seen: Assessment): readonly ReportedProblem[] {
  const { obstacle } = seen;
  return obstacle === null
    ? problemsOfState(database, seen)
    : [{ kind: obstacle.kind, object: database, message: messageOf(obstacle) }, ...problemsOfState(database, seen)];
}

function messageOf(problem: Problem): string {
  const { title, happened } = describeCause(problem);
  return [title, ...happened].filter((line) => line !== '').join(' ');
}

function problemsOfState(database: string, { state, plan, repair }: Assessment): readonly ReportedProblem[] {
  if (state.kind === 'drifted') {
    const unsafeDifferences = new Map(repair?.unsafe.map((unsafe) => [unsafe.difference, unsafe]));
    return state.differences.map((difference) => {
      const unsafe = unsafeDifferences.get(difference);
      return { ...describeDifference(difference), ...(unsafe && { message: describeUnsafe(unsafe) }) };
    });
  }
  if (plan.kind !== 'refuse' && isExpected(state)) return [];
  const refusal = plan.kind === 'refuse' ? plan.refusal : refusalOf(state);
  const problem = { kind: state.kind, object: database, message: messageOf({ kind: 'refused', database, refusal }) };
  const mismatches = state.kind === 'unversioned' && state.identity.kind === 'none' ? state.identity.mismatches : [];
  return [problem, ...mismatches.map(describeDifference)];
}

function isExpected({ kind }: State): boolean {
  return kind === 'current' || kind === 'behind' || kind === 'fresh';
}

/** The exit code that the gate would return now. */
export function gateExitCode({ plan, obstacle, restores }: Assessment): ExitCode {
  if (obstacle !== null) return exitCodeOf(obstacle);
  // a restore keeps the present database aside, and fails unless the restored one is healthy
  if (restores !== undefined) return exitCodes.healthy;
  return plan.kind === 'refuse' ? plan.refusal.exitCode : exitCodes.healthy;
}

/** The exit code of `verify`: 0 only for a current database, whatever the gate is allowed to change. */
export function verifyExitCode({ state }: Assessment): ExitCode {
  if (state.kind === 'current') return exitCodes.healthy;
  if (state.kind === 'fresh' || state.kind === 'behind') return exitCodes.verificationFailed;
  return refusalOf(state).exitCode;
}
