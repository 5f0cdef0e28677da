import { type UploadRootName, uploadRootNames } from '../config/config.ts';
import type { ArchiveFault } from '../errors/obstacles.ts';
import { createYielder } from '../platform/event-loop.ts';
import { archiveRejected, invalid, toArchiveRejected } from './archive-error.ts';
import type { Directory } from './central-directory.ts';
import { recogniseNames } from './detect-format.ts';
import { type ArchiveEntry, isSmall, readContent, readWhole } from './entry-content.ts';
import type { StoredEntry } from './entry-layout.ts';
import {
  type EntryRole,
  isDesktopFile,
  isUnfinished,
  type Listing,
  type NameSet,
  openNameSet,
  roleOfName,
  type TopFolderSearch,
} from './entry-names.ts';
import { type FileReader, openReader } from './file-reader.ts';
import { manifestName } from './manifest.ts';

/** The kind of an entry: ignored, the manifest or the settings, a database, or an upload of a root. */
export const entryKinds = ['ignored', 'other', 'postgresql', 'sqlite', ...uploadRootNames] as const;
export type EntryKind = (typeof entryKinds)[number];

/** What is known about the entries, in addition to the directory. */
export interface ClassifiedEntries {
  readonly file: string;
  readonly directory: Directory;
  /** The folder that contains all entries, if somebody packed the folder. */
  readonly top: string;
  /** The kind of each entry, as an index of `entryKinds`. */
  readonly kinds: Uint8Array;
  /** Gives each name a number, which is its index in `listed` and `hashes`. */
  readonly names: NameSet;
  /** The number of each entry's name, by the number of the entry in the directory. */
  readonly numbers: Uint32Array;
  /** Indexed by the number of the name: whether our manifest lists it, and its hash there. */
  readonly listed: Uint8Array;
  readonly hashes: Buffer;
  /** By the number of the entry: 1 if the entry before it is in another folder. */
  readonly beginsFolder: Uint8Array;
  /** The entries whose names are those of desktop files, by their numbers in the directory. */
  readonly desktopFiles: readonly number[];
}

export const hashLength = 32;

/** The fault of a ZIP file without a manifest, with the format that its names show. */
function foreignZip(names: readonly string[]): ArchiveFault {
  if (names.length === 0) return invalid({ kind: 'no-entries' });
  return { kind: 'other-format', file: { kind: 'folder', packing: 'zip', contents: recogniseNames(names) } };
}

/** The number of names that are read to detect that format. */
const mostNames = 20_000;

/** Finds the kind of each entry. @throws Failure `archive-rejected` at an entry that archives do not have */
export async function classifyEntries(
  file: string,
  directory: Directory,
  search: TopFolderSearch,
): Promise<ClassifiedEntries> {
  const { count } = directory;
  const top = search.find(function* () {
    for (const [, name] of directory.names(() => true)) yield name;
  });
  const kinds = new Uint8Array(count);
  const names = openNameSet(count);
  const numbers = new Uint32Array(count);
  const pause = createYielder();
  const first: string[] = [];
  const desktopFiles: number[] = [];
  const beginsFolder = new Uint8Array(count);
  let folder = '';
  let unknown: string | null = null;
  for (const [index, path] of namedEntries(file, directory)) {
    await pause();
    if (index < mostNames) first.push(path);
    const name = path.slice(top.length);
    const role = roleOfName(name);
    // a parent of the top folder does not belong to the archive
    if (top.startsWith(path) || (role === null && isDesktopFile(path))) continue;
    if (role === null) unknown ??= name;
    else {
      const kind = kindOf(role);
      kinds[index] = entryKinds.indexOf(kind);
      if (!isCounted(kind)) continue;
      numbers[index] = names.add(name);
      const present = name.slice(0, name.lastIndexOf('/') + 1);
      if (present !== folder) beginsFolder[index] = 1;
      // a desktop file may be left out later: the next entry begins the folder as well
      if (isDesktopFile(name)) desktopFiles.push(index);
      else folder = present;
    }
  }
  if (names.find(manifestName) === null) throw archiveRejected(file, foreignZip(first));
  if (unknown !== null) {
    throw archiveRejected(file, invalid({ kind: 'entry', name: unknown, defect: 'not-of-archives' }));
  }
  const hashes = Buffer.alloc(names.size * hashLength);
  return {
    file,
    directory,
    top,
    kinds,
    names,
    numbers,
    listed: new Uint8Array(names.size),
    hashes,
    beginsFolder,
    desktopFiles,
  };
}

