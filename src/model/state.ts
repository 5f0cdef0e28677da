import type { Cause } from './cause.ts';
import type { Relation } from './database-facts.ts';
import type { Difference, Mismatch, Unexpected } from './difference.ts';

/** The signs that a dump was only loaded in part. A dump contains first tables, then rows, then keys. */
export interface TornLoad {
  /** Core tables without their primary key. */
  readonly keyless: readonly string[];
  /** Tables without the rows that a revision inserts; without these rows no user has any rights. */
  readonly empty: readonly string[];
  /** The names of complete backups, newest first, for the message. */
  readonly backups?: readonly string[];
}

/** The revision of a database, found by its schema alone. */
export type Identity =
  | {
      readonly kind: 'match';
      /** The rows for alembic_version. */
      readonly revisions: readonly string[];
      /** Other sets of rows with the same schema. */
      readonly alike: RowSets;
      /** Keys, indexes and sequences of the revision that the database lacks. */
      readonly missing: readonly Difference[];
      /** Existing objects of the next revision: on SQLite, an upgrade may stop in the middle of it. */
      readonly begun: readonly Unexpected[];
      /** Tables, and columns as `table.column`, that no revision ever had, so they belong to the owner. */
      readonly own: readonly string[];
    }
  | {
      readonly kind: 'none';
      /** The rows of the revision with the fewest differences. */
      readonly nearest: readonly string[];
      readonly alike: RowSets;
      readonly mismatches: readonly Mismatch[];
    };

/** The signs of another application's database. One of the lists may be empty. */
export interface OtherApplication {
  /** Tables in which a tool records migrations or versions. */
  readonly foreignLedgers: readonly string[];
  /** Tables that refer to each other and have rows. */
  readonly related: readonly string[];
}

export interface RestoreJournal {
  readonly file: string;
  /** Its content as a sentence; null if it cannot be read. */
  readonly says: string | null;
}

/** The state of a database: the four states of the recovery document ("Detection Logic"), and more. */
export type State =
  | { readonly kind: 'fresh'; readonly traces: readonly Trace[] }
  | { readonly kind: 'current'; readonly revisions: readonly string[] }
  | { readonly kind: 'behind'; readonly revisions: readonly string[]; readonly pending: readonly string[] }
  | {
      readonly kind: 'drifted';
      readonly revisions: readonly string[];
      /** The rows of an earlier revision that has this schema: then the version rows, of any revision, are probably wrong. */
      readonly older: readonly string[] | null;
      readonly differences: readonly Difference[];
    }
  | { readonly kind: 'corrupted'; readonly relations: readonly Relation[]; readonly traces: readonly Trace[] }
  | {
      readonly kind: 'partial';
      readonly revisions: readonly string[];
      readonly missing: readonly string[];
      /** Missing tables that are there under another name, with the statements that rename them. */
      readonly renamed: readonly {
        readonly table: string;
        readonly found: string;
        readonly remedy: readonly string[];
      }[];
      /** Set if the tables exist, but not the later parts of a dump. */
      readonly torn: TornLoad | null;
    }
  | {
      readonly kind: 'unversioned';
      readonly present: readonly string[];
      /** The ledgers of other migration tools. */
      readonly foreignLedgers: readonly string[];
      /** Whether the core tables are probably TimeTracker's: only then does a reset delete them. */
      readonly recognised: boolean;
      readonly identity: Identity;
      /** Set if the schema or the rows were only loaded in part: then the database is not adopted. */
      readonly torn: TornLoad | null;
      /** The pending revisions after adoption. */
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
      /** Those of them that the role may not use. */
      readonly forbidden: readonly string[];
      /** Tables here with names of core tables: the application would find them instead of its own. */
      readonly hiding: readonly string[];
    }
  | { readonly kind: 'interrupted'; readonly journal: RestoreJournal }
  | { readonly kind: 'unreadable'; readonly reason: string; readonly cause: Cause; readonly sideFile?: SideFileFault };

/** A version row that is similar to a revision, but unknown. */
export interface MisspeltRevision {
  readonly row: string;
  /** The only revision that it can mean; null if the row is empty. */
  readonly revision: string | null;
}

/** What the header of a log beside a SQLite file shows: the log does not belong to that file. */
export type SideFileMismatch =
  /** The end of a rollback journal names a super-journal: its transaction wrote several files. */
  | { readonly kind: 'several-files' }
  | { readonly kind: 'no-journal' | 'no-wal' }
  /** The file is empty. `pages`: the size of the database of the rollback journal. */
  | { readonly kind: 'journal-of-pages'; readonly pages: number }
  | { readonly kind: 'wal-of-empty-file' }
  /** In bytes. */
  | { readonly kind: 'page-sizes'; readonly log: number; readonly file: number }
  /** The file change counters of the first page: before the transaction of a journal, and after the last one of a WAL. */
  | { readonly kind: 'begins-at' | 'ends-at'; readonly log: number; readonly file: number };

/** Why the log beside a SQLite file seems to belong to another copy. */
export type SideFileFault = { readonly side: '-wal' | '-journal' } & (
  | { readonly kind: 'mismatch'; readonly mismatch: SideFileMismatch }
  /** SQLite would damage the file. `reason`: the message of SQLite. */
  | { readonly kind: 'damages'; readonly reason: string }
  /** SQLite would remove these tables or their rows. */
  | { readonly kind: 'loses'; readonly tables: readonly string[] }
);

/** A trace of a former database on the volumes. */
export type Trace =
  /** The file that says that a database was healthy here. */
  | { readonly kind: 'stamp'; readonly file: string }
  | { readonly kind: 'backups'; readonly folder: string; readonly count: number }
  | { readonly kind: 'uploads'; readonly folder: string };

export type RowSets = readonly (readonly string[])[];
