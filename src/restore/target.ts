import type { Measurement } from '../model/measurement.ts';
import type { Archive } from '../archive/reader.ts';
import type { DatabaseSummary } from '../backup/database-summary.ts';
import type { Config } from '../config/config.ts';
import type { Surrounding } from '../database/postgres/left-behind.ts';
import type { Log } from '../report/log.ts';
import type { Recorder } from '../report/run-record.ts';
import type { Journal, Places, Way } from '../state-folder/journal.ts';

/** What restores work with. */
export interface RestoreContext {
  readonly config: Config;
  readonly log: Log;
  readonly recorder: Recorder;
  /** Of db-init. */
  readonly version: string;
  readonly signal: AbortSignal;
  /** Whether sessions of others may be ended. */
  readonly disconnect: boolean;
  /** Whether the owner answers for the archive: then objects that TimeTracker does not make are loaded as well. */
  readonly trusted: boolean;
  /** Whether rows of a SQLite database that PostgreSQL does not hold may be set aside, in a quarantine schema. */
  readonly setAside?: boolean;
  /** Told how many bytes of an archive were unpacked. */
  readonly onBytes: (bytes: number) => void;
  /** Told what the archive's database holds, once it is loaded and before it is migrated. */
  readonly onLoaded?: (contents: DatabaseSummary) => void;
}

/** Where a restored database comes from. */
export interface Source {
  readonly archive: Archive;
  /** A folder of this restore's own, for what it needs meanwhile. */
  readonly folder: string;
  /** What the live database has around its tables. */
  readonly around: readonly Surrounding[];
}

/**
 * Where the live database stands, and how another one takes its place. Whoever has opened it holds the lock that
 * tells a restore at work from one that died.
 */
export interface RestoreTarget {
  readonly way: Way;
  /** The names for a restore that begins. */
  places(id: string): Places;
  /**
   * Makes a healthy database of the archive's beside the live one, which stays untouched.
   * @param rehearsed whether nothing more will follow
   * @throws Failure `archive-rejected`, `restore-refused`
   */
  upgradeScratch(source: Source, places: Places, rehearsed: boolean): Promise<void>;
  /**
   * Puts `incoming` in the place of `live`.
   * @param source of a restore; null for an undo
   * @param mayGoOn asked before files change names
   * @throws Failure `restore-refused`, the live database being as it was, or any other: then `recover` tells
   */
  swap(source: Source | null, places: Places, mayGoOn: BeforeStep): Promise<void>;
  /** After an exchange that was cut off, perhaps: whether it happened. What was half done is completed or taken back. */
  recover(journal: Journal, mayGoOn: BeforeStep): Promise<'exchanged' | 'not-exchanged'>;
  /** Removes what was brought up and never went live. */
  discard(places: Places): Promise<void>;
  /** Whether there is something of that name: before the first start there is no file to keep. */
  isKept(name: string): Promise<boolean>;
  /** Whether a DROP DATABASE of it was cut off: then it is there, and no database any more. */
  isDropped(name: string): Promise<boolean>;
  /** Measures a former database that is kept. @throws Error if it cannot be read */
  measure(kept: string): Promise<Measurement>;
  /** Deletes a former database that was kept. */
  drop(kept: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Asks, before one step, whether this run may still take it. What keeps runs apart is a session of the database too, and
 * one can end while its run is stopped (SIGSTOP, a paused container): two runs would move the same files then.
 * @throws Failure `restore-refused` (`taken-over`)
 */
export type BeforeStep = () => void;

/** Where nobody else can be at work. */
export const alone: BeforeStep = () => undefined;

/**
 * Whether a journal names what a restore of this site would have named: what it names is renamed, and may be removed.
 * An undo brings back what an earlier restore has kept.
 */
export function isOfTarget({ id, action, places }: Journal, target: RestoreTarget): boolean {
  const own = target.places(id);
  if (places.live !== own.live || places.outgoing !== own.outgoing) return false;
  return action === 'restore' ? places.incoming === own.incoming : isFormerOf(target, places.incoming);
}

/** Whether a name is one that this site keeps former databases under. */
export function isFormerOf(target: RestoreTarget, name: string): boolean {
  const [, id] = /_(\d{8}_\d{6}(?:_\d+)?)$/.exec(name) ?? [];
  return id !== undefined && target.places(id).outgoing === name;
}
