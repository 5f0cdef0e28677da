import { lockHolders } from '../../report/lock-holders.ts';
import { sqliteReasons } from '../../report/sqlite-reasons.ts';
import type { OpenOptions } from '../database.ts';
import type { LockHolder } from '../../model/cause.ts';
import { accessSync, constants, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import SQLite from 'better-sqlite3';
import { Failure } from '../../errors/failure.ts';
import { pauseBeforeAttempt, sleep } from '../backoff.ts';
import { accessDenied } from './file-system.ts';

/**
 * The lock file of the run lock. It stays empty and is never removed: after a removal two runs could each lock a file.
 */
export const lockFileOf = (file: string): string => `${file}.db-init-lock`;

/**
 * Takes the run lock: a kernel lock on a file beside the database.
 * @returns a function that releases it
 * @throws Failure `locked`, `file-access-denied`
 */
export async function takeRunLock(file: string, options: WaitingOptions): Promise<() => void> {
  try {
    return await takeFileLock(lockFileOf(file), options);
  } catch (error) {
    throw error instanceof Failure || options.signal.aborted ? error : accessDenied(file, error);
  }
}

/** Checks, without taking it, that the lock file can be opened or created. @throws Failure `file-access-denied` */
export function requireLockFile(file: string): void {
  const lockFile = lockFileOf(file);
  const stats = statSync(lockFile, { throwIfNoEntry: false });
  if (stats === undefined) return;
  try {
    if (!stats.isFile()) throw new Error(sqliteReasons.noFile(lockFile));
    accessSync(lockFile, constants.R_OK);
  } catch (error) {
    throw accessDenied(file, error);
  }
}

type WaitingOptions = Pick<OpenOptions, 'lockTimeout' | 'onLockWaiting' | 'signal'>;

/**
 * Takes a kernel lock on a file, which is created if missing and stays empty. A process that is stopped (SIGSTOP) keeps
 * the lock; the kernel releases it when the process ends.
 * @returns a function that releases it
 * @throws Failure `locked`; another error if the file cannot be opened or its file system has no locks
 */
export async function takeFileLock(lockFile: string, options: WaitingOptions): Promise<() => void> {
  const started = Date.now();
  for (let attempt = 1; ; attempt++) {
    const release = tryFileLock(lockFile);
    if (release !== null) return release;
    const holder = findHolder(lockFile);
    const secondsLeft = options.lockTimeout - (Date.now() - started) / 1000;
    if (secondsLeft <= 0) throw new Failure({ kind: 'locked', holder, seconds: options.lockTimeout });
    options.onLockWaiting(holder, Math.ceil(secondsLeft));
    await sleep(Math.min(pauseBeforeAttempt(attempt), secondsLeft * 1000), options.signal);
  }
}

function tryFileLock(lockFile: string): (() => void) | null {
  let lock: SQLite.Database | null = null;
  try {
    lock = new SQLite(lockFile, { timeout: 0 });
    // a journal file would need disk space, although nothing is written
    lock.pragma('journal_mode = MEMORY');
    lock.exec('BEGIN EXCLUSIVE');
    const held = lock;
    return () => held.close();
  } catch (error) {
    lock?.close();
    if (isBusy(error)) return null;
    throw error;
  }
}

/** Whether an error says that another connection holds a lock on the file. */
export function isBusy(error: unknown): boolean {
  return error instanceof SQLite.SqliteError && /^SQLITE_(BUSY|LOCKED)/.test(error.code);
}

/**
 * Finds the holder of the lock: /proc/locks lists locks by inode, and /proc shows the process if it is in the same
 * container. Otherwise the result describes the holder only as another run.
 */
function findHolder(lockFile: string): LockHolder {
  try {
    const { ino } = statSync(lockFile);
    const lock = readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .find((fields) => fields[5]?.endsWith(`:${ino}`));
    const pid = Number(lock?.[4]);
    if (pid > 0 && pid !== process.pid && holdsOpen(pid, lockFile)) {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const since = statSync(`/proc/${pid}`).ctime;
      return { description: lockHolders.process(pid, command, since, isStopped(pid)) };
    }
  } catch {
    // no /proc, or the holder has just ended
  }
  return { description: lockHolders.unknown };
}

const isStopped = (pid: number): boolean => /^State:\s+[Tt]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

function holdsOpen(pid: number, file: string): boolean {
  return readdirSync(`/proc/${pid}/fd`).some((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`) === file;
    } catch {
      return false;
    }
  });
}
