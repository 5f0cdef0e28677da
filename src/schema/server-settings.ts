/** What lies on a table, or around the database, that no revision made: triggers, rules, policies, rights, settings. */
export interface Attachment {
  /** Null for what concerns the whole database. */
  readonly table: string | null;
  /** What it is, as a noun: `trigger`, `rule`, `setting`. */
  readonly what: string;
  readonly name: string;
  /** Its definition, or what it brings about. */
  readonly detail: string;
  /** Whether the application certainly cannot write, or loses what it writes, while it is there. */
  readonly refuses: boolean;
  /** The statement that takes it away. */
  readonly remedy: string;
  /** The statement that makes it anew, where that is needed word for word. */
  readonly definition?: string;
}

/** The sequence that numbers the rows of a table that has some. PostgreSQL only. */
export interface Numbering {
  readonly table: string;
  readonly column: string;
  readonly sequence: string;
}

/** A fact about rows, as the database answers a question that a look asks along with the catalog. */
export interface Answer {
  readonly fault: string;
  readonly table: string;
  readonly value: string;
}

/** What decides beside the catalog whether the application can work. */
export interface Surroundings {
  readonly attachments: readonly Attachment[];
  readonly numberings: readonly Numbering[];
  /** Empty where nothing was asked. */
  readonly answers: readonly Answer[];
}
