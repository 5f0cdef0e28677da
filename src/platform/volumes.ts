import { existsSync, statSync } from 'node:fs';
import { dirname, parse } from 'node:path';

/**
 * Whether a path lies in the container's own file system, so that it is lost with the container: a volume is
 * another device than the container's root. Outside a container the answer is always no.
 */
export function isLostWithContainer(path: string): boolean {
  const isContainer = existsSync('/.dockerenv') || existsSync('/run/.containerenv');
  return isContainer && statSync(nearestExisting(path)).dev === statSync('/').dev;
}

/**
 * Whether a folder is suitable for persistent files. An existing folder is. A new one is not if the root is the only
 * existing folder above it. Otherwise it is if its parent exists, or if it is not in the container's own file system.
 */
export function isPersistentFolder(folder: string): boolean {
  const place = nearestExisting(folder);
  if (place === folder) return true;
  if (place === parse(folder).root) return false;
  return place === dirname(folder) || !isLostWithContainer(place);
}

/** The path itself if it exists, else the nearest existing folder above it. */
export function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}
