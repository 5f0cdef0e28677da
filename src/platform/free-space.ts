import { statfsSync } from 'node:fs';

/** How many bytes a user who is not root can still write to the disk of a folder. @throws Error of the file system */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
