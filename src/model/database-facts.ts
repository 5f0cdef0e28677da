import type { Catalog } from './catalog.ts';

/** An object or setting of a table or of the database that no revision makes: trigger, rule, policy, right, setting. */
export interface Attachment {
  /** Null if it concerns the whole database. */
  readonly table: string | null;
  /** Its kind, as a noun: `trigger`, `rule`, `setting`. */
  readonly what: string;
  readonly name: string;
  /** Its definition or its effect in words of the database, or a finding. */
  readonly detail: string | AttachmentDetail;
  /** Whether it certainly prevents writes of the application, or loses written rows. */
  readonly refuses: boolean;
  readonly remedy: string;
  /** The statement that creates it again, if the exact text is needed. */
  readonly definition?: string;
}

/** What was found about an attachment. A `definition` is SQL, a `message` is that of the database. */
export type AttachmentDetail =
  /** A default; `expected`: that of the revision. */
  | { readonly kind: 'other-default'; readonly found: string; readonly expected: string }
  /** A column that holds every value of its expected type. `larger`: the number of values that do not fit that type. */
  | { readonly kind: 'wider-type'; readonly type: string; readonly expected: string; readonly larger: string }
  /** A foreign key that SQLite cannot check: the columns of its target are not unique, or (null) there is no target. */
  | {
      readonly kind: 'unchecked-reference';
      readonly rule: string;
      readonly target: string;
      readonly columns: string | null;
    }
  /** A NOT NULL column without a default that the application does not know. */
  | { readonly kind: 'required-column'; readonly type: string }
  | { readonly kind: 'generated-column' }
  /** A constraint that the defaults of a new row break. */
  | { readonly kind: 'breaks-defaults'; readonly definition: string }
  /** A unique index that allows only one row. */
  | { readonly kind: 'single-row'; readonly definition: string }
  | { readonly kind: 'does-not-compile'; readonly definition: string; readonly message: string }
  /** It refused every row that was tried; `message`: null if the rows vanished without an error. */
  | { readonly kind: 'refused-trial'; readonly definition: string; readonly message: string | null };

/** The sequence that numbers the rows of a table with rows. PostgreSQL only. */
export interface TableSequence {
  readonly table: string;
  readonly column: string;
  readonly sequence: string;
  /** Negative if it counts downwards. */
  readonly increment: number;
}

/** A fact about rows: the result of a query that an inspection runs together with the catalog. */
export interface Answer {
  readonly fault: RowFault;
  readonly table: string;
  readonly value: string;
}

/** The questions about rows. */
export const rowFaults = ['sequence', 'label', 'oversize', 'default', 'seed'] as const;
export type RowFault = (typeof rowFaults)[number];

/** The facts besides the catalog that decide whether the application can work. */
export interface RuntimeFacts {
  readonly attachments: readonly Attachment[];
  readonly sequences: readonly TableSequence[];
  /** Empty if there were no queries. */
  readonly answers: readonly Answer[];
}

export type RelationKind =
  'table' | 'partitioned table' | 'view' | 'materialized view' | 'foreign table' | 'sequence' | 'type';

/** An object in the application's schema that no extension owns; sequences only if no column owns them. */
export interface Relation {
  readonly name: string;
  readonly kind: RelationKind;
  /** The estimated number of rows; null if the database has no estimate. */
  readonly estimatedRows: number | null;
}

export interface OtherSession {
  readonly pid: number;
  readonly application: string;
  readonly user: string;
  readonly client: string;
}

/** The name of row security that applies to the user of this connection, so that rows may be hidden. */
export const activeRowSecurity = 'row security for this user';

/** Stands for the default of a column if only its existence was read. */
export const someDefault = '?';
/** In place of a default: the column is generated (`GENERATED ALWAYS AS`), and takes no values. */
export const generated = { stored: 'generated, stored', virtual: 'generated, virtual' } as const;

/** The beginning of `what` for attachments that report text with another sort order than that of its indexes. */
export const collationVersion = 'collation version';

/** The value of `what` for the encoding of the application's sessions if it lacks characters. */
export const sessionEncoding = 'encoding of the sessions';

export const noRuntimeFacts: RuntimeFacts = { attachments: [], sequences: [], answers: [] };

/** The facts of one inspection, read in one snapshot. */
export interface DatabaseFacts {
  /** The schema that the application uses; null if no schema of its search path exists. `main` on SQLite. */
  readonly schema: string | null;
  /** Other schemas with tables of TimeTracker. */
  readonly elsewhere: readonly string[];
  /** Those of them that the role may not use. */
  readonly forbidden: readonly string[];
  readonly relations: readonly Relation[];
  readonly catalog: Catalog;
  /** The rows of alembic_version; null if there is no such table. */
  readonly revisions: readonly string[] | null;
  /** Independent types of the schema: enumerations, domains, ranges, composite types. */
  readonly types: readonly string[];
  /** Tables in which other migration tools record their migrations, as `schema.table`. */
  readonly foreignLedgers: readonly string[];
  readonly otherSessions: readonly OtherSession[];
  readonly runtime: RuntimeFacts;
}

/** The facts that decide whether the application can work. */
export type HealthFacts = Pick<DatabaseFacts, 'catalog' | 'runtime'>;

/** The questions of an inspection. */
export interface Question {
  /** The catalog that the database probably has. Tables with exactly these columns need no parsing. */
  readonly expected: Catalog;
  /** SQLite: by the names of tables, the statements that make exactly the table in `expected`. */
  readonly statements?: Readonly<Record<string, string>> | undefined;
  /**
   * Builds queries about rows, which run in the same snapshot as the catalog queries. Each returns the text columns
   * `fault`, `table` and `value`. They must not name tables that the role may not read.
   */
  readonly aboutRows: (seen: HealthFacts) => readonly string[];
}

/** An action for which a role lacks the right. Names are quoted for SQL. */
export type RefusedAction =
  | { readonly kind: 'create-tables'; readonly schema: string }
  /** The schema of a quarantine. */
  | { readonly kind: 'create-schema' }
  /** `exists`: false if there is no such schema. */
  | { readonly kind: 'use-schema'; readonly schema: string; readonly exists: boolean }
  | { readonly kind: 'alter'; readonly table: string }
  /** Row security applies to the owner of the table as well. */
  | { readonly kind: 'read-all-rows'; readonly table: string }
  | { readonly kind: 'move'; readonly what: string; readonly name: string }
  | { readonly kind: 'end-sessions'; readonly sessions: readonly OtherSession[] }
  /** Neither create a database, nor rename the schema. */
  | { readonly kind: 'swap'; readonly schema: string }
  /** A setting of the database or a role refuses writes. */
  | { readonly kind: 'write'; readonly setting: Attachment }
  /** `used` connections are open, `more` are needed, `limit` are allowed. */
  | {
      readonly kind: 'connect';
      readonly purpose: ConnectionPurpose;
      readonly used: number;
      readonly more: number;
      readonly limit: number;
    };

/** What additional connections are for. */
export type ConnectionPurpose = 'dump' | 'restore' | 'load';

/** A right that a run needs and that its role lacks. */
export interface MissingRight {
  readonly action: RefusedAction;
  /** The statement with which the owner grants it. */
  readonly remedy: string;
}

/** An index whose order differs from the sort order of the server: it misses rows, or accepts duplicates. */
export interface BrokenIndex {
  readonly name: string;
  readonly table: string;
  /** The message of amcheck. */
  readonly reason: string;
  readonly remedy: string;
}
