import type { LockHolder } from '../model/cause.ts';
import type { OtherSession, DatabaseFacts, Question, MissingRight } from '../model/database-facts.ts';
import type { Engine } from '../model/engine.ts';
import type pg from 'pg';
import type SQLite from 'better-sqlite3';
import type { Session } from './session.ts';

/** Who else may write to a database. */
export interface OthersAtWork {
  readonly sessions: readonly OtherSession[];
  /** The names of transactions that were prepared for a commit in two phases: they need no session. */
  readonly prepared: readonly string[];
}

/** What a run is going to write, as far as rights are concerned. */
export interface Intention {
  /** Tables that are there and may be altered. */
  readonly alters: readonly string[];
  /** Whether a schema for quarantined relations is to be created. */
  readonly quarantines: boolean;
}

/** What is known of a transaction that wrote and whose commit was asked for: `unknown` where nobody could tell. */
export type CommitOutcome = 'committed' | 'unknown';

/** The driver's own end of a connection. */
export type DriverConnection =
  | { readonly engine: 'postgresql'; readonly driver: typeof pg; readonly client: pg.Client }
  | { readonly engine: 'sqlite'; readonly database: SQLite.Database };

/** A transaction at work: statements, and a look at what they have brought about so far. */
export interface Transaction extends Session {
  /** For a library that speaks to the driver itself. The transaction is not that library's to end. */
  readonly connection: DriverConnection;
  observe(question?: Question): Promise<DatabaseFacts>;
}

/** A connection to the database that is to be brought into shape. */
export interface Database {
  readonly engine: Engine;
  /** What people call it: `timetracker on db:5432`, `/data/timetracker.db`. No secret in it. */
  readonly name: string;
  readonly serverVersion: string;

  /**
   * Looks at everything, in one snapshot and without writing.
   * @param depth `quick` does not ask for the texts of defaults, only whether there are any (`someDefault`): that
   *   tells a healthy database, and takes PostgreSQL half the time
   */
  observe(depth: 'quick' | 'whole', question?: Question): Promise<DatabaseFacts>;

  /**
   * Runs `work` on one unchanging picture of the database: what others write meanwhile is not seen. Nothing can be
   * written. Not to be called within `transaction`.
   */
  read<Result>(work: (session: Session) => Promise<Result>): Promise<Result>;

  /** Who else may write to it; where a database has no sessions (SQLite), nobody that it knows of. */
  othersAtWork(): Promise<OthersAtWork>;

  /** What is lacking to do what is intended, asked before anything starts. */
  missingRights(intention: Intention): Promise<readonly MissingRight[]>;

  /**
   * Holds the lock against other runs while `work` runs, waiting for it as long as the configuration allows.
   * @param use `everything`: the connection is closed after `work`, and the first thing that it does is to observe,
   *   quickly. That is asked for together with the lock, which may be held until the connection is closed.
   * @throws Failure `locked` that names the holder
   */
  withLock<Result>(work: () => Promise<Result>, use?: 'everything'): Promise<Result>;

  /**
   * Runs `work` in one transaction: all of it or nothing. When the run's signal is aborted, the running statement is
   * cancelled and the transaction rolled back. `work` may be called again if a lock was not to be had in time.
   */
  transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result>;

  /**
   * Runs `work` as `transaction` would, and leaves the database as it was: on PostgreSQL it is rolled back (positions
   * of sequences aside), on SQLite it is done on a copy beside the file.
   */
  rehearse<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result>;

  close(): Promise<void>;
}

/** How to open a database, and whom to tell while it takes time. Times are whole seconds. */
export interface OpenOptions {
  readonly applicationName: string;
  /** Whether the run may write. Runs that do not take no lock, and open SQLite files read-only. */
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
  /** Told of each transaction that wrote, once it is committed or nobody can tell any more. */
  readonly onCommit?: (outcome: CommitOutcome) => void;
}
