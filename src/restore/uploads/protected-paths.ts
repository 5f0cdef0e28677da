import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { type BytePath, bytePathOf } from './byte-path-fs.ts';
import { ownPrefix } from '../../platform/own-files.ts';

/** The paths in a folder of uploads that never move. */
export interface ProtectedPaths {
  is(path: BytePath): boolean;
  /** Whether a protected path is below it. */
  isBelow(path: BytePath): boolean;
}

/** A protected path inside the folder, and the kind of entry there, if any. */
interface Place {
  readonly path: BytePath;
  readonly isFolder: boolean;
}

/**
 * Finds the paths in a folder that never move: everything of db-init at its top, and `keep`, whatever its spelling.
 * Files beside a kept file whose names begin with its name (side files, locks, copies) belong to it. If the folder
 * itself is to be kept, because the backups are directly in it, the archives are protected.
 */
export async function protectedPathsIn(folder: string, keep: readonly string[]): Promise<ProtectedPaths> {
  const spellings = [folder, await realpath(folder)];
  const places: Place[] = [];
  for (const path of keep) {
    const isFolder = (await lstat(path).catch(() => null))?.isDirectory() ?? false;
    for (const spelling of [path, await realPathOf(path)]) {
      for (const root of spellings) {
        const below = relative(root, spelling);
        if (below !== '..' && !below.startsWith(`..${sep}`)) places.push({ path: bytePathOf(below), isFolder });
      }
    }
  }
  return protectedPathsBelow(bytePathOf(folder), places);
}

function protectedPathsBelow(folder: BytePath, places: readonly Place[]): ProtectedPaths {
  const holdsArchives = places.some(({ path }) => path === '');
  const below = (path: BytePath): BytePath => relative(folder, path);
  return {
    is(path) {
      const name = below(path);
      const isTop = !name.includes(sep);
      if (isTop && name.startsWith(ownPrefix)) return true;
      if (isTop && holdsArchives && /^timetracker_backup_|\.zip$/.test(name)) return true;
      return places.some((place) => place.path !== '' && belongsTo(name, place));
    },
    isBelow: (path) => places.some((place) => place.path.startsWith(below(path) + sep)),
  };
}

function belongsTo(name: BytePath, place: Place): boolean {
  if (name === place.path) return true;
  return !place.isFolder && name.startsWith(place.path) && !name.slice(place.path.length).includes(sep);
}

/** The path without symbolic links; the file may not exist yet. */
async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    return path === dirname(path) ? path : join(await realPathOf(dirname(path)), basename(path));
  }
}
