import type { Engine } from '../model/engine.ts';
import { type UploadRootName, uploadRootNames } from '../config/config.ts';
import { shown } from '../platform/printable.ts';
import { ownPrefix } from '../platform/own-files.ts';
import { takeTurns } from '../platform/take-turns.ts';
import { databaseMembers, type Listing, manifestMember, settingsMember } from './manifest.ts';
import { openNameSet } from './name-set.ts';

/** The kind of an entry, by its name. */
export type Place =
  | { readonly kind: 'manifest' | 'settings' | 'folder' }
  | { readonly kind: 'database'; readonly engine: Engine }
  /** `path` is relative to the root. */
  | { readonly kind: 'upload'; readonly root: UploadRootName; readonly path: string };

/** Bytes of a name in a folder (NAME_MAX of Linux). */
const longestComponent = 255;
/** Bytes of a whole name: PATH_MAX of Linux is 4096, and the target folder needs some of them. */
const longestName = 3000;
/** The prefix of db-init's unfinished files in a folder of uploads. */
const leftover = `${ownPrefix}-`;

/** Why a name is not a safe path inside an archive on every system; null if it is safe. */
export function faultOfName(name: string): string | null {
  const parts = (name.endsWith('/') ? name.slice(0, -1) : name).split('/');
  if (name === '') return 'a member has no name';
  if (name.includes('\uFFFD')) return `the name of a member is not UTF-8: ${shown(name)}`;
  if (/\p{Cc}/u.test(name)) return `the name of a member has control characters: ${shown(name)}`;
  if (name.includes('\\')) return `the name of a member has a backslash: ${shown(name)}`;
  if (name.startsWith('/')) return `the name of a member is an absolute path: ${shown(name)}`;
  if (/^[a-z]:/i.test(name)) return `the name of a member begins with a drive letter: ${shown(name)}`;
  if (parts.includes('..')) return `the name of a member leads out of its folder: ${shown(name)}`;
  if (parts.includes('') || parts.includes('.')) return `the name of a member is no plain path: ${shown(name)}`;
  const tooLong = parts.some((part) => Buffer.byteLength(part) > longestComponent);
  if (tooLong || Buffer.byteLength(name) > longestName) return `the name of a member is too long: ${shown(name)}`;
  return null;
}

/** The kind of an entry with a safe name; null if archives have no such entry. */
export function placeOf(name: string): Place | null {
  if (name === manifestMember) return { kind: 'manifest' };
  if (name === settingsMember) return { kind: 'settings' };
  if (name === databaseMembers.postgresql) return { kind: 'database', engine: 'postgresql' };
  if (name === databaseMembers.sqlite) return { kind: 'database', engine: 'sqlite' };
  const root = uploadRootNames.find((candidate) => name.startsWith(`${candidate}/`));
  if (root === undefined) return null;
  return name.endsWith('/') ? { kind: 'folder' } : { kind: 'upload', root, path: name.slice(root.length + 1) };
}

/** Whether a path leads to unfinished files of db-init. The application archives those like uploads. */
export function isLeftover(path: string): boolean {
  return path.split('/').some((part) => part.startsWith(leftover));
}

/**
 * Finds names that conflict: the same name twice, or a file that is also the folder of another.
 * @param names returns an iteration over all names; called more than once
 * @param key two names with the same key are the same
 */
export async function faultOfNames(names: Listing<string>, key: (name: string) => string): Promise<string | null> {
  const pause = takeTurns();
  const files = openNameSet(names.length);
  const nameOf = (wanted: number): string => shown([...take(names, wanted + 1)].at(-1) ?? '');
  for (const name of names) {
    await pause();
    const [before, number] = [files.size, files.add(key(name))];
    if (files.size > before) continue;
    const other = nameOf(number);
    return other === shown(name)
      ? `it has two members of the name ${other}`
      : `two of its members are the same for some file systems: ${other} and ${shown(name)}`;
  }
  let checked = '';
  for (const name of names) {
    await pause();
    const parts = key(name).split('/').slice(0, -1);
    const folder = parts.join('/');
    if (folder === checked) continue;
    checked = folder;
    for (let depth = 1; depth <= parts.length; depth++) {
      const file = files.find(parts.slice(0, depth).join('/'));
      if (file !== null) return `${nameOf(file)} is a file and the folder of another member`;
    }
  }
  return null;
}

function* take<Item>(items: Iterable<Item>, count: number): Generator<Item, void, undefined> {
  let left = count;
  for (const item of items) {
    if (left-- <= 0) return;
    yield item;
  }
}

/** The key for file systems that ignore case and Unicode normalisation. */
export function foldName(name: string): string {
  return name.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}
