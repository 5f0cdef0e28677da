import { existsSync, renameSync, rmSync, statSync } from 'node:fs';

/** What SQLite keeps beside a database file. It belongs to it: beside another one it would spoil that. */
export const logs = ['-wal', '-journal'] as const;
/** Of the logs only an index, which is made anew. */
const index = '-shm';

/** Whether a database has content in a side file. What is empty says nothing. */
export function hasSideFiles(file: string): boolean {
  return logs.some((log) => sizeOf(file + log) > 0);
}

/** Moves the side files along with a database file. What is there already under the new name stays what it is. */
export function moveSideFiles(from: string, to: string): void {
  for (const log of logs) {
    if (sizeOf(from + log) > 0 && sizeOf(to + log) === 0) renameSync(from + log, to + log);
  }
  dropEmptySideFiles(from);
}

export function dropEmptySideFiles(file: string): void {
  for (const log of logs) {
    if (existsSync(file + log) && sizeOf(file + log) === 0) rmSync(file + log);
  }
  if (!hasSideFiles(file) && existsSync(file + index)) rmSync(file + index);
}

/** What changes when somebody writes to a database: which file it is, its length and time, and those of its logs. */
export function markOf(file: string): string {
  const marks = ['', ...logs].map((side) => {
    const stats = statSync(file + side, { bigint: true, throwIfNoEntry: false });
    return stats === undefined || (side !== '' && stats.size === 0n)
      ? 'none'
      : `${stats.ino}:${stats.size}:${stats.mtimeNs}`;
  });
  return marks.join(' ');
}

/** Bytes of a file; 0 if there is none. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
