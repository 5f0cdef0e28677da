import type { Blocker, Cause } from '../model/cause.ts';
import { chainOf, codeOf } from '../errors/error-code.ts';
import { Failure, type Problem, reasonOf } from '../errors/failure.ts';
import { isConnectionLoss } from './postgres/connection-failure.ts';
import { toolCause, ToolFailed } from './postgres/tool-message.ts';

/** A lock was not granted within the lock timeout. `blockers`: the sessions that held it, if the server shows them. */
export class LockTimeout extends Error {
  override readonly name = 'LockTimeout';
  readonly blockers: readonly Blocker[];

  constructor(blockers: readonly Blocker[], cause: unknown) {
    super(reasonOf(cause), { cause });
    this.blockers = blockers;
  }
}

/**
 * Error codes by their meaning: SQLSTATE (PostgreSQL manual, appendix A), SQLite's result codes
 * (https://www.sqlite.org/rescode.html), and the errno values of a full disk on this machine (`disk-full-here`).
 */
const meanings: readonly (readonly [
  Exclude<Cause['kind'], 'lock-timeout' | 'connection-lost' | 'dependents' | 'event-triggers'>,
  RegExp,
])[] = [
  ['disk-full', /^(?:53100|SQLITE_FULL)$/],
  ['disk-full-here', /^(?:ENOSPC|EDQUOT)$/],
  ['memory', /^(?:53200|SQLITE_NOMEM)$/],
  ['connections', /^53300$/],
  ['deadlock', /^(?:40P01|40001)$/],
  ['cancelled', /^(?:57014|SQLITE_INTERRUPT)$/],
  ['read-only', /^(?:25006|SQLITE_READONLY\w*)$/],
  ['rights', /^(?:42501|SQLITE_PERM|SQLITE_AUTH)$/],
  ['damage', /^(?:58030|XX00[12]|SQLITE_CORRUPT\w*|SQLITE_NOTADB|SQLITE_IOERR\w*)$/],
  ['rows', /^(?:2[23]\w{3}|SQLITE_CONSTRAINT\w*)$/],
];
const lockCodes = /^(?:55P03|SQLITE_BUSY\w*|SQLITE_LOCKED\w*)$/;

/**
 * Determines why a statement or client program failed, from the first error of the `cause` chain that has a known error
 * code, a known message of a client program, or, as a `Failure`, its own `Cause`.
 */
export function causeOf(error: unknown): Cause {
  const chain = chainOf(error);
  if (chain.some(isConnectionLoss)) return { kind: 'connection-lost' };
  for (const link of chain) {
    if (link instanceof LockTimeout) return { kind: 'lock-timeout', blockers: link.blockers };
    const told =
      link instanceof Failure ? causeOfProblem(link.problem) : link instanceof ToolFailed ? toolCause(link) : null;
    if (told !== null) return told;
    const code = codeOf(link);
    if (code === null) continue;
    if (lockCodes.test(code)) return { kind: 'lock-timeout', blockers: [] };
    const kind = meanings.find(([, codes]) => codes.test(code))?.[0];
    if (kind === 'memory' && reasonOf(link).includes('max_locks_per_transaction')) return { kind: 'lock-table' };
    if (kind !== undefined) return { kind };
  }
  return { kind: 'other' };
}

function causeOfProblem(problem: Problem): Cause | null {
  const { kind } = problem;
  if (kind === 'connection-lost') return { kind };
  if (kind === 'unreachable') return { kind: problem.full === true ? 'connections' : 'connection-lost' };
  if (kind === 'migration-failed' || kind === 'database-failed') return problem.cause;
  if (kind !== 'backup-failed' && kind !== 'restore-refused') return null;
  return problem.obstacle.kind === 'failed' ? problem.obstacle.cause : null;
}

/** Whether the run, or a client program that it started, has lost its connection to the database. */
export function isConnectionLost(error: unknown): boolean {
  return causeOf(error).kind === 'connection-lost';
}