function kindOf(role: EntryRole): EntryKind {
  switch (role.kind) {
    case 'manifest':
    case 'settings':
      return 'other';
    case 'folder':
      return 'ignored';
    case 'database':
      return role.engine;
    case 'upload':
      return isUnfinished(role.path) ? 'ignored' : role.root;
  }
}
export function isUploadRoot(kind: EntryKind): kind is UploadRootName {
  return uploadRootNames.some((root) => root === kind);
}

export function listingOf<Item>(length: number, items: () => Iterator<Item>): Listing<Item> {
  return { length, [Symbol.iterator]: items };
}

/** The entries of some kinds, in the order of the directory. */
export function entriesOf(found: ClassifiedEntries, wanted: (kind: EntryKind) => boolean): Listing<ArchiveEntry> {
  const length = found.kinds.reduce((count, kind) => count + Number(wanted(entryKinds[kind] ?? 'ignored')), 0);
  return listingOf(length, function* () {
    const content = openContents(found.file);
    try {
      for (const [index, name] of classifiedEntries(found, wanted)) yield entryOf(found, content, index, name);
    } finally {
      content.end();
    }
  });
}

export const isCounted = (kind: EntryKind): boolean => kind !== 'ignored';

/**
 * The numbers in the directory and the names of the entries of some kinds.
 * @param among whether an entry is one of those that are of interest
 */
export function* classifiedEntries(
  { file, directory, top, kinds }: ClassifiedEntries,
  wanted: (kind: EntryKind) => boolean,
  among: (index: number) => boolean = () => true,
): Generator<readonly [index: number, name: string], void, undefined> {
  const isWanted = entryKinds.map(wanted);
  const entries = namedEntries(file, directory, (at) => isWanted[kinds[at] ?? 0] === true && among(at));
  if (top === '') return yield* entries;
  for (const [index, path] of entries) yield [index, path.slice(top.length)];
}

/** The numbers of the entries that are not ignored, in the order of the directory. */
export function countedEntries({ kinds }: ClassifiedEntries): number[] {
  const isWanted = entryKinds.map(isCounted);
  return [...kinds.keys()].filter((index) => isWanted[kinds[index] ?? 0]);
}

/** The entries' numbers and names. @throws Failure `archive-rejected` if the file cannot be read any more */
function* namedEntries(
  file: string,
  { names }: Directory,
  wanted: (index: number) => boolean = () => true,
): Generator<readonly [index: number, name: string], void, undefined> {
  try {
    yield* names(wanted);
  } catch (error) {
    throw toArchiveRejected(file, error);
  }
}

/** Reads short entries through one open file while an iteration runs. After it, each read opens the file again. */
interface Contents {
  readonly whole: (entry: StoredEntry, sha256: string | undefined) => Buffer;
  readonly end: () => void;
}

/** Bytes that are read at a time: many short entries. */
const contentPage = 256 * 1024;

function openContents(file: string): Contents {
  let reader: FileReader | null = null;
  let ended = false;
  return {
    whole(entry, sha256) {
      if (!ended) reader ??= openReader(file, contentPage);
      return readWhole(file, entry, sha256, reader);
    },
    end() {
      ended = true;
      reader?.end();
      reader = null;
    },
  };
}

function entryOf(
  { file, directory, numbers, listed, hashes }: ClassifiedEntries,
  contents: Contents,
  index: number,
  name: string,
): ArchiveEntry {
  const stored = directory.entry(index, name);
  const number = numbers[index] ?? -1;
  const at = number * hashLength;
  const sha256 = listed[number] === 1 ? hashes.toString('hex', at, at + hashLength) : undefined;
  return {
    name,
    size: stored.size,
    open: async () => readContent(file, stored, sha256),
    ...(isSmall(stored) && { whole: () => contents.whole(stored, sha256) }),
  };
}

/** Bytes of the entries of some kinds, unpacked. */
export function bytesOf({ directory, kinds }: ClassifiedEntries, wanted: (kind: EntryKind) => boolean): number {
  let bytes = 0;
  for (const [index, kind] of kinds.entries()) {
    if (wanted(entryKinds[kind] ?? 'ignored')) bytes += directory.entry(index, '').size;
  }
  return bytes;
}
