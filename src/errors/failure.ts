import type { ArchiveKind } from '../model/archive.ts';
import type { ArchiveDefect, ExceededLimit } from '../model/archive-defect.ts';
import type { MissingTool, UnusableArchive } from '../model/unusable-archive.ts';
import type { Change } from '../model/measurement.ts';
import type { Misfits } from '../model/transfer.ts';
import type { MissingRight, OtherSession, BrokenIndex } from '../model/database-facts.ts';
import type { Engine } from '../model/engine.ts';
import type { State, SideFileFault } from '../model/state.ts';
import type { Refusal } from '../model/plan.ts';
import type { Unsafe } from '../model/repair.ts';
import type { Difference, Mismatch } from '../model/difference.ts';
import type { LockHolder, Cause } from '../model/cause.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { UploadRootName } from '../config/config.ts';

/** Everything that can stop a run, as data: `report/error-messages.ts` turns it into sentences. */
export type Problem =
  | {
      readonly kind: 'usage';
      readonly message: string;
      /** The run that does what the user wanted, if there is one. */
      readonly command?: WantedRun;
      /** The options with which this command line does what the user wanted. */
      readonly lacking?: readonly string[];
    }
  /** The user was asked for consent and declined. */
  | { readonly kind: 'declined' }
  | { readonly kind: 'configuration'; readonly faults: readonly { variable: string; problem: string }[] }
  | { readonly kind: 'unsupported-server'; readonly version: string }
  | { readonly kind: 'unfit-encoding'; readonly database: string; readonly encoding: string }
  | { readonly kind: 'transaction-pooler' }
  | { readonly kind: 'network-file-system'; readonly path: string; readonly fileSystem: string }
  | {
      readonly kind: 'unreachable';
      readonly database: string;
      readonly seconds: number;
      readonly reason: string;
      /** Whether the server answers but has reached a connection limit. */
      readonly full?: boolean;
    }
  | { readonly kind: 'connection-lost'; readonly database: string; readonly reason: string }
  | { readonly kind: 'no-such-database'; readonly database: string; readonly name: string }
  /** The database exists but allows no connections: a killed restore or its owner has closed it. */
  | {
      readonly kind: 'closed-database';
      readonly database: string;
      readonly name: string;
      readonly reason: string;
      /** Names of the databases beside it that a restore has created or kept. */
      readonly beside: readonly string[];
      /** The journal of a restore that cannot be read, if there is one. */
      readonly journal: string | null;
      /** Whether a DROP DATABASE was interrupted: parts of the database are lost then, and it can only be dropped. */
      readonly dropped: boolean;
    }
  | { readonly kind: 'access-denied'; readonly database: string; readonly reason: string }
  | { readonly kind: 'file-access-denied'; readonly file: string; readonly user: string; readonly reason: string }
  /** The folder with db-init's own files, where the journal of a restore may be. `owner`: of the folder. */
  | { readonly kind: 'state-folder-denied'; readonly folder: string; readonly owner: number; readonly user: string }
  | { readonly kind: 'missing-rights'; readonly database: string; readonly rights: readonly MissingRight[] }
  /** Broken unique indexes: they miss rows, so duplicates of these rows could be written. */
  | { readonly kind: 'broken-indexes'; readonly database: string; readonly indexes: readonly BrokenIndex[] }
  | { readonly kind: 'locked'; readonly holder: LockHolder; readonly seconds: number }
  | {
      readonly kind: 'unreadable';
      readonly database: string;
      readonly reason: string;
      /** What is wrong with the side files (WAL, rollback journal) of a SQLite file, if that is the reason. */
      readonly sideFile?: SideFileFault;
    }
  | { readonly kind: 'refused'; readonly database: string; readonly refusal: Refusal }
  | {
      readonly kind: 'adoption-refused';
      readonly database: string;
      readonly revisions: readonly string[];
      readonly mismatches: readonly Mismatch[];
    }
  | { readonly kind: 'migration-failed'; readonly failed: FailedMigration; readonly cause: Cause }
  /** A step other than a migration failed, because of the database, its server or its disk. */
  | { readonly kind: 'database-failed'; readonly database: string; readonly reason: string; readonly cause: Cause }
  | { readonly kind: 'verification-failed'; readonly database: string; readonly verdict: Verdict }
  | {
      readonly kind: 'backup-failed';
      readonly database: string;
      readonly obstacle: BackupObstacle;
      readonly purpose: ArchiveKind;
      /** Whether it was written to standard output, where the incomplete output cannot be removed. */
      readonly streamed?: boolean;
    }
  | { readonly kind: 'backups-not-listed'; readonly folder: string; readonly reason: string }
  /** The newest backup is not whole, or an old one cannot be removed. */
  | {
      readonly kind: 'backups-not-pruned';
      readonly folder: string;
      readonly path: string;
      readonly why: 'not-whole' | 'not-removed';
      readonly reason: string;
    }
  | {
      readonly kind: 'archive-rejected';
      readonly archive: string;
      readonly fault: ArchiveFault;
      /** Whether TT_RESTORE_FROM named the archive, not a command. */
      readonly atStart?: boolean;
    }
  | { readonly kind: 'restore-refused'; readonly database: string; readonly obstacle: RestoreObstacle }
  | { readonly kind: 'quarantine-refused'; readonly database: string; readonly obstacle: QuarantineObstacle }
  | { readonly kind: 'reset-refused'; readonly database: string; readonly obstacle: ResetObstacle }
  | {
      readonly kind: 'seed-refused';
      readonly database: string;
      readonly state: State['kind'];
      readonly exitCode: ExitCode;
    }
  /**
   * The commands of TT_RUN_ONCE are not run. `reason`: why the file is unusable; null if the folder is not writable.
   */
  | {
      readonly kind: 'run-once-refused';
      readonly folder: string;
      readonly file: string;
      readonly reason: string | null;
    }
  | { readonly kind: 'interrupted'; readonly signal: 'SIGINT' | 'SIGTERM' };

