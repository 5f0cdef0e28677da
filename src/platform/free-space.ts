import { statfsSync } from 'node:fs';

/**
 * How many bytes a user who is not root can still write to the disk of a folder; Infinity if its file system has no
 * limit or does not tell. @throws Error of the file system
 */
export function freeBytes(folder: string): number {
  const { blocks, bavail, bsize } = statfsSync(folder);
  return blocks === 0 ? Infinity : bavail * bsize;
}
