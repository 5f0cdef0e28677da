import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { type BytePath, bytePathOf } from './byte-path-fs.ts';
import { ownPrefix } from '../../platform/own-files.ts';

/** What of a folder of uploads never moves. */
export interface ProtectedPaths {
  /** Whether it is that. */
  is(path: BytePath): boolean;
  /** Whether it lies somewhere below. */
  liesIn(path: BytePath): boolean;
}

/** A kept path within the folder; what is there, if anything. */
interface Place {
  readonly path: BytePath;
  readonly isFolder: boolean;
}

/**
 * Finds what never moves in a folder: everything of db-init at its top, and `keep`, however it is spelled. What lies
 * beside a kept file and begins with its name (side files, locks, copies) belongs to it. Where the folder itself is to
 * be kept, because the backups lie right in it, that means the archives.
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
  return within(bytePathOf(folder), places);
}

function within(folder: BytePath, places: readonly Place[]): ProtectedPaths {
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
    liesIn: (path) => places.some((place) => place.path.startsWith(below(path) + sep)),
  };
}

function belongsTo(name: BytePath, place: Place): boolean {
  if (name === place.path) return true;
  return !place.isFolder && name.startsWith(place.path) && !name.slice(place.path.length).includes(sep);
}

/** The path without symbolic links, of something that may not be there yet. */
async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    return path === dirname(path) ? path : join(await realPathOf(dirname(path)), basename(path));
  }
}
