import type { ArchiveKind } from '../model/archive.ts';
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

/** Everything that can stop a run, as data: `report/problems.ts` turns it into sentences. */
export type Problem =
  | {
      readonly kind: 'usage';
      readonly message: string;
      /** The run that does what was wanted, if there is one. */
      readonly command?: WantedRun;
    }
  /** A person was asked, and said no. */
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
      /** Whether the server is there, and allows no further connection. */
      readonly full?: boolean;
    }
  | { readonly kind: 'connection-lost'; readonly database: string; readonly reason: string }
  | { readonly kind: 'no-such-database'; readonly database: string; readonly name: string }
  /** It is there, and the server lets nobody into it: as a restore leaves it that was killed, or its owner. */
  | {
      readonly kind: 'closed-database';
      readonly database: string;
      readonly name: string;
      readonly reason: string;
      /** Names of databases beside it that a restore has made, or kept. */
      readonly beside: readonly string[];
      /** The journal of a restore that cannot be read, if there is one. */
      readonly journal: string | null;
      /** Whether a DROP DATABASE was cut off: then parts of it are gone, and it can only be dropped. */
      readonly dropped: boolean;
    }
  | { readonly kind: 'access-denied'; readonly database: string; readonly reason: string }
  | { readonly kind: 'file-access-denied'; readonly file: string; readonly user: string; readonly reason: string }
  | { readonly kind: 'missing-rights'; readonly database: string; readonly rights: readonly MissingRight[] }
  /** Indexes that are not in order: something could be written beside what they miss. */
  | { readonly kind: 'broken-indexes'; readonly database: string; readonly indexes: readonly BrokenIndex[] }
  | { readonly kind: 'locked'; readonly holder: LockHolder; readonly seconds: number }
  | {
      readonly kind: 'unreadable';
      readonly database: string;
      readonly reason: string;
      /** What is wrong with what lies beside a SQLite file, if that is the reason. */
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
  /** What a command does beside migrating failed, for a reason that lies in the database, its server or its disk. */
  | { readonly kind: 'database-failed'; readonly database: string; readonly reason: string; readonly cause: Cause }
  | { readonly kind: 'verification-failed'; readonly database: string; readonly verdict: Verdict }
  | {
      readonly kind: 'backup-failed';
      readonly database: string;
      readonly obstacle: BackupObstacle;
      /** What the backup was to be made for. */
      readonly purpose: ArchiveKind;
      /** Whether it was written to standard output: what has gone there is not taken back. */
      readonly streamed?: boolean;
    }
  | { readonly kind: 'backups-not-listed'; readonly folder: string; readonly reason: string }
  | { readonly kind: 'backups-not-pruned'; readonly folder: string; readonly reason: string }
  | {
      readonly kind: 'archive-rejected';
      readonly archive: string;
      readonly fault: ArchiveFault;
      /** Whether TT_RESTORE_FROM asked for it, and not somebody at a terminal. */
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
  /** What TT_RUN_ONCE names is not carried out. `reason`: of the file; null where nothing can be kept in the folder. */
  | {
      readonly kind: 'run-once-refused';
      readonly folder: string;
      readonly file: string;
      readonly reason: string | null;
    }
  | { readonly kind: 'interrupted'; readonly signal: 'SIGINT' | 'SIGTERM' };

/** A run of db-init, as data. */
export interface WantedRun {
  /** Its arguments. */
  readonly words: readonly string[];
  /** A setting that it needs. */
  readonly variable?: { readonly name: string; readonly value: string };
}

/** Why a backup could not be made. */
export type BackupObstacle =
  | { readonly kind: 'folder'; readonly folder: string; readonly reason: string }
  /** Bytes. */
  | { readonly kind: 'no-space'; readonly folder: string; readonly needed: number; readonly free: number }
  /** `found`: the majors that there are. */
  | { readonly kind: 'no-tool'; readonly tool: string; readonly major: number; readonly found: readonly number[] }
  | { readonly kind: 'not-proven'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly cause: Cause };

/** What a file is wrapped in that has to be taken off first. */
export type Wrapping = 'gzip' | 'bzip2' | 'xz' | 'zstd' | 'lz4' | '7z' | 'rar' | 'utf-16' | 'encrypted';

/** A file, or a folder, that is no archive of TimeTracker, and from which something may be restored all the same. */
export type OtherFile =
  /** `packed`: with gzip. `apart`: an empty database of ours does not take it in without errors. */
  | {
      readonly kind: 'sql';
      readonly dialect: 'postgresql' | 'sqlite' | 'unknown';
      readonly packed: boolean;
      readonly apart: boolean;
    }
  | { readonly kind: 'dump'; readonly packed: boolean }
  | { readonly kind: 'sqlite' }
  /** What somebody took out of the application for reading. */
  | { readonly kind: 'export'; readonly format: 'json-backup' | 'json-export' | 'json' | 'csv' }
  | { readonly kind: 'folder'; readonly packing: FolderPacking; readonly contents: Contents };

export type FolderPacking = 'none' | 'zip' | 'tar' | 'tar.gz';

/** What lies in a folder. A path is relative to it, and that of a folder ends with a slash or is empty. */
export type Contents =
  /** A copy of the files of a PostgreSQL server; `major` where it says so. */
  | { readonly kind: 'data-directory'; readonly path: string; readonly major: number | null }
  /** The members of an archive. */
  | { readonly kind: 'unpacked-archive'; readonly path: string }
  /** A dump of `pg_dump --format=directory`. */
  | { readonly kind: 'dump-directory'; readonly path: string }
  /** Files that are restored, or explained, one by one. The first is the best. */
  | { readonly kind: 'backups'; readonly paths: readonly [string, ...string[]] }
  | { readonly kind: 'uploads'; readonly roots: readonly UploadRootName[] }
  | { readonly kind: 'export' }
  | { readonly kind: 'unknown'; readonly count: number; readonly names: readonly string[] };

/** An object of an archive that TimeTracker does not make. Its names are somebody else's words. */
export interface ArchiveObject {
  /** `FUNCTION`, `TRIGGER`; empty if it is not told. */
  readonly type: string;
  readonly name: string;
  /** The beginning of its statement. */
  readonly statement: string;
}

/** Why an archive is not restored. A reason is a sentence without its full stop. */
export type ArchiveFault =
  /** There is nothing at any of these paths. */
  | { readonly kind: 'missing'; readonly places: readonly string[] }
  /** It is damaged, or not what it says, or made to do harm. */
  | { readonly kind: 'invalid'; readonly reason: string }
  /** One of the pieces of an archive that was cut up, as it seems. */
  | { readonly kind: 'piece'; readonly reason: string }
  /** What came on standard input is no whole archive. `received`: bytes. */
  | { readonly kind: 'stream'; readonly received: number; readonly reason: string }
  /** The user that db-init runs as may not read it. */
  | { readonly kind: 'access'; readonly reason: string }
  /** It holds more than `variable` allows. */
  | { readonly kind: 'too-large'; readonly reason: string; readonly variable: string }
  /** It holds what no dump of TimeTracker holds, and what could run code. */
  | { readonly kind: 'unknown-objects'; readonly objects: readonly ArchiveObject[] }
  /** No archive, but something else that is known. */
  | { readonly kind: 'other-format'; readonly file: OtherFile }
  /** No archive as it is; what comes out of it may be one, or be restored by others. */
  | { readonly kind: 'wrapped'; readonly by: Wrapping }
  /** The archive is whole, but what is in it cannot be brought to this image's schema on this server. */
  | { readonly kind: 'unusable'; readonly reason: string }
  /** The archive may be whole, but the tools here are too old for it, or are not there. */
  | { readonly kind: 'no-tool'; readonly reason: string };

/** Why nothing was restored. */
export type RestoreObstacle =
  | { readonly kind: 'others-are-connected'; readonly others: readonly OtherSession[] }
  /** Transactions that wait for COMMIT PREPARED or ROLLBACK PREPARED, by their names. */
  | { readonly kind: 'prepared-transactions'; readonly names: readonly string[] }
  | { readonly kind: 'file-in-use'; readonly file: string }
  /** Whether others have the SQLite file open cannot be told, and its owner does not answer for it. */
  | { readonly kind: 'openers-unknown'; readonly file: string }
  /** The SQLite file is a link: what is renamed would be the link. `target`: the file itself. */
  | { readonly kind: 'symbolic-link'; readonly file: string; readonly target: string }
  /** `uploads`: whether it is a folder of uploads, which a restore of the database alone does without. */
  | { readonly kind: 'folder'; readonly folder: string; readonly reason: string; readonly uploads: boolean }
  /** Bytes. `uploads`: as above. */
  | {
      readonly kind: 'no-space';
      readonly folder: string;
      readonly needed: number;
      readonly free: number;
      readonly uploads: boolean;
    }
  /** There is nothing that an undo could put back, or that could be dropped. */
  | { readonly kind: 'nothing-kept' }
  /** What was kept is not there any more. */
  | { readonly kind: 'former-gone'; readonly kept: string }
  /** A DROP DATABASE of what was kept was cut off: parts of it are gone, and the server lets nobody in. */
  | { readonly kind: 'former-dropped'; readonly kept: string }
  /** What was kept is not what was put aside, and nobody said that it is wanted all the same. */
  | { readonly kind: 'former-changed'; readonly kept: string; readonly changes: readonly Change[] }
  /** What was kept is not dropped, for something outside of it needs it: a line each. */
  | { readonly kind: 'depended-upon'; readonly name: string; readonly dependents: readonly string[] }
  /** A restore is under way, or did not finish, and this run does not settle it. `reason`: why it could not. */
  | { readonly kind: 'unfinished'; readonly journal: string; readonly reason: string | null }
  /** This run was stopped, and meanwhile another one took its journal over. */
  | { readonly kind: 'taken-over'; readonly journal: string }
  /** Rows of a SQLite database that PostgreSQL does not hold, and nobody said that they may be set aside. */
  | {
      readonly kind: 'rows-do-not-fit';
      readonly engine: Engine;
      readonly archive: string;
      readonly misfits: readonly Misfits[];
    }
  | { readonly kind: 'failed'; readonly step: string; readonly reason: string; readonly cause: Cause };

/** Why nothing was deleted. */
export type ResetObstacle =
  /** Tables of some of its names, and nothing that shows that they are TimeTracker's. */
  | { readonly kind: 'not-recognised'; readonly core: readonly string[]; readonly ledgers: readonly string[] }
  | { readonly kind: 'others-are-connected'; readonly others: readonly OtherSession[] }
  | { readonly kind: 'file-in-use'; readonly file: string }
  /** What is not the application's, and would not stay as it is without what is: a line each. */
  | { readonly kind: 'in-the-way'; readonly things: readonly string[] }
  /** A sentence. */
  | { readonly kind: 'no-backup'; readonly reason: string };

/** Why something is not put aside, taken back or deleted. */
export type QuarantineObstacle =
  | { readonly kind: 'others-are-connected'; readonly others: readonly OtherSession[] }
  | { readonly kind: 'file-in-use'; readonly file: string }
  | { readonly kind: 'not-held'; readonly name: string; readonly held: readonly string[] }
  | { readonly kind: 'names-taken'; readonly name: string; readonly names: readonly string[] }
  /** Rows that were set aside still do not fit; those that do are back. */
  | { readonly kind: 'rows-stay'; readonly name: string; readonly rows: number; readonly reasons: readonly string[] }
  | { readonly kind: 'depended-upon'; readonly name: string; readonly dependents: readonly string[] }
  /** What it holds is not what was shown when consent was asked for. */
  | { readonly kind: 'changed'; readonly name: string; readonly changed: readonly string[] };

/** What had been done when a migration failed. All of it was rolled back. */
export interface FailedMigration {
  readonly engine: Engine;
  /** The revision that failed; null if it was none in particular (the quarantine, the commit). */
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
  /** What of them cannot be mended safely, as far as that was tried. */
  readonly unsafe?: readonly Unsafe[];
}

/** A run that cannot go on, with the reason as data. */
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
      return isLoss(problem.obstacle) ? exitCodes.unreachable : exitCodes.backupFailed;
    case 'backups-not-listed':
    case 'backups-not-pruned':
      return exitCodes.backupFailed;
    case 'archive-rejected':
      return exitCodes.archiveRejected;
    case 'restore-refused':
      return isLoss(problem.obstacle) ? exitCodes.unreachable : exitCodes.restoreRefused;
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

/** A server that is not there, and a right that is missing, have a code of their own. */
function codeOfCause(cause: Cause): ExitCode {
  if (isUnreachable(cause)) return exitCodes.unreachable;
  return cause.kind === 'rights' ? exitCodes.accessDenied : exitCodes.migrationFailed;
}

/** Whether a backup or a restore failed because the server was not there, or allows no further connection. */
function isLoss(obstacle: BackupObstacle | RestoreObstacle): boolean {
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
  'in-the-way': exitCodes.usage,
  'no-backup': exitCodes.backupFailed,
} as const satisfies Record<ResetObstacle['kind'], ExitCode>;

/** The text of anything that was thrown. */
export function reasonOf(error: unknown): string {
  // it is often the reason of another failure
  if (error instanceof Failure) {
    const { problem } = error;
    if (problem.kind === 'connection-lost' || problem.kind === 'unreadable') return problem.reason;
    if (problem.kind === 'restore-refused' && problem.obstacle.kind === 'failed') return problem.obstacle.reason;
  }
  if (!(error instanceof Error)) return String(error);
  return lacksLocks(error) ? `${error.message} (raise max_locks_per_transaction of the server)` : error.message;
}

/** PostgreSQL says which setting ends here only in a hint. */
function lacksLocks(error: Error): boolean {
  return 'hint' in error && typeof error.hint === 'string' && error.hint.includes('max_locks_per_transaction');
}
