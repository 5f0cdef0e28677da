import type { Cause } from '../model/cause.ts';
import type { State, SideFileFault, RestoreJournal } from '../model/state.ts';
import type { Plan } from '../model/plan.ts';
import type { Problem } from '../errors/failure.ts';
import type { RepairPlan } from '../repair/repair-step.ts';
import type { DatabaseFacts } from '../model/database-facts.ts';
import type { Engine } from '../model/engine.ts';
import type { ExpectedSchema } from '../schema/faults.ts';
import type { Fingerprints } from '../schema/fingerprints.ts';
import type { ApplicationObjects } from '../schema/application-objects.ts';
import type { Graph } from '../migration/graph.ts';

/** Everything that was seen before a decision: the database and what lies on the volumes beside it. */
export type Observation = DatabaseObservation & {
  /** The journal of a restore that is under way or did not finish, if one lies in the backup folder. */
  readonly restoreJournal: RestoreJournal | null;
};

type DatabaseObservation =
  | {
      readonly kind: 'seen';
      readonly engine: Engine;
      readonly facts: DatabaseFacts;
      /** What speaks of a former database on the volumes: uploads, backups, a stamp; a sentence each. */
      readonly traces: readonly string[];
      /** Whether any of the tables that refer to each other holds a row; false where that does not decide. */
      readonly occupied: boolean;
    }
  /** Looking failed: not knowing is a reason to touch nothing. */
  | {
      readonly kind: 'not-seen';
      readonly reason: string;
      readonly cause: Cause;
      /** What is wrong with what lies beside a SQLite file, if that is the reason. */
      readonly sideFile?: SideFileFault;
    };

/** What this release knows: its revisions, and what the last one promises. */
export interface Knowledge {
  readonly graph: Graph;
  readonly promised: ExpectedSchema;
  /** What an unversioned database is compared with; null for any other, to spare the time of loading it. */
  readonly fingerprints: Fingerprints | null;
  /** What is the application's by name and shape; null where a version row of its own says whose database it is. */
  readonly possessions: ApplicationObjects | null;
}

/** What was seen, what it means, and what is to be done about it. */
export interface Assessment {
  readonly observation: Observation;
  readonly state: State;
  readonly plan: Plan;
  /** What keeps the plan from being carried out, though the state does not: rights, encoding, the place of a backup. */
  readonly obstacle: Problem | null;
  /** How a drifted schema can be mended; null for every other state. */
  readonly repair: RepairPlan | null;
  /** The archive that TT_RESTORE_FROM orders, and that a start would restore before it does anything else. */
  readonly restores?: string;
  /** The commands of TT_RUN_ONCE, and why a start does not carry them out; null: it does, before anything else. */
  readonly orders?: { readonly commands: string; readonly why: string | null };
}
