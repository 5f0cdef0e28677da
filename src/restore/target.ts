import type { Measurement } from '../model/measurement.ts';
import type { Archive } from '../archive/reader.ts';
import type { DatabaseSummary } from '../backup/database-summary.ts';
import type { Config } from '../config/config.ts';
import type { UnarchivedObject } from '../database/postgres/unarchived-objects.ts';
import type { Log } from '../report/log.ts';
import type { Recorder } from '../report/run-record.ts';
import type { Journal, SwapNames, SwapKind } from '../state-folder/journal.ts';

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
  readonly onBytes: (bytes: number) => void;
  /** Called after the archive's database is loaded and before it is migrated. */
  readonly onLoaded?: (contents: DatabaseSummary) => void;
}

export interface RestoreSource {
  readonly archive: Archive;
  /** A folder for the temporary files of this restore. */
  readonly folder: string;
  /** The objects that belong to the live database and are in no archive. */
  readonly unarchived: readonly UnarchivedObject[];
}

/**
 * The live database, and one way to swap another one with it: as databases, schemas or files. The run that has opened a
 * target holds a lock until `close`: a journal without a holder of that lock belongs to a process that has died.
 */
export interface RestoreTarget {
  readonly swapKind: SwapKind;
  /** The names that a restore with this id uses: of a database, a schema or a file, according to `swapKind`. */
  names(id: string): SwapNames;
  /**
   * Prepares `incoming` from the archive, migrates it and verifies it. Does not change the live database. A swap of
   * schemas loads a dump only in `swap`.
   * @param rehearsed whether no swap will follow
   * @throws Failure `archive-rejected`, `restore-refused`
   */
  prepare(source: RestoreSource, names: SwapNames, rehearsed: boolean): Promise<void>;
  /**
   * Makes `incoming` the live database, and keeps the former one as `outgoing`.
   * @param source the source of a restore; null for an undo
   * @param checkOwner checked before files are renamed
   * @throws Failure `restore-refused` if the live database is unchanged; after any other error, only `recover` knows
   *   whether the swap has happened
   */
  swap(source: RestoreSource | null, names: SwapNames, checkOwner: OwnerCheck): Promise<void>;
  /** Completes or rolls back an interrupted swap. @returns whether the databases are swapped now */
  recover(journal: Journal, checkOwner: OwnerCheck): Promise<'swapped' | 'not-swapped'>;
  /** Removes a prepared database that never became live. */
  discard(names: SwapNames): Promise<void>;
  /** Whether a kept database of that name exists. Before the first start, SQLite has no file that could be kept. */
  exists(name: string): Promise<boolean>;
  /** Whether a DROP DATABASE of it was interrupted: then the database exists but cannot be used. PostgreSQL only. */
  isHalfDropped(name: string): Promise<boolean>;
  /** Measures a kept former database. @throws Error if it cannot be read */
  measure(kept: string): Promise<Measurement>;
  drop(kept: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Checks before a step that this run still owns the journal. The lock of a run may be held by a database session, and
 * the server may end that session while the process is stopped (SIGSTOP, a paused container). Then another run takes
 * over the journal, and without this check both would move the same files.
 * @throws Failure `restore-refused` (`taken-over`)
 */
export type OwnerCheck = () => void;

/** The check for work that no other run can do at the same time. */
export const noOwnerCheck: OwnerCheck = () => undefined;

/**
 * Whether a restore of this target would use exactly the names in the journal: recovery renames and removes these
 * objects. In the journal of an undo, `incoming` is the name of a kept former database.
 */
export function isOfTarget({ id, action, names }: Journal, target: RestoreTarget): boolean {
  const own = target.names(id);
  if (names.live !== own.live || names.outgoing !== own.outgoing) return false;
  return action === 'restore' ? names.incoming === own.incoming : isFormerOf(target, names.incoming);
}

/** Whether a restore of this target could have kept a former database under this name. */
export function isFormerOf(target: RestoreTarget, name: string): boolean {
  const [, id] = /_(\d{8}_\d{6}(?:_\d+)?)$/.exec(name) ?? [];
  return id !== undefined && target.names(id).outgoing === name;
}
