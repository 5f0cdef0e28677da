import type { Unsafe } from './repair.ts';
import type { ExitCode } from '../errors/exit-codes.ts';
import type { OtherSession } from './database-facts.ts';
import type { State } from './state.ts';

/** The owner's permissions, from environment variables. */
export interface Consent {
  /** TT_SKIP_DB_CLEANUP */
  readonly skipCleanup: boolean;
  /** TT_REQUIRE_EXISTING */
  readonly requireExisting: boolean;
  /** TT_ALLOW_NEWER_SCHEMA */
  readonly allowNewerSchema: boolean;
  /** TT_DRIFT */
  readonly drift: 'repair' | 'fail';
}

/** Why the application may not start, and the exit code. */
export interface Refusal {
  readonly exitCode: ExitCode;
  readonly state: State;
  /** The obstacle, if the state alone does not say it. */
  readonly reason:
    | 'state'
    | 'cleanup-is-off'
    | 'cleanup-needs-postgresql'
    | 'others-are-connected'
    | 'must-not-be-empty'
    | 'repair-is-off'
    | 'unrepairable'
    | 'older-schema'
    | 'incomplete-at-head';
  readonly others: readonly OtherSession[];
  /** The differences that cannot be repaired safely, if that is the reason. */
  readonly unsafe: readonly Unsafe[];
}

/** The plan of a run. */
export type Plan =
  | { readonly kind: 'pass'; readonly state: Extract<State, { kind: 'current' | 'ahead' }> }
  | {
      readonly kind: 'migrate';
      readonly state: State;
      readonly pending: readonly string[];
      readonly quarantine: boolean;
      /** The revisions with which an unversioned database is stamped, before anything is applied. */
      readonly adopt: readonly string[];
    }
  | { readonly kind: 'repair'; readonly state: Extract<State, { kind: 'drifted' }> }
  /** Wait for a restore that is running, finish or undo one that was interrupted, then assess the database again. */
  | { readonly kind: 'recover'; readonly state: Extract<State, { kind: 'interrupted' }> }
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

/** A plan that writes. */
export type Work = Extract<Plan, { kind: 'migrate' | 'repair' }>;
