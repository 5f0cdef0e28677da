import type { Engine } from '../model/engine.ts';
import { type UploadRootName, uploadRootNames } from '../config/config.ts';
import type { ArchiveDefect, NameDefect } from '../model/archive-defect.ts';
import { ownPrefix } from '../platform/own-files.ts';
import { createYielder } from '../platform/event-loop.ts';
import { databaseEntryNames, manifestName, settingsName } from './manifest.ts';
import { hash, randomBytes } from 'node:crypto';

/** Objects that are made when they are read: a list with one object for each upload could fill the memory. */
export interface Listing<Item> extends Iterable<Item> {
  readonly length: number;
}

/** The kind of an entry, by its name. */
export type EntryRole =
  | { readonly kind: 'manifest' | 'settings' | 'folder' }
  | { readonly kind: 'database'; readonly engine: Engine }
  /** `path` is relative to the root. */
  | { readonly kind: 'upload'; readonly root: UploadRootName; readonly path: string };

/** Bytes of a name in a folder (NAME_MAX of Linux). */
const longestComponent = 255;
/** Bytes of a whole name: PATH_MAX of Linux is 4096, and the target folder needs some of them. */
const longestName = 3000;
/** The prefix of db-init's unfinished files in a folder of uploads. */
const unfinishedPrefix = `${ownPrefix}-`;

/** Nearly all names: short, of printable ASCII characters, without a backslash or a colon, and with plain parts. */
const plainName = /^(?:(?!\.{1,2}(?:\/|$))[ -.0-9;-[\]-~]+(?:\/|$))+$/;

/**
 * Why a name is not a safe path inside an archive on every system; null if it is safe. It may begin with `./`, as
 * bsdtar packs a folder: `topFolder` takes that off.
 */
export function defectOfName(given: string): NameDefect | null {
  if (given.length <= longestComponent && plainName.test(given)) return null;
  const name = given.startsWith('./') && given.length > 2 ? given.slice(2) : given;
  if (name === './') return null;
  const parts = (name.endsWith('/') ? name.slice(0, -1) : name).split('/');
  if (name === '') return 'empty';
  if (name.includes('\uFFFD')) return 'not-utf8';
  if (/\p{Cc}/u.test(name)) return 'control-character';
  if (name.includes('\\')) return 'backslash';
  if (name.startsWith('/')) return 'absolute';
  if (/^[a-z]:/i.test(name)) return 'drive-letter';
  if (parts.includes('..')) return 'outside';
  if (parts.includes('') || parts.includes('.')) return 'not-plain';
  const tooLong = parts.some((part) => Buffer.byteLength(part) > longestComponent);
  return tooLong || Buffer.byteLength(name) > longestName ? 'too-long' : null;
}

/** The kind of an entry with a safe name; null if archives have no such entry. */
export function roleOfName(name: string): EntryRole | null {
  if (name === manifestName) return { kind: 'manifest' };
  if (name === settingsName) return { kind: 'settings' };
  if (name === databaseEntryNames.postgresql) return { kind: 'database', engine: 'postgresql' };
  if (name === databaseEntryNames.sqlite) return { kind: 'database', engine: 'sqlite' };
  const root = uploadRootNames.find((candidate) => name.startsWith(`${candidate}/`));
  if (root === undefined) return null;
  return name.endsWith('/') ? { kind: 'folder' } : { kind: 'upload', root, path: name.slice(root.length + 1) };
}

/** Whether a path leads to unfinished files of db-init. The application archives those like uploads. */
export function isUnfinished(path: string): boolean {
  return path.split('/').some((part) => part.startsWith(unfinishedPrefix));
}

/** Names and their numbers in a set: names with the same key have the same number. */
export interface NumberedNames {
  readonly names: Listing<string>;
  /** In the order of the names. */
  readonly numbers: Uint32Array;
  /** It may contain further names. */
  readonly set: NameSet;
  readonly key: (name: string) => string;
}

/** Gives each name a number. @param key two names with the same key are the same */
export async function numberNames(names: Listing<string>, key: (name: string) => string): Promise<NumberedNames> {
  const pause = createYielder();
  const set = openNameSet(names.length);
  const numbers = new Uint32Array(names.length);
  let index = 0;
  for (const name of names) {
    await pause();
    numbers[index++] = set.add(key(name));
  }
  return { names, numbers, set, key };
}

/**
 * Finds names that conflict: the same name twice, or a file that is also the folder of another.
 * @param folders names with at least one in each folder: in an archive, those of a folder follow one another
 */
