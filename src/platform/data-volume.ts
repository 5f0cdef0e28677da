import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, hasCode } from '../errors/error-code.ts';

/** The content of a volume that is, or should be, the data volume of a PostgreSQL server. */
export type DataVolume =
  | { readonly kind: 'not-mounted' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'unreadable'; readonly path: string; readonly code: string }
  /** `path`: of the data folder, relative to the volume; empty if it is the volume itself. */
  | { readonly kind: 'data'; readonly major: number; readonly path: string }
  | { readonly kind: 'foreign'; readonly names: readonly string[] };

/** Folders between the volume and the data: `18/docker` (images from 18 on), `pgdata`, `data`. */
const depth = 2;

/** Looks for a PostgreSQL data folder in a volume, and reads its major version from PG_VERSION. */
export function inspectDataVolume(folder: string): DataVolume {
  try {
    const names = readdirSync(folder);
    if (names.length === 0) return { kind: 'empty' };
    return findData(folder, '', depth) ?? { kind: 'foreign', names: names.toSorted().slice(0, 5) };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return { kind: 'not-mounted' };
    return { kind: 'unreadable', path: '', code: codeOf(error) ?? String(error) };
  }
}

function findData(volume: string, path: string, left: number): DataVolume | null {
  try {
    const version = /^(\d+)(?:\.\d+)?\s*$/.exec(readFileSync(join(volume, path, 'PG_VERSION'), 'utf8'));
    if (version !== null) return { kind: 'data', major: Number(version[1]), path };
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'EISDIR')) return { kind: 'unreadable', path, code: codeOf(error) ?? String(error) };
  }
  if (left === 0) return null;
  let hidden: DataVolume | null = null;
  for (const entry of foldersIn(volume, path)) {
    const found = findData(volume, join(path, entry), left - 1);
    if (found?.kind === 'data') return found;
    hidden ??= found;
  }
  return hidden;
}

function foldersIn(volume: string, path: string): readonly string[] {
  return readdirSync(join(volume, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'lost+found')
    .map(({ name }) => name);
}
