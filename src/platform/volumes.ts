import { existsSync, statSync } from 'node:fs';
import { dirname, parse } from 'node:path';

/**
 * Whether what lies at a path, or would be made there, goes with the container that this process runs in: a volume is
 * another device than the container's root. Outside of a container everything stays where it is.
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

/** The path itself, or the folder above it that is there. */
export function nearestPlace(path: string): string {
  return existsSync(path) ? path : nearestPlace(dirname(path));
}