/** A run of db-init, as data. */
export interface WantedRun {
  readonly words: readonly string[];
  /** An environment variable that it needs. */
  readonly variable?: { readonly name: string; readonly value: string };
}

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
  | { readonly kind: 'sqlite'; readonly packed: boolean }
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
  /** Files that are restored, or explained, one by one. The first is the best choice. */
  | { readonly kind: 'backups'; readonly paths: readonly [string, ...string[]] }
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
  | { readonly kind: 'blocking-objects'; readonly objects: readonly string[] }
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

/** A failed migration: what had been applied, all of which was rolled back, and what was not run. */
export interface FailedMigration {
  readonly engine: Engine;
  /** The revision that failed; null if the failure was outside of a revision (quarantine, commit). */
  readonly revision: string | null;
  readonly applied: readonly string[];
  readonly remaining: readonly string[];
  readonly reason: string;
}

/** What is wrong with a database that should be healthy. */
export interface Verdict {
  readonly versionTableMissing: boolean;
  readonly revisions: readonly string[];
  readonly heads: readonly string[];
  readonly differences: readonly Difference[];
  /** The differences that cannot be repaired safely, if a repair was tried. */
  readonly unsafe?: readonly Unsafe[];
}

/** The error that ends a run, with the reason as data. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.kind, options);
    this.problem = problem;
  }

  get exitCode(): ExitCode {
    return exitCodeOf(this.problem);
  }
}

/** The exit code that belongs to a problem (the table of exit codes in the README). */
export function exitCodeOf(problem: Problem): ExitCode {
  switch (problem.kind) {
    case 'usage':
    case 'declined':
    case 'configuration':
    case 'unsupported-server':
    case 'unfit-encoding':
    case 'transaction-pooler':
    case 'network-file-system':
    case 'run-once-refused':
      return exitCodes.usage;
    case 'unreachable':
    case 'connection-lost':
    case 'no-such-database':
      return exitCodes.unreachable;
    case 'access-denied':
    case 'file-access-denied':
    case 'state-folder-denied':
    case 'closed-database':
    case 'missing-rights':
      return exitCodes.accessDenied;
    case 'locked':
      return exitCodes.locked;
    case 'unreadable':
      return exitCodes.unreadable;
    case 'refused':
      return problem.refusal.exitCode;
    case 'broken-indexes':
      return exitCodes.drifted;
    case 'adoption-refused':
      return exitCodes.unversioned;
    case 'migration-failed':
    case 'database-failed':
      return codeOfCause(problem.cause);
    case 'verification-failed':
      return exitCodes.verificationFailed;
    case 'backup-failed':
      return isUnreachableFailure(problem.obstacle) ? exitCodes.unreachable : exitCodes.backupFailed;
    case 'backups-not-listed':
    case 'backups-not-pruned':
      return exitCodes.backupFailed;
    case 'archive-rejected':
      return exitCodes.archiveRejected;
    case 'restore-refused':
      return isUnreachableFailure(problem.obstacle) ? exitCodes.unreachable : exitCodes.restoreRefused;
    case 'quarantine-refused':
      return quarantineCodes[problem.obstacle.kind];
    case 'reset-refused':
      return resetCodes[problem.obstacle.kind];
    case 'seed-refused':
      return problem.exitCode;
    case 'interrupted':
      return problem.signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated;
  }
}

