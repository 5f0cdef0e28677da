import type { Measurement } from '../model/measurement.ts';
import type { Archive } from '../archive/reader.ts';
import type { DatabaseSummary } from '../backup/database-summary.ts';
import type { Config } from '../config/config.ts';
import type { UnarchivedObject } from '../database/postgres/unarchived-objects.ts';
import type { Log } from '../report/log.ts';
import type { Recorder } from '../report/run-record.ts';
import type { Journal, SwapNames, SwapKind } from '../state-folder/journal.ts';

/** What every restore needs. */
export interface RestoreContext {
  readonly config: Config;
  readonly log: Log;
  readonly recorder: Recorder;
  /** The version of db-init. */
  readonly version: string;
  readonly signal: AbortSignal;
  /** Whether other sessions may be ended. */
  readonly disconnect: boolean;
  /** Whether the operator trusts the archive: then objects that TimeTracker does not make are loaded as well. */
  readonly trusted: boolean;
  /** Whether rows that do not fit the other engine may be set aside. */
  readonly setAside?: boolean;
  /** Called with the number of unpacked bytes. */
  readonly onBytes: (bytes: number) => void;
  /** Called after the archive's database is loaded and before it is migrated. */
  readonly onLoaded?: (contents: DatabaseSummary) => void;
}

/** The source of a restored database. */
export interface RestoreSource {
  readonly archive: Archive;
  /** A folder for the temporary files of this restore. */
  readonly folder: string;
  /** The objects that belong to the live database and are in no archive. */
  readonly unarchived: readonly UnarchivedObject[];
}

/**
 * Where the live database is, and how another one is swapped with it. The run that has opened a target holds the lock
 * that distinguishes a running restore from one whose process has died.
 */
export interface RestoreTarget {
  readonly swapKind: SwapKind;
  /** The names for a new restore. */
  places(id: string): SwapNames;
  /**
   * Makes a healthy database from the archive beside the live one, which stays untouched.
   * @param rehearsed whether this is a rehearsal and no swap will follow
   * @throws Failure `archive-rejected`, `restore-refused`
   */
  prepare(source: RestoreSource, places: SwapNames, rehearsed: boolean): Promise<void>;
  /**
   * Swaps `incoming` with `live`.
   * @param source the source of a restore; null for an undo
   * @param checkOwner checked before files are renamed
   * @throws Failure `restore-refused` if the live database is unchanged; after any other error, `recover` finds out
   *   what happened
   */
  swap(source: RestoreSource | null, places: SwapNames, checkOwner: OwnerCheck): Promise<void>;
  /** Whether the swap has happened, also after an interrupted one. Completes or rolls back a partial swap. */
  recover(journal: Journal, checkOwner: OwnerCheck): Promise<'swapped' | 'not-swapped'>;
  /** Removes a prepared database that never became live. */
  discard(places: SwapNames): Promise<void>;
  /** Whether a database of that name exists: before the first start there is no file to keep. */
  exists(name: string): Promise<boolean>;
  /** Whether a DROP DATABASE of it was interrupted: then it still exists but cannot be used. */
  isHalfDropped(name: string): Promise<boolean>;
  /** Measures a kept former database. @throws Error if it cannot be read */
  measure(kept: string): Promise<Measurement>;
  /** Deletes a kept former database. */
  drop(kept: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Checks before a step whether this run may still take it. The lock of a run is also a database session, which can end
 * while the run is stopped (SIGSTOP, a paused container). Then two runs would move the same files.
 * @throws Failure `restore-refused` (`taken-over`)
 */
export type OwnerCheck = () => void;

/** For work on which no other run can be active. */
export const noOwnerCheck: OwnerCheck = () => undefined;

/**
 * Whether a journal contains only names that a restore of this target would use: these objects are renamed and may be
 * removed. An undo brings back what an earlier restore has kept.
 */
export function isOfTarget({ id, action, places }: Journal, target: RestoreTarget): boolean {
  const own = target.places(id);
  if (places.live !== own.live || places.outgoing !== own.outgoing) return false;
  return action === 'restore' ? places.incoming === own.incoming : isFormerOf(target, places.incoming);
}

/** Whether a name is one under which this target keeps former databases. */
export function isFormerOf(target: RestoreTarget, name: string): boolean {
  const [, id] = /_(\d{8}_\d{6}(?:_\d+)?)$/.exec(name) ?? [];
  return id !== undefined && target.places(id).outgoing === name;
}
