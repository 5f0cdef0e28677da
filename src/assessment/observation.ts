import type { Cause } from '../model/cause.ts';
import type { State, SideFileFault, RestoreJournal, Trace } from '../model/state.ts';
import type { Plan } from '../model/plan.ts';
import type { Problem } from '../errors/failure.ts';
import type { RepairPlan } from '../repair/repair-step.ts';
import type { DatabaseFacts } from '../model/database-facts.ts';
import type { Engine } from '../model/engine.ts';
import type { ExpectedSchema } from '../schema/row-questions.ts';
import type { Fingerprints } from '../schema/fingerprints.ts';
import type { ApplicationObjects } from '../schema/application-objects.ts';
import type { Graph } from '../migration/graph.ts';

/** Everything that was read before a decision: the database, and the files on the volumes. */
export type Observation = DatabaseObservation & {
  /** The journal of a restore that is running or did not finish, if the backup folder has one. */
  readonly restoreJournal: RestoreJournal | null;
};

type DatabaseObservation =
  | {
      readonly kind: 'seen';
      readonly engine: Engine;
      readonly facts: DatabaseFacts;
      /** Signs of a former database on the volumes: uploads, backups, a stamp. */
      readonly traces: readonly Trace[];
      /** Whether any of the related tables holds a row; false if the diagnosis does not depend on it. */
      readonly occupied: boolean;
    }
  /** The database could not be read, so nothing is written. */
  | {
      readonly kind: 'not-seen';
      readonly reason: string;
      readonly cause: Cause;
      /** What is wrong with the side files (WAL, rollback journal) of a SQLite file, if that is the reason. */
      readonly sideFile?: SideFileFault;
    };

/** The data of this release: its revisions, and the schema of the last one. */
export interface Knowledge {
  readonly graph: Graph;
  readonly expected: ExpectedSchema;
  /**
   * The schemas that an unversioned database is compared with; null for other databases, because loading takes time.
   */
  readonly fingerprints: Fingerprints | null;
  /** The application's objects by name and columns; null if a version row shows that the database is TimeTracker's. */
  readonly applicationObjects: ApplicationObjects | null;
}

/** What was observed, the state that follows from it, and the plan for that state. */
export interface Assessment {
  readonly observation: Observation;
  readonly state: State;
  readonly plan: Plan;
  /** Why the plan cannot be executed although the state allows it: a read-only volume, rights, encoding, no backup folder. */
  readonly obstacle: Problem | null;
  /** How a drifted schema can be repaired; null for every other state. */
  readonly repair: RepairPlan | null;
  /** The archive that TT_RESTORE_FROM names, if a start would restore it first. */
  readonly restores?: string;
  /** The commands of TT_RUN_ONCE. `why`: the reason why a start does not run them; null if a start runs them first. */
  readonly orders?: { readonly commands: string; readonly why: string | null };
}
