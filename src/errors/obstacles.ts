import type { ArchiveDefect, ExceededLimit } from '../model/archive-defect.ts';
import type { MissingTool, UnusableArchive } from '../model/unusable-archive.ts';
import type { Change } from '../model/measurement.ts';
import type { Misfits } from '../model/transfer.ts';
import type { OtherSession, RelationKind } from '../model/database-facts.ts';
import type { Engine } from '../model/engine.ts';
import type { Cause } from '../model/cause.ts';
import type { UploadRootName } from '../config/config.ts';

/** Why a backup could not be made. */
export type BackupObstacle =
  | { readonly kind: 'folder'; readonly folder: string; readonly reason: string }
  /** `needed`, `free`: bytes. */
  | { readonly kind: 'no-space'; readonly folder: string; readonly needed: number; readonly free: number }
  /** `found`: the major versions that are installed. */
  | { readonly kind: 'no-tool'; readonly tool: string; readonly major: number; readonly found: readonly number[] }
  | { readonly kind: 'not-proven'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly cause: Cause };

/** A compression or encryption that has to be removed from a file first. */
export type Wrapping = 'gzip' | 'bzip2' | 'xz' | 'zstd' | 'lz4' | '7z' | 'rar' | 'utf-16' | 'encrypted';

/** A file or folder that is no archive of db-init, but from which something may be restored. */
export type OtherFile =
  /** `packed`: with gzip. `apart`: loading it into an empty database prepared by db-init would cause errors. */
  | {
      readonly kind: 'sql';
      readonly dialect: 'postgresql' | 'sqlite' | 'unknown';
      readonly packed: boolean;
      readonly apart: boolean;
    }
  | { readonly kind: 'dump'; readonly packed: boolean }
  | { readonly kind: 'sqlite' }
  | { readonly kind: 'export'; readonly format: 'json-backup' | 'json-export' | 'json' | 'csv' }
  | { readonly kind: 'folder'; readonly packing: FolderPacking; readonly contents: Contents };

/** How a folder is packed into one file. */
export type FolderPacking = 'none' | 'zip' | 'tar' | 'tar.gz';

/** The contents of a folder. Paths are relative to it; the path of a folder ends with a slash or is empty. */
export type Contents =
  /** A copy of the data directory of a PostgreSQL server; `major`: its major version, if known. */
  | { readonly kind: 'data-directory'; readonly path: string; readonly major: number | null }
  | { readonly kind: 'unpacked-archive'; readonly path: string }
  /** A dump of `pg_dump --format=directory`. */
  | { readonly kind: 'dump-directory'; readonly path: string }
  /**
   * Files that are restored, or explained, one by one. The first is the best choice; `logs`: those beside it, if it is a
   * SQLite file, which hold some of its rows.
   */
  | { readonly kind: 'backups'; readonly paths: readonly [string, ...string[]]; readonly logs: readonly string[] }
  | { readonly kind: 'uploads'; readonly roots: readonly UploadRootName[] }
  | { readonly kind: 'export' }
  | { readonly kind: 'unknown'; readonly count: number; readonly names: readonly string[] };

/** An object in an archive that TimeTracker does not create. Its texts are untrusted. */
export interface ArchiveObject {
  /** `FUNCTION`, `TRIGGER`; empty if unknown. */
  readonly type: string;
  readonly name: string;
  /** The beginning of its statement. */
  readonly statement: string;
}

/** Why an archive is not restored. */
export type ArchiveFault =
  /** None of these paths exists. */
  | { readonly kind: 'missing'; readonly places: readonly string[] }
  /** The archive is damaged, does not match its manifest, or was made to do harm. */
  | { readonly kind: 'invalid'; readonly defect: ArchiveDefect }
  /** The file seems to be one part of an archive that was split. */
  | { readonly kind: 'piece' }
  /** Standard input was no complete archive. `received`: bytes. `fault`: of what was received; null if nothing was. */
  | { readonly kind: 'stream'; readonly received: number; readonly fault: ArchiveFault | null }
  /** The user that db-init runs as may not read it. */
  | { readonly kind: 'access' }
  /** The archive holds more than a setting allows. */
  | { readonly kind: 'too-large'; readonly exceeded: ExceededLimit }
  /** The dump holds objects that TimeTracker does not create and that could run code. */
  | { readonly kind: 'unknown-objects'; readonly objects: readonly ArchiveObject[] }
  /** The file is no archive, but its format is known. */
  | { readonly kind: 'other-format'; readonly file: OtherFile }
  /** The file is compressed or encrypted; its content may be an archive, or be restored with other tools. */
  | { readonly kind: 'wrapped'; readonly by: Wrapping }
  /** The archive is complete, but its content cannot be upgraded to the schema of this image on this server. */
  | { readonly kind: 'unusable'; readonly reason: UnusableArchive }
  /** The archive may be complete, but the client tools are too old for it, or missing. */
  | { readonly kind: 'no-tool'; readonly tool: MissingTool };

