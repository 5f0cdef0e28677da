import { existsSync, statSync } from 'node:fs';
import { dirname, parse } from 'node:path';

/**
 * Whether a path lies in the container's own file system, so that it is lost with the container: a volume is
 * another device than the container's root. Outside a container the answer is always no.
 */
export function isLostWithContainer(path: string): boolean {
  const isContainer = existsSync('/.dockerenv') || existsSync('/run/.containerenv');
  return isContainer && statSync(nearestPlace(path)).dev === statSync('/').dev;
}

/**
 * Whether a folder may be made for what is to be kept: not below a root that knows nothing of it, and in a container
 * not on its own disk, unless the folder, or the one above, was put there on purpose.
 */
export function isPersistentFolder(folder: string): boolean {
  const place = nearestPlace(folder);
  if (place === folder) return true;
  if (place === parse(folder).root) return false;
  return place === dirname(folder) || !isLostWithContainer(place);
}

/** The path itself if it exists, else the nearest existing folder above it. */
export function nearestPlace(path: string): string {
  return existsSync(path) ? path : nearestPlace(dirname(path));
}
