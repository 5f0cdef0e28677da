import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import type { Log } from '../report/log.ts';
import type { Recorder } from '../report/run-record.ts';
import { Failure } from '../errors/failure.ts';

/** A quarantine, on either engine. Sizes are bytes. */
export interface QuarantineEntry {
  /** Its name for `restore` and `purge`: the name of a schema or a file. */
  readonly name: string;
  /** When it began: `2026-01-02T03:04:05Z`. */
  readonly since: string;
  readonly state: 'unfinished' | 'complete' | 'purging';
  readonly why: string;
  /** Null if it cannot be read, for example in a damaged file. */
  readonly relations: number | null;
  readonly rows: number | null;
  /** Whether rows were counted; otherwise the numbers are estimates. */
  readonly counted: boolean;
  readonly bytes: number;
  readonly contents: readonly EntryObject[];
}

export interface EntryObject {
  readonly name: string;
  readonly kind: string;
  /** Null for objects without rows, and if the database has no estimate. */
  readonly rows: number | null;
  readonly bytes: number | null;
}

/** Finds a quarantine by its name. @throws Failure `quarantine-refused` (`not-held`) that lists the existing ones */
export function pickEntry<Entry extends { readonly name: string }>(
  entries: readonly Entry[],
  name: string,
  database: string,
): Entry {
  const found = entries.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  const held = entries.map((entry) => entry.name);
  throw new Failure({ kind: 'quarantine-refused', database, obstacle: { kind: 'not-held', name, held } });
}

/** The kind of a finished step in the record of the run. */
export type QuarantineStep = 'quarantine' | 'quarantine-restored' | 'quarantine-purged';

/** The operations of the quarantine commands; each engine has its own. */
export interface Quarantine {
  /** Lists quarantines. Writes nothing and takes no lock. */
  list(): Promise<readonly QuarantineEntry[]>;
  /** Puts aside everything, or only what is not the application's. Call it under the run lock. */
  create(everything: boolean): Promise<void>;
  /** Brings everything back. Call it under the run lock, unless it only checks. */
  restore(name: string, dryRun: boolean): Promise<void>;
  /** Deletes permanently. Call it under the run lock. */
  purge(name: string): Promise<void>;
}

export interface QuarantineContext {
  readonly database: Database;
  readonly config: Config;
  readonly log: Log;
  readonly recorder: Recorder;
  readonly signal: AbortSignal;
  /** Asks for consent to the sentence. @throws Failure `usage` */
  readonly consent: (what: string) => Promise<void>;
}
