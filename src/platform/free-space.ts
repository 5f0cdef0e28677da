import { statfsSync } from 'node:fs';

/**
 * How many bytes may still be written to the disk of a folder by somebody who is not root.
 * @throws Error of the file system
 */
export function freeSpace(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
