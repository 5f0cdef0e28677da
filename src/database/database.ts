import type { LockHolder } from '../model/cause.ts';
import type { Attachment, OtherSession, DatabaseFacts, Question, MissingRight } from '../model/database-facts.ts';
import type { SuspectTable } from '../model/trial.ts';
import type { Engine } from '../model/engine.ts';
import type pg from 'pg';
import type SQLite from 'better-sqlite3';
import type { Problem } from '../errors/failure.ts';
import type { Session } from './session.ts';

/** Other sessions and prepared transactions that may write to a database. */
export interface OtherWriters {
  readonly sessions: readonly OtherSession[];
  /** The names of prepared transactions (two-phase commit), which need no session. */
  readonly prepared: readonly string[];
}

/** What a run will write, for the check of its rights. */
export interface PlannedWrites {
  readonly alters: readonly string[];
  /** Whether the run creates a schema for quarantined relations. */
  readonly quarantines: boolean;
}

/** The outcome of a COMMIT of a writing transaction; `unknown` if the server could not be queried about it. */
export type CommitOutcome = 'committed' | 'unknown';

export type DriverConnection =
  | { readonly engine: 'postgresql'; readonly driver: typeof pg; readonly client: pg.Client }
  | { readonly engine: 'sqlite'; readonly database: SQLite.Database };

/**
 * `quick` reads only what decides about the state, which takes PostgreSQL half the time: not the text of defaults, only
 * whether there are any (`someDefault`), and no objects that only cause notes.
 */
export type Depth = 'quick' | 'whole';

/** An open transaction. It runs statements, and can observe the database with their changes. */
export interface Transaction extends Session {
  /** For a library that uses the driver directly. The library must not end the transaction. */
  readonly connection: DriverConnection;
  /** @param depth by default `whole` */
  observe(question?: Question, depth?: Depth): Promise<DatabaseFacts>;
}

export interface Database {
  readonly engine: Engine;
  /** The name in messages: `timetracker on db:5432`, `/data/timetracker.db`. It contains no secret. */
  readonly name: string;
  readonly serverVersion: string;

  /** Reads all facts in one snapshot, without writing. */
  observe(depth: Depth, question?: Question): Promise<DatabaseFacts>;

  /**
   * Runs `work` read-only in one snapshot: it does not see concurrent writes. Must not be called within
   * `transaction`.
   */
  read<Result>(work: (session: Session) => Promise<Result>): Promise<Result>;

  /**
   * Tries rows on copies of tables that bear objects of their owner's, and finds the objects that refuse every row.
   * Neither a row nor a sequence of the database changes. What cannot be decided is left out.
   */
  tryRows(suspects: readonly SuspectTable[]): Promise<readonly Attachment[]>;

  /** Finds other sessions that may write to the database. SQLite has no sessions, so its result is always empty. */
  otherWriters(): Promise<OtherWriters>;

  /**
   * For a database that was opened for reading: finds what stops a run that writes before it reads anything, such as a
   * read-only volume. Writes nothing. For one that was opened for writing the result is always null.
   */
  findEntryObstacle(): Promise<Problem | null>;

  /** Finds the rights that the run lacks for its writes. Called before the run writes. */
  missingRights(planned: PlannedWrites): Promise<readonly MissingRight[]>;

  /**
   * Waits for the lock against other runs, at most `lockTimeout` seconds, and holds it while `work` runs.
   * @param depth given: `work` begins with `observe(depth)`, and the connection is closed after it. The lock and the
   *   observation then take one round trip, and the lock may be held until the connection is closed.
   * @throws Failure `locked`, which names the holder
   */
  withLock<Result>(work: () => Promise<Result>, depth?: Depth): Promise<Result>;

  /**
   * Runs `work` in one transaction. When the signal of the run is aborted, the running statement is cancelled and the
   * transaction is rolled back. After a lock timeout, `work` may be called again.
   */
  transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result>;

  /**
   * Runs `work` as `transaction` would, and leaves the database unchanged: PostgreSQL rolls the transaction back (only
   * sequences keep their new positions), SQLite works on a copy beside the file.
   */
  rehearse<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result>;

  close(): Promise<void>;
}

/** How to open a database, and the callbacks for progress. Times are whole seconds. */
export interface OpenOptions {
  readonly applicationName: string;
  /** Whether the run may write. A run that only reads takes no lock, and opens SQLite files read-only. */
  readonly writes: boolean;
  readonly waitTimeout: number;
  readonly lockTimeout: number;
  readonly migrationLockTimeout: number;
  readonly statementTimeout: number;
  readonly allowNetworkFs: boolean;
  readonly signal: AbortSignal;
  readonly onWaiting: (reason: string, secondsLeft: number) => void;
  readonly onLockWaiting: (holder: LockHolder, secondsLeft: number) => void;
  readonly onRetry: (reason: string) => void;
  readonly onWarning: (message: string) => void;
  /** Called for each writing transaction after its commit, or when its outcome cannot be determined. */
  readonly onCommit?: (outcome: CommitOutcome) => void;
}
