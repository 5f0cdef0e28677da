import type { Database } from '../database/database.ts';
import type { State } from '../gate/diagnosis.ts';
import type { Look } from '../gate/look.ts';

/** Something that a run did to the database or for its sake. */
export type Step =
  | { readonly kind: 'backup'; readonly path: string; readonly bytes: number; readonly milliseconds: number }
  | { readonly kind: 'quarantine'; readonly schema: string; readonly relations: readonly string[] }
  | { readonly kind: 'deletion'; readonly tables: readonly string[] }
  | { readonly kind: 'adoption'; readonly revision: string }
  | { readonly kind: 'revision'; readonly revision: string; readonly milliseconds: number }
  | { readonly kind: 'mending'; readonly object: string; readonly message: string };

/** What was in the database when the run was done with it. */
export interface Outcome {
  readonly state: State['kind'];
  readonly revisions: readonly string[];
}

/** What a run has seen and done so far, to be told when it ends, however it ends. */
export interface RunRecord {
  readonly database: Database | null;
  /** The first look, before anything was done. */
  readonly before: Look | null;
  readonly steps: readonly Step[];
  /** Null where nobody knows: the run failed while it was writing. */
  readonly after: Outcome | null;
  /** The archive of the safety backup, if one was made. */
  readonly backup: string | null;
}

/** The writing side of a record. */
export interface Recorder {
  readonly record: RunRecord;
  opened(database: Database): void;
  looked(look: Look): void;
  step(step: Step): void;
  /** A transaction begins, perhaps again: what a former attempt did in it was rolled back and is forgotten. */
  attempt(): void;
  left(after: Outcome): void;
}

/** Opens an empty record. */
export function openRecord(): Recorder {
  const record: { -readonly [Key in keyof RunRecord]: RunRecord[Key] } = {
    database: null,
    before: null,
    steps: [],
    after: null,
    backup: null,
  };
  let settled = 0;
  let attempted = false;
  return {
    record,
    opened: (database) => void (record.database = database),
    looked: (look) => void (record.before ??= look),
    step(step) {
      record.steps = [...record.steps, step];
      if (step.kind === 'backup') record.backup = step.path;
    },
    attempt() {
      if (attempted) record.steps = record.steps.slice(0, settled);
      else settled = record.steps.length;
      attempted = true;
    },
    left: (after) => void (record.after = after),
  };
}
