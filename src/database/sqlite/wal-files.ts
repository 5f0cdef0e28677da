import { existsSync, renameSync, rmSync, statSync } from 'node:fs';

/** The suffixes of SQLite's side files that hold pages. Beside another database file they would corrupt it. */
export const logSuffixes = ['-wal', '-journal'] as const;
/** The WAL index, which SQLite creates again. */
const walIndexSuffix = '-shm';

/** Whether a database has a side file with content; empty ones do not count. */
export function hasSideFiles(file: string): boolean {
  return logSuffixes.some((log) => sizeOf(file + log) > 0);
}

/** Moves the side files of a database file. Side files with content that exist under the new name are not replaced. */
export function moveSideFiles(from: string, to: string): void {
  for (const log of logSuffixes) {
    if (sizeOf(from + log) > 0 && sizeOf(to + log) === 0) renameSync(from + log, to + log);
  }
  dropEmptySideFiles(from);
}

/** Removes the empty side files of a database file, and its WAL index if no side file with content remains. */
export function dropEmptySideFiles(file: string): void {
  for (const log of logSuffixes) {
    if (existsSync(file + log) && sizeOf(file + log) === 0) rmSync(file + log);
  }
  if (!hasSideFiles(file) && existsSync(file + walIndexSuffix)) rmSync(file + walIndexSuffix);
}

/** A string that changes when a database is written to: inode, size and mtime of the file and of its side files. */
export function markOf(file: string): string {
  const marks = ['', ...logSuffixes].map((side) => {
    const stats = statSync(file + side, { bigint: true, throwIfNoEntry: false });
    return stats === undefined || (side !== '' && stats.size === 0n)
      ? 'none'
      : `${stats.ino}:${stats.size}:${stats.mtimeNs}`;
  });
  return marks.join(' ');
}

export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
