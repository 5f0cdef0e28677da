import { statSync } from 'node:fs';
import { hasCode } from '../errors/error-code.ts';
import { archiveRejected } from './archive-error.ts';

/** The first of the possible paths that holds an archive; null if none does. */
export function searchArchive(places: readonly string[]): string | null {
  return places.find(isThere) ?? null;
}

/** The same as `searchArchive`. @throws Failure `archive-rejected` that names all paths, if there is no archive */
export function requireArchive(places: readonly string[]): string {
  const found = searchArchive(places);
  if (found === null) throw archiveRejected(places.at(-1) ?? '', { kind: 'missing', places });
  return found;
}

/** Whether there may be a file. If that cannot be known, opening it will report the reason. */
function isThere(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    return !hasCode(error, 'ENOENT', 'ENOTDIR');
  }
}