export async function defectOfNames(
  { names, numbers, set, key }: NumberedNames,
  folders: Iterable<string>,
): Promise<ArchiveDefect | null> {
  const nameAt = (wanted: number): string => [...take(names, wanted + 1)].at(-1) ?? '';
  const isTaken = new Uint8Array(set.size);
  for (const [index, number] of numbers.entries()) {
    if (isTaken[number] === 1) {
      const [name, other] = [nameAt(index), nameAt(numbers.indexOf(number))];
      return other === name ? { kind: 'equal-names', name } : { kind: 'similar-names', names: [other, name] };
    }
    isTaken[number] = 1;
  }
  const pause = createYielder();
  let checked = '';
  for (const name of folders) {
    await pause();
    const parts = key(name).split('/').slice(0, -1);
    const folder = parts.join('/');
    if (folder === checked) continue;
    checked = folder;
    for (let depth = 1; depth <= parts.length; depth++) {
      const number = set.find(parts.slice(0, depth).join('/'));
      if (number !== null && isTaken[number] === 1)
        return { kind: 'file-and-folder', name: nameAt(numbers.indexOf(number)) };
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

/** Bytes of a hash that are kept: finding two names with the same 128 bits is infeasible. */
const digestLength = 16;

/** A set of names. It keeps a hash of each: 24 bytes, however long the name is. */
export interface NameSet {
  /** @returns the number of the name, counted from 0; the existing number if it was added before */
  add(name: string): number;
  /** @returns the number of the name; null if it was not added */
  find(name: string): number | null;
  readonly size: number;
}

/** @param most the largest number of names that will be added */
export function openNameSet(most: number): NameSet {
  // a secret key: an attacker cannot choose names that collide
  const salt = randomBytes(16).toString('latin1');
  const digests = Buffer.alloc(most * digestLength);
  let slots = 4;
  while (slots < most * 2) slots *= 2;
  /** A hash table with open addressing: the number of a name, plus one. */
  const table = new Uint32Array(slots);
  let size = 0;

  // as text, because a buffer for each of many names would take longer than the hash itself
  const digestOf = (name: string): string => hash('sha256', salt + name, 'binary').slice(0, digestLength);
  const firstSlotOf = (digest: string): number =>
    [0, 8, 16, 24].reduce((slot, bits, index) => slot | (digest.charCodeAt(index) << bits), 0) >>> 0;
  const locate = (digest: string): number => {
    for (let slot = firstSlotOf(digest) % slots; ; slot = (slot + 1) % slots) {
      const number = (table[slot] ?? 0) - 1;
      const at = number * digestLength;
      if (number < 0 || digests.toString('latin1', at, at + digestLength) === digest) return slot;
    }
  };
  return {
    add(name) {
      const digest = digestOf(name);
      const slot = locate(digest);
      const known = table[slot] ?? 0;
      if (known > 0) return known - 1;
      digests.write(digest, size * digestLength, 'latin1');
      table[slot] = ++size;
      return size - 1;
    },
    find(name) {
      const number = table[locate(digestOf(name))] ?? 0;
      return number === 0 ? null : number - 1;
    },
    get size() {
      return size;
    },
  };
}

/** Files that desktops and file servers put into folders that they show or pack. They are not uploads. */
const desktopFiles =
  /(^|\/)(__MACOSX|@eaDir|\.Spotlight-V100|\.Trashes|\.fseventsd)(\/|$)|(^|\/)(\.DS_Store|\.directory|\._[^/]*|thumbs\.db|ehthumbs\.db|desktop\.ini)$/i;

/** Whether a name is that of a desktop file: `.DS_Store`, `__MACOSX/`, `Thumbs.db`, `desktop.ini`. */
export function isDesktopFile(name: string): boolean {
  return desktopFiles.test(name);
}

/** Finds the folder that holds the whole archive, if somebody unpacked the archive and packed the folder. */
export interface TopFolderSearch {
  /** Takes note of an entry's name; the name of a folder ends with a slash. */
  readonly see: (name: string) => void;
  /**
   * @param names returns an iteration over all entries' names, which have been seen before
   * @returns `my backup/`, or an empty text if the entries are not all in one folder
   */
  readonly find: (names: () => Iterable<string>) => string;
}

export function searchTopFolder(): TopFolderSearch {
  let isRoot = false;
  let nearest: string | null = null;
  return {
    see(name) {
      if (!name.endsWith(manifestName)) return;
      isRoot ||= name === manifestName;
      if (!name.endsWith(`/${manifestName}`) || isDesktopFile(name)) return;
      if (nearest === null || depthOf(name) < depthOf(nearest)) nearest = name;
    },
    find(names) {
      if (isRoot || nearest === null) return '';
      const top = nearest.slice(0, -manifestName.length);
      for (const name of names()) {
        const isInside = name.startsWith(top) || (name.endsWith('/') && top.startsWith(name));
        if (!isInside && !isDesktopFile(name)) return '';
      }
      return top;
    },
  };
}

const depthOf = (name: string): number => name.split('/').length;
