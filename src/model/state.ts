import type { Cause } from './cause.ts';
import type { Relation } from './database-facts.ts';
import type { Difference, Mismatch, Unexpected } from './difference.ts';

/** What shows that a dump was loaded in part: tables come first in it, then rows, then keys. */
export interface TornLoad {
  /** Core tables without their primary key. */
  readonly keyless: readonly string[];
  /** Tables that have none of the rows that a revision inserts; without these rows no user has any rights. */
  readonly empty: readonly string[];
  /** Complete backups, the newest first, by the names that the commands use. They are looked up for the message. */
  readonly backups?: readonly string[];
}

/** Which revision a database is at, judged by its schema alone. */
export type Identity =
  | {
      readonly kind: 'match';
      /** The rows that belong into alembic_version. */
      readonly revisions: readonly string[];
      /** Other sets of rows whose schema is the same. */
      readonly alike: RowSets;
      /** Keys, indexes and sequences that the revision promises and the database lacks. */
      readonly missing: readonly Difference[];
      /** What the next revision brings and is there already: on SQLite an upgrade may stop half-way. */
      readonly begun: readonly Unexpected[];
      /** Tables, and columns as `table.column`, that no revision ever had: the owner's. */
      readonly own: readonly string[];
    }
  | {
      readonly kind: 'none';
      /** The rows of the revision with the fewest differences. */
      readonly nearest: readonly string[];
      readonly alike: RowSets;
      readonly mismatches: readonly Mismatch[];
    };

/** What shows that a database is another application's. One of the lists may be empty. */
export interface OtherApplication {
  /** Tables in which some tool records migrations or versions. */
  readonly foreignLedgers: readonly string[];
  /** Tables that refer to each other, and hold rows. */
  readonly related: readonly string[];
}

/** The journal of a restore. */
export interface RestoreJournal {
  readonly file: string;
  /** Its content as a sentence; null if it cannot be read. */
  readonly says: string | null;
}

/** The state that a database is in (recovery document, "Detection Logic", carried further). */
export type State =
  | { readonly kind: 'fresh'; readonly traces: readonly string[] }
  | { readonly kind: 'current'; readonly revisions: readonly string[] }
  | { readonly kind: 'behind'; readonly revisions: readonly string[]; readonly pending: readonly string[] }
  | {
      readonly kind: 'drifted';
      readonly revisions: readonly string[];
      /** The rows of an earlier revision whose schema this is, as far as one can tell: the ledger is not to be believed. */
      readonly older: readonly string[] | null;
      readonly differences: readonly Difference[];
    }
  | { readonly kind: 'corrupted'; readonly relations: readonly Relation[]; readonly traces: readonly string[] }
  | {
      readonly kind: 'partial';
      readonly revisions: readonly string[];
      readonly missing: readonly string[];
      /** Set where the tables are there, but what a load brings after them is not. */
      readonly torn: TornLoad | null;
    }
  | {
      readonly kind: 'unversioned';
      readonly present: readonly string[];
      /** Of other migration tools. */
      readonly foreignLedgers: readonly string[];
      /** Whether the core tables are TimeTracker's, as far as one can tell: only then a reset deletes them. */
      readonly recognised: boolean;
      readonly identity: Identity;
      /** Set where the schema or the rows were only loaded in part: then it is not adopted. */
      readonly torn: TornLoad | null;
      /** What is to be applied to a database of that identity. */
      readonly pending: readonly string[];
    }
  | {
      readonly kind: 'ahead';
      readonly revisions: readonly string[];
      readonly unknown: readonly string[];
      /** Unknown version rows that are misspelt names of known revisions: the database is then not newer. */
      readonly misspelt: readonly MisspeltRevision[];
    }
  | ({ readonly kind: 'foreign' } & OtherApplication)
  /** TimeTracker's tables are in other schemas than the one that the application would use. PostgreSQL only. */
  | {
      readonly kind: 'elsewhere';
      readonly schema: string | null;
      readonly holding: readonly string[];
      /** Core tables by name that are here all the same: the application would find them before its own. */
      readonly hiding: readonly string[];
    }
  | { readonly kind: 'interrupted'; readonly journal: RestoreJournal }
  | { readonly kind: 'unreadable'; readonly reason: string; readonly cause: Cause; readonly sideFile?: SideFileFault };

/** A version row that names no revision, but nearly. */
export interface MisspeltRevision {
  readonly row: string;
  /** The only revision that it can mean; null if the row is empty. */
  readonly revision: string | null;
}

/** Why the log beside a SQLite file seems to belong to another copy. A reason is a sentence without its full stop. */
export type SideFileFault = { readonly side: '-wal' | '-journal' } & (
  | { readonly kind: 'mismatch'; readonly reason: string }
  /** SQLite would make a damaged file of both. */
  | { readonly kind: 'damages'; readonly reason: string }
  /** SQLite would make a file without these tables, or without their rows. */
  | { readonly kind: 'loses'; readonly tables: readonly string[] }
);

export type RowSets = readonly (readonly string[])[];
