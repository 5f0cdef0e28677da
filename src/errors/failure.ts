import type { ArchiveKind } from '../model/archive.ts';
import type { MissingRight, BrokenIndex } from '../model/database-facts.ts';
import type { Engine } from '../model/engine.ts';
import type { State, SideFileFault } from '../model/state.ts';
import type { Refusal } from '../model/plan.ts';
import type { Unsafe } from '../model/repair.ts';
import type { Difference, Mismatch } from '../model/difference.ts';
import type { LockHolder, Cause } from '../model/cause.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { BackupObstacle, ArchiveFault, RestoreObstacle, ResetObstacle, QuarantineObstacle } from './obstacles.ts';

/** Everything that can stop a run, as data: `report/error-messages.ts` turns it into sentences. */
export type Problem =
  | {
      readonly kind: 'usage';
      readonly message: string;
      /** The run that does what the user wanted, if there is one. */
      readonly command?: WantedRun;
      /** The command whose usage is meant, if it was recognised. */
      readonly about?: string;
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
    // nobody knows whether a restore is unfinished
    case 'state-folder-denied':
      return exitCodes.restoreRefused;
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
