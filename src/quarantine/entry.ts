import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import type { Log } from '../report/log.ts';
import type { Recorder } from '../report/run-record.ts';
import { Failure } from '../errors/failure.ts';

/** What a quarantine holds, on either engine. Sizes are bytes. */
export interface QuarantineEntry {
  /** What `restore` and `purge` call it: a schema's or a file's name. */
  readonly name: string;
  /** When it began: `2026-01-02T03:04:05Z`. */
  readonly since: string;
  readonly state: 'unfinished' | 'complete' | 'purging';
  readonly why: string;
  /** Null where it cannot be read, as in a damaged file. */
  readonly relations: number | null;
  readonly rows: number | null;
  /** Whether rows were counted; else they are estimates. */
  readonly counted: boolean;
  readonly bytes: number;
  readonly contents: readonly EntryObject[];
}

/** A relation or a type in quarantine. */
export interface EntryObject {
  readonly name: string;
  readonly kind: string;
  /** Null for what has none, and where the database keeps no estimate. */
  readonly rows: number | null;
  readonly bytes: number | null;
}

/**
 * Picks a quarantine by its name.
 * @throws Failure `quarantine-refused` (`not-held`) that names what there is
 */
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

/** What commands do with what was put aside; each engine has its own way. */
export interface Quarantine {
  /** Looks without writing and without the lock. */
  list(): Promise<readonly QuarantineEntry[]>;
  /** Puts aside everything, or only what is not the application's. To be called with the lock held. */
  create(everything: boolean): Promise<void>;
  /** Takes everything back. To be called with the lock held, unless nothing is to be done but to check. */
  restore(name: string, dryRun: boolean): Promise<void>;
  /** Deletes for good. To be called with the lock held. */
  purge(name: string): Promise<void>;
}

export interface QuarantineContext {
  readonly database: Database;
  readonly config: Config;
  readonly log: Log;
  readonly recorder: Recorder;
  readonly signal: AbortSignal;
  /** Asks a person to agree to what the sentence says. @throws Failure `usage` */
  readonly consent: (what: string) => Promise<void>;
}
