import type { Assessment } from '../assessment/observation.ts';
import type { State } from '../model/state.ts';
import type { CommitOutcome, Database } from '../database/database.ts';

export type Step =
  | { readonly kind: 'backup'; readonly path: string; readonly bytes: number; readonly milliseconds: number }
  | { readonly kind: 'quarantine'; readonly schema: string; readonly relations: readonly string[] }
  /** What was put aside is back in the application's schema, or was deleted for good. On SQLite it is a whole file. */
  | {
      readonly kind: 'quarantine-restored' | 'quarantine-purged';
      readonly schema: string;
      readonly relations: readonly string[];
    }
  | { readonly kind: 'deletion'; readonly tables: readonly string[] }
  | { readonly kind: 'adoption'; readonly revision: string }
  | { readonly kind: 'revision'; readonly revision: string; readonly milliseconds: number }
  | { readonly kind: 'mending'; readonly object: string; readonly message: string }
  /** The live database was replaced; `kept`: where the one from before is now. */
  | { readonly kind: 'exchange'; readonly action: 'restore' | 'undo'; readonly kept: string }
  /** Former databases that were kept are gone. */
  | { readonly kind: 'former-dropped'; readonly names: readonly string[] };

/**
 * How far the swap of a restore or an undo has come, until it ends. `preparing`: the live database is untouched.
 * `swapping`: it is unknown which database is live, and whether it accepts connections. `finishing`: the new database is
 * live, and something is left to do. `unproven`: everything is done but the last look.
 */
export interface SwapProgress {
  readonly action: 'restore' | 'undo';
  readonly phase: 'preparing' | 'swapping' | 'finishing' | 'unproven';
  /** Under which name the database that takes the live name is prepared. */
  readonly incoming: string;
  /** Under which name the database from before is kept. */
  readonly outgoing: string;
}

/** The state of the database at the end of the run. */
export interface Outcome {
  readonly state: State['kind'];
  readonly revisions: readonly string[];
}

/** What a run has seen and done so far, for the report at its end. */
export interface RunRecord {
  readonly database: Database | null;
  /** The first assessment, before anything was done. */
  readonly before: Assessment | null;
  readonly steps: readonly Step[];
  /** Null if unknown: the run failed while it was writing. */
  readonly after: Outcome | null;
  /** The archive of the safety backup, if one was made. */
  readonly backup: string | null;
  /**
   * What was committed to the live database, and so stays however the run ends: the steps up to the last commit. Null if
   * nothing was; `unknown` if the connection broke at a commit and the server could not be asked.
   */
  readonly committed: readonly Step[] | 'unknown' | null;
  /** Null if there is none, or if it was finished or taken back. */
  readonly swap: SwapProgress | null;
}

export interface Recorder {
  readonly record: RunRecord;
  opened(database: Database): void;
  assessed(look: Assessment): void;
  step(step: Step): void;
  /** A transaction begins, perhaps again: the steps of an earlier attempt were rolled back and are removed. */
  attempt(): void;
  ended(after: Outcome): void;
  /** A transaction in the live database was committed, or nobody knows. */
  committed(outcome: CommitOutcome): void;
  /** Records how far a swap has come. Null: it was rolled back, with everything that was committed meanwhile. */
  swap(progress: SwapProgress | null): void;
  /** A swap is complete, and the new database is live. */
  swapped(step: Extract<Step, { kind: 'exchange' }>): void;
}

export function openRecord(): Recorder {
  const record: { -readonly [Key in keyof RunRecord]: RunRecord[Key] } = {
    database: null,
    before: null,
    steps: [],
    after: null,
    backup: null,
    committed: null,
    swap: null,
  };
  let before: RunRecord['committed'] = null;
  let stepsBefore = 0;
  let attempted = false;
  return {
    record,
    opened: (database) => void (record.database = database),
    assessed: (look) => void (record.before ??= look),
    step(step) {
      record.steps = [...record.steps, step];
      if (step.kind === 'backup') record.backup = step.path;
    },
    attempt() {
      if (attempted) record.steps = record.steps.slice(0, stepsBefore);
      else stepsBefore = record.steps.length;
      attempted = true;
    },
    ended: (after) => void (record.after = after),
    committed(outcome) {
      record.committed = outcome === 'unknown' ? outcome : record.steps;
      attempted = false;
    },
    swap(progress) {
      if (record.swap === null) before = record.committed;
      if (progress === null) record.committed = before;
      record.swap = progress;
    },
    swapped(step) {
      record.steps = [...record.steps, step];
      record.committed = record.steps;
      record.swap = null;
      attempted = false;
    },
  };
}
