import type { OtherSession } from '../model/database-facts.ts';
import type { Engine } from '../model/engine.ts';
import type { Unsafe } from '../model/repair.ts';
import type { Difference } from '../model/difference.ts';
import type { State } from '../model/state.ts';
import type { Consent, Refusal, Plan, Work } from '../model/plan.ts';
import { type ExitCode, exitCodes } from '../errors/exit-codes.ts';

/** Whether a plan begins with a cleanup. */
export function startsWithQuarantine(plan: Work): boolean {
  return plan.kind === 'migrate' && plan.quarantine;
}

/** What a plan depends on besides the state. */
interface PlanInputs {
  readonly engine: Engine;
  readonly allRevisions: readonly string[];
  readonly others: readonly OtherSession[];
  readonly unsafe?: readonly Unsafe[];
}

/**
 * Decides what to do about a state. Pure.
 * @param allRevisions all revisions in order, which a fresh database has to apply
 * @param others other sessions, which prevent a cleanup
 * @param unsafe the differences of a drifted schema that cannot be repaired
 */
export function planFor(
  state: State,
  consent: Consent,
  { engine, allRevisions, others, unsafe = [] }: PlanInputs,
): Plan {
  const refuse = (reason: Refusal['reason'] = 'state'): Plan => ({
    kind: 'refuse',
    refusal: { ...refusalOf(state), reason, others: reason === 'others-are-connected' ? others : [] },
  });

  switch (state.kind) {
    case 'current':
      return { kind: 'pass', state };
    case 'fresh':
      if (consent.requireExisting) return refuse('must-not-be-empty');
      return { kind: 'migrate', state, pending: allRevisions, quarantine: false, adopt: [] };
    case 'behind':
      return { kind: 'migrate', state, pending: state.pending, quarantine: false, adopt: [] };
    case 'unversioned':
      if (state.identity.kind === 'none' || state.torn !== null) return refuse();
      return {
        kind: 'migrate',
        state,
        pending: state.pending,
        quarantine: false,
        adopt: state.identity.revisions,
      };
    case 'corrupted':
      if (consent.requireExisting && state.traces.length > 0) {
        return { kind: 'refuse', refusal: { ...refusalOf(state), ...unexpectedlyEmpty } };
      }
      if (consent.skipCleanup) return refuse('cleanup-is-off');
      if (engine === 'sqlite') return refuse('cleanup-needs-postgresql');
      if (others.length > 0) return refuse('others-are-connected');
      return { kind: 'migrate', state, pending: allRevisions, quarantine: true, adopt: [] };
    case 'ahead':
      return consent.allowNewerSchema && state.misspelt.length === 0 ? { kind: 'pass', state } : refuse();
    case 'drifted':
      if (state.older !== null) return refuse('older-schema');
      if (consent.drift === 'fail') return refuse('repair-is-off');
      return unsafe.length > 0
        ? { kind: 'refuse', refusal: unrepairableRefusal(state, unsafe) }
        : { kind: 'repair', state };
    case 'interrupted':
      return state.journal.says === null ? refuse() : { kind: 'recover', state };
    case 'partial':
    case 'foreign':
    case 'elsewhere':
    case 'unreadable':
      return refuse();
  }
}

/** For TT_REQUIRE_EXISTING a corrupted database counts as empty: it holds no objects of TimeTracker. */
const unexpectedlyEmpty = { exitCode: exitCodes.unexpectedlyEmpty, reason: 'must-not-be-empty' } as const;

/** The refusal of a schema that lacks objects, when a repair is not allowed. */
export function repairIsOffRefusal(revisions: readonly string[], differences: readonly Difference[]): Refusal {
  return { ...refusalOf({ kind: 'drifted', revisions, older: null, differences }), reason: 'incomplete-at-head' };
}

/** The refusal of a schema with differences that cannot be repaired safely. */
export function unrepairableRefusal(state: State, unsafe: readonly Unsafe[]): Refusal {
  return { ...refusalOf(state), reason: 'unrepairable', unsafe };
}

/** The refusal of a state that the gate may not change. */
export function refusalOf(state: State): Refusal {
  return { exitCode: refusalCodes[state.kind], state, reason: 'state', others: [], unsafe: [] };
}

const refusalCodes = {
  fresh: exitCodes.unexpectedlyEmpty,
  current: exitCodes.healthy,
  behind: exitCodes.healthy,
  corrupted: exitCodes.corrupted,
  partial: exitCodes.partial,
  unversioned: exitCodes.unversioned,
  ahead: exitCodes.ahead,
  drifted: exitCodes.drifted,
  foreign: exitCodes.foreign,
  elsewhere: exitCodes.unreadable,
  interrupted: exitCodes.restoreRefused,
  unreadable: exitCodes.unreadable,
} as const satisfies Record<State['kind'], ExitCode>;