/** An unreachable server and a missing right have exit codes of their own. */
function codeOfCause(cause: Cause): ExitCode {
  if (isUnreachable(cause)) return exitCodes.unreachable;
  return cause.kind === 'rights' ? exitCodes.accessDenied : exitCodes.migrationFailed;
}

/** Whether a backup or a restore failed because the server was unreachable or had reached a connection limit. */
function isUnreachableFailure(obstacle: BackupObstacle | RestoreObstacle): boolean {
  return obstacle.kind === 'failed' && isUnreachable(obstacle.cause);
}

function isUnreachable({ kind }: Cause): boolean {
  return kind === 'connection-lost' || kind === 'connections';
}

const quarantineCodes = {
  'others-are-connected': exitCodes.corrupted,
  'file-in-use': exitCodes.corrupted,
  'not-held': exitCodes.usage,
  'names-taken': exitCodes.restoreRefused,
  'rows-stay': exitCodes.restoreRefused,
  'depended-upon': exitCodes.corrupted,
  changed: exitCodes.usage,
} as const satisfies Record<QuarantineObstacle['kind'], ExitCode>;

const resetCodes = {
  'not-recognised': exitCodes.foreign,
  'others-are-connected': exitCodes.usage,
  'file-in-use': exitCodes.usage,
  'blocking-objects': exitCodes.usage,
  'no-backup': exitCodes.backupFailed,
} as const satisfies Record<ResetObstacle['kind'], ExitCode>;

/** The message of anything that was thrown. */
export function reasonOf(error: unknown): string {
  // the message of a Failure is only its kind; its problem has the reason
  if (error instanceof Failure) {
    const { problem } = error;
    if (problem.kind === 'connection-lost' || problem.kind === 'unreadable') return problem.reason;
    if (problem.kind === 'restore-refused' && problem.obstacle.kind === 'failed') return problem.obstacle.reason;
  }
  if (!(error instanceof Error)) return String(error);
  return hasTooFewLocks(error) ? `${error.message} (raise max_locks_per_transaction of the server)` : error.message;
}

/** PostgreSQL names the setting that was exceeded only in the HINT. */
function hasTooFewLocks(error: Error): boolean {
  return 'hint' in error && typeof error.hint === 'string' && error.hint.includes('max_locks_per_transaction');
}