/** Why nothing was restored. */
export type RestoreObstacle =
  | { readonly kind: 'others-are-connected'; readonly others: readonly OtherSession[] }
  /** The names of prepared transactions, which wait for COMMIT PREPARED or ROLLBACK PREPARED. */
  | { readonly kind: 'prepared-transactions'; readonly names: readonly string[] }
  | { readonly kind: 'file-in-use'; readonly file: string }
  /** It is unknown whether others have the SQLite file open, and the operator has not confirmed that nobody has. */
  | { readonly kind: 'file-use-unknown'; readonly file: string }
  /** The SQLite file is a symbolic link, and a rename would move the link. `target`: the file itself. */
  | { readonly kind: 'symbolic-link'; readonly file: string; readonly target: string }
  /** `uploads`: whether it is a folder of uploads, which a restore of only the database does not need. */
  | { readonly kind: 'folder'; readonly folder: string; readonly reason: string; readonly uploads: boolean }
  /** `needed`, `free`: bytes. `uploads`: as above. */
  | {
      readonly kind: 'no-space';
      readonly folder: string;
      readonly needed: number;
      readonly free: number;
      readonly uploads: boolean;
    }
  /** No former database is kept, so there is nothing to undo or to drop. */
  | { readonly kind: 'nothing-kept' }
  /** The kept former database does not exist any more. */
  | { readonly kind: 'former-gone'; readonly kept: string }
  /** A DROP DATABASE of the kept database was interrupted: parts of it are lost, and it allows no connections. */
  | { readonly kind: 'former-dropped'; readonly kept: string }
  /** The kept database has changed since it was put aside, and nobody has confirmed that it is wanted anyway. */
  | { readonly kind: 'former-changed'; readonly kept: string; readonly changes: readonly Change[] }
  /** The kept schema is not dropped, because objects outside depend on it. `dependents`: one line each. */
  | { readonly kind: 'depended-upon'; readonly name: string; readonly dependents: readonly string[] }
  /** A restore is running or did not finish, and was not recovered. `reason`: why not; null if it was not tried. */
  | { readonly kind: 'unfinished'; readonly journal: string; readonly reason: UnfinishedReason | null }
  /** This run was stopped (SIGSTOP), and meanwhile another run has taken over its journal. */
  | { readonly kind: 'taken-over'; readonly journal: string }
  /** Rows that the database of the other engine cannot hold, and nobody has confirmed that they may be set aside. */
  | {
      readonly kind: 'rows-do-not-fit';
      readonly engine: Engine;
      readonly archive: string;
      readonly misfits: readonly Misfits[];
    }
  | { readonly kind: 'failed'; readonly step: RestoreStep; readonly reason: string; readonly cause: Cause };

/** Why an unfinished restore was neither completed nor rolled back. */
export type UnfinishedReason =
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'journal-unreadable' }
  /** The journal names another database than the settings. */
  | { readonly kind: 'journal-of-other'; readonly database: string }
  /** The journal names databases or schemas that no restore of this database would name so. */
  | { readonly kind: 'journal-of-other-names' }
  | { readonly kind: 'no-maintenance-database' };

/** A step of a restore or an undo. */
export type RestoreStep =
  | 'restore'
  | 'undo'
  | 'find-schema'
  | 'reach-former-database'
  | 'read-history'
  | 'load-dump'
  | 'load-sqlite-rows'
  | 'load-postgresql-rows'
  | 'migrate-sqlite-copy'
  | 'assess-restored'
  | 'migrate-restored'
  /** The steps under the journal together. */
  | 'swap'
  /** After the swap. */
  | 'verify-live';

/** An object that is not the application's and prevents a reset. */
export type BlockingObject =
  /** It has the name of a table of the application. */
  | { readonly kind: 'name-taken'; readonly object: RelationKind; readonly name: string }
  /** `description`: `table a: FOREIGN KEY …`, or the words of the server. */
  | { readonly kind: 'dependent'; readonly description: string };

export type ResetObstacle =
  /** Some tables have names of TimeTracker's core tables, but nothing shows that they are TimeTracker's. */
  | {
      readonly kind: 'not-recognised';
      readonly core: readonly string[];
      readonly foreignLedgers: readonly string[];
    }
  | { readonly kind: 'others-are-connected'; readonly others: readonly OtherSession[] }
  | { readonly kind: 'file-in-use'; readonly file: string }
  /** Objects that are not the application's and depend on its objects; one line each. */
  | { readonly kind: 'blocking-objects'; readonly objects: readonly BlockingObject[] }
  /** `reason`: a sentence. */
  | { readonly kind: 'no-backup'; readonly reason: string };

/** Why objects are not moved to quarantine, released from it, or deleted. */
export type QuarantineObstacle =
  | { readonly kind: 'others-are-connected'; readonly others: readonly OtherSession[] }
  | { readonly kind: 'file-in-use'; readonly file: string }
  | { readonly kind: 'not-held'; readonly name: string; readonly held: readonly string[] }
  | { readonly kind: 'names-taken'; readonly name: string; readonly names: readonly string[] }
  /** Rows that were set aside still do not fit; the others were put back. */
  | { readonly kind: 'rows-stay'; readonly name: string; readonly rows: number; readonly reasons: readonly string[] }
  | { readonly kind: 'depended-upon'; readonly name: string; readonly dependents: readonly string[] }
  /** The contents have changed since the user was asked for consent. */
  | { readonly kind: 'changed'; readonly name: string; readonly changed: readonly string[] };
