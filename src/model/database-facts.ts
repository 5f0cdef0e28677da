import type { Catalog } from './catalog.ts';

/** An object or setting on a table, or of the database, that no revision makes: trigger, rule, policy, right, setting. */
export interface Attachment {
  /** Null for what concerns the whole database. */
  readonly table: string | null;
  /** What it is, as a noun: `trigger`, `rule`, `setting`. */
  readonly what: string;
  readonly name: string;
  /** Its definition, or its effect. */
  readonly detail: string;
  /** Whether the application certainly cannot write, or loses what it writes, while it is there. */
  readonly refuses: boolean;
  /** The statement that removes it. */
  readonly remedy: string;
  /** The statement that creates it again, where the exact text is needed. */
  readonly definition?: string;
}

/** The sequence that numbers the rows of a table that has some. PostgreSQL only. */
export interface TableSequence {
  readonly table: string;
  readonly column: string;
  readonly sequence: string;
  /** Below zero where it counts downwards. */
  readonly increment: number;
}

/** A fact about rows: the answer to a question that an inspection asks together with the catalog. */
export interface Answer {
  readonly fault: string;
  readonly table: string;
  readonly value: string;
}

/** The facts besides the catalog that decide whether the application can work. */
export interface RuntimeFacts {
  readonly attachments: readonly Attachment[];
  readonly sequences: readonly TableSequence[];
  /** Empty where nothing was asked. */
  readonly answers: readonly Answer[];
}

/** The kind of a relation or type in the application's schema. */
export type RelationKind =
  'table' | 'partitioned table' | 'view' | 'materialized view' | 'foreign table' | 'sequence' | 'type';

/** Something in the application's schema that no extension owns; sequences only if no column owns them. */
export interface Relation {
  readonly name: string;
  readonly kind: RelationKind;
  /** About how many rows it holds; null where the database keeps no estimate. */
  readonly estimatedRows: number | null;
}

/** Another session of the database. */
export interface OtherSession {
  readonly pid: number;
  readonly application: string;
  readonly user: string;
  readonly client: string;
}

/** What row security is called that holds for the user of this connection: rows may be hidden from it. */
export const activeRowSecurity = 'row security for this user';

/** In place of the default of a column if only its existence was asked for. */
export const someDefault = '?';

/** What an attachment's `what` begins with that tells of text which sorts in another way than its indexes were built. */
export const collationVersion = 'collation version';

/** The runtime facts of an empty database. */
export const noRuntimeFacts: RuntimeFacts = { attachments: [], sequences: [], answers: [] };

/** The facts of one inspection, read in one snapshot. */
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
  /** Tables in which other migration tools record what they applied, as `schema.table`. */
  readonly foreignLedgers: readonly string[];
  readonly otherSessions: readonly OtherSession[];
  readonly runtime: RuntimeFacts;
}

/** What an inspection is made for. */
export interface Question {
  /** The catalog that the database probably has. Tables that have these columns are recognised without parsing them. */
  readonly expected: Catalog;
  /**
   * Queries about rows, run in the same snapshot once the catalog is known, for `fault`, `table` and `value`, all of them
   * text. They must not name what may not be read.
   */
  readonly aboutRows: (seen: Pick<DatabaseFacts, 'catalog' | 'runtime'>) => readonly string[];
}

/** A right that a run needs and does not have. */
export interface MissingRight {
  /** The refused action: `create tables in schema public`. */
  readonly action: string;
  /** The statement with which the owner grants it. */
  readonly remedy: string;
}

/** An index that is not in the order that the server sorts in, so that it misses rows or lets the same value in twice. */
export interface BrokenIndex {
  readonly name: string;
  readonly table: string;
  /** What amcheck says. */
  readonly reason: string;
  readonly remedy: string;
}
