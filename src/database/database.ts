import type { Catalog } from '../schema/catalog.ts';
import type { Surroundings } from '../schema/server-settings.ts';
import type { Engine, Session } from './session.ts';

/** What a name in the application's schema stands for. */
export type RelationKind =
  'table' | 'partitioned table' | 'view' | 'materialized view' | 'foreign table' | 'sequence' | 'type';

/** Something in the application's schema that no extension owns; sequences only if no column owns them. */
export interface Relation {
  readonly name: string;
  readonly kind: RelationKind;
  /** About how many rows it holds; null where the database keeps no estimate. */
  readonly estimatedRows: number | null;
}

/** Somebody else who is connected to the database. */
export interface OtherSession {
  readonly pid: number;
  readonly application: string;
  readonly user: string;
  readonly client: string;
}

/** Who else may write to a database. */
export interface OthersAtWork {
  readonly sessions: readonly OtherSession[];
  /** The names of transactions that were prepared for a commit in two phases: they need no session. */
  readonly prepared: readonly string[];
}

/** What row security is called that holds for the user of this connection: rows may be hidden from it. */
export const activeRowSecurity = 'row security for this user';

/** Stands for a column's default that is there, where nobody asked which. */
export const someDefault = '?';

/** What an attachment's `what` begins with that tells of text which sorts in another way than its indexes were built. */
export const collationVersion = 'collation version';

/** The surroundings of an empty database. */
export const noSurroundings: Surroundings = { attachments: [], numberings: [], answers: [] };

/** What one look at a database tells, taken in one snapshot. */
export interface DatabaseFacts {
  /** The schema that the application works in; null if its search path names none that is there. `main` on SQLite. */
  readonly schema: string | null;
  /** Other schemas that hold tables of TimeTracker. */
  readonly elsewhere: readonly string[];
  readonly relations: readonly Relation[];
  readonly catalog: Catalog;
  /** The rows of alembic_version; null if there is no such table. */
  readonly revisions: readonly string[] | null;
  /** Types of the schema that stand by themselves: enumerations, domains, ranges, composite types. */
  readonly types: readonly string[];
  /** Ledgers of other migration tools, as `schema.table`. */
  readonly ledgers: readonly string[];
  readonly otherSessions: readonly OtherSession[];
  readonly surroundings: Surroundings;
}

/**
 * What a look asks about rows, in the same snapshot, once the catalog is known: queries for `fault`, `table` and
 * `value`, all of them text. They must not name what may not be read.
 */
export type Question = (seen: Pick<DatabaseFacts, 'catalog' | 'surroundings'>) => readonly string[];

/** What a run is going to write, as far as rights are concerned. */
export interface Intention {
  /** Tables that are there and may be altered. */
  readonly alters: readonly string[];
  /** Whether a schema for quarantined relations is to be created. */
  readonly quarantines: boolean;
}

/** Why a run may not write what it has to write. */
export interface MissingRight {
  /** What cannot be done, e.g. `create tables in schema public`. */
  readonly action: string;
  /** What its owner runs to allow it. */
  readonly remedy: string;
}

/** What is known of a transaction that wrote and whose commit was asked for: `unknown` where nobody could tell. */
export type CommitOutcome = 'committed' | 'unknown';

/** A transaction at work: statements, and a look at what they have brought about so far. */
export interface Transaction extends Session {
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
   * @throws Failure `locked` that names the holder
   */
  withLock<Result>(work: () => Promise<Result>): Promise<Result>;

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
