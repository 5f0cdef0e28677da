import { type ArchiveLimits, type UploadRootName, uploadRootNames } from '../config/config.ts';
import { type ArchiveFault, Failure, reasonOf } from '../errors/failure.ts';
import type { Engine } from '../model/engine.ts';
import type { ArchiveDefect, ManifestDefect } from '../model/archive-defect.ts';
import { createYielder } from '../platform/event-loop.ts';
import { archiveRejected, invalid, toArchiveRejected } from './archive-error.ts';
import { type Directory, findEntry, readDirectory } from './central-directory.ts';
import type { StoredEntry } from './entry-layout.ts';
import { hasFormatOf, isPiece, recogniseNames, requireZip } from './detect-format.ts';
import {
  defectOfName,
  defectOfNames,
  foldName,
  isUnfinished,
  type EntryRole,
  type Listing,
  roleOfName,
  type NameSet,
  openNameSet,
  isDesktopFile,
  numberNames,
  searchTopFolder,
  type TopFolderSearch,
} from './entry-names.ts';
import {
  databaseEntryNames,
  type Description,
  type Manifest,
  manifestName,
  type ListedEntry,
  parseDescription,
  parseManifest,
} from './manifest.ts';
import { LongManifestError, splitManifest } from './split-manifest.ts';
import { type ArchiveEntry, isSmall, readContent, readWhole } from './entry-content.ts';
import { type FileReader, openReader } from './file-reader.ts';

/** An uploaded file. */
export interface ArchivedUpload {
  readonly root: UploadRootName;
  /** Relative to the root, with slashes; never outside of the root. */
  readonly path: string;
  readonly entry: ArchiveEntry;
}

/** A log that SQLite keeps beside a database file, by its suffix. */
export interface SideFile {
  readonly suffix: '-wal' | '-journal';
  readonly entry: ArchiveEntry;
}

/**
 * An archive of db-init or of the application, or a bare SQLite file or dump. Its names and its structure were checked;
 * its contents were not.
 */
export interface Archive {
  readonly file: string;
  /** Whether it is a bare SQLite file or a dump, and not an archive. */
  readonly bare: boolean;
  readonly engine: Engine;
  readonly database: ArchiveEntry;
  /** The logs beside a bare SQLite file; archives have none. */
  readonly sideFiles: readonly SideFile[];
  /**
   * The revisions in the manifest. db-init writes all of them; the application writes one. Null if the application
   * could not read it.
   */
  readonly revisions: readonly string[] | null;
  /** When it was made: an instant in archives of db-init, a local time in those of the application. */
  readonly createdAt: Date | string | null;
  /** The manifest of db-init; null for an archive of the application. */
  readonly manifest: Manifest | null;
  readonly uploads: Listing<ArchivedUpload>;
  /** The roots that it holds uploads of. */
  readonly uploadRoots: readonly UploadRootName[];
  /** All entries that are not ignored, also those in the fields above, in the order of the archive. */
  readonly entries: Listing<ArchiveEntry>;
  /** Bytes of all uploads, unpacked. */
  readonly uploadBytes: number;
  /** Bytes of all entries, unpacked. */
  readonly size: number;
}

/** No limits, for archives that this run has made itself. */
export const noLimits: ArchiveLimits = { entries: Infinity, bytes: Infinity, ratio: Infinity };

/**
 * Opens an archive and checks everything that needs no unpacking: names, kinds of entries, limits, structure, the
 * manifest, and that manifest and entries agree. Closes the file again; entries open it when they are read.
 * @throws Failure `archive-rejected`, whatever is wrong with the file
 */
export async function openArchive(file: string, limits: ArchiveLimits): Promise<Archive> {
  try {
    await requireZip(file);
    const top = searchTopFolder();
    const directory = await readDirectory(file, limits, top.see);
    return await assemble(file, directory, top);
  } catch (error) {
    throw toArchiveRejected(file, isCutUp(file, error) ? archiveRejected(file, { kind: 'piece' }) : error);
  }
}

/**
 * Whether a rejected file is a piece of a split archive: its end record names several disks (yauzl's message), or it
 * has the name of a piece.
 */
function isCutUp(file: string, error: unknown): boolean {
  if (error instanceof Failure) return false;
  return reasonOf(error).startsWith('multi-disk') || isPiece(file);
}

/** Reads only the manifest of an archive; null if db-init did not make it, or if it is no archive. */
export async function readManifest(file: string): Promise<Manifest | null> {
  try {
    const stored = await findEntry(file, manifestName);
    return stored === null ? null : parseManifest(await splitManifest(readContent(file, stored), () => undefined));
  } catch {
    return null;
  }
}

/** The kind of an entry: ignored, the manifest or the settings, a database, or an upload of a root. */
const entryKinds = ['ignored', 'other', 'postgresql', 'sqlite', ...uploadRootNames] as const;
type EntryKind = (typeof entryKinds)[number];

/** What is known about the entries, in addition to the directory. */
interface EntryFacts {
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

const hashLength = 32;

async function assemble(file: string, directory: Directory, top: TopFolderSearch): Promise<Archive> {
  const refuse = (defect: ArchiveDefect | null): void => {
    if (defect !== null) throw archiveRejected(file, invalid(defect));
  };
  const found = await classifyEntries(file, directory, top);
  const { description, manifest, defect } = await readDescription(found);
  leaveOutDesktopFiles(found);
  const entries = entriesOf(found, isCounted);
  refuse(await findConflict(found, entries.length, manifest));
  if (manifest !== null) refuse(defect ?? findUnlisted(found, manifest));
  const database = databaseOf(found, description);
  const { engine } = description;
  if (!(await hasFormatOf(engine, database))) refuse({ kind: 'database-format', name: database.name, engine });
  const uploads = entriesOf(found, isUploadRoot);
  return {
    file,
    bare: false,
    engine,
    database,
    sideFiles: [],
    revisions: manifest?.revisions ?? (description.revision === null ? null : [description.revision]),
    createdAt: manifest?.createdAt ?? description.createdAt,
    manifest,
    uploads: listingOf(uploads.length, function* () {
      for (const entry of uploads) {
        // the name was read from the file again, which may have been changed since the check
        const { name } = entry;
        const ofName = defectOfName(name);
        if (ofName !== null) refuse({ kind: 'name', name, defect: ofName });
        const place = roleOfName(name);
        if (place?.kind === 'upload') yield { root: place.root, path: place.path, entry };
      }
    }),
    uploadRoots: uploadRootNames.filter((root) => found.kinds.includes(entryKinds.indexOf(root))),
    entries,
    uploadBytes: bytesOf(found, isUploadRoot),
    size: bytesOf(found, isCounted),
  };
}

function listingOf<Item>(length: number, items: () => Iterator<Item>): Listing<Item> {
  return { length, [Symbol.iterator]: items };
}

/** The entries of some kinds, in the order of the directory. */
function entriesOf(found: EntryFacts, wanted: (kind: EntryKind) => boolean): Listing<ArchiveEntry> {
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

const isCounted = (kind: EntryKind): boolean => kind !== 'ignored';

/**
 * The numbers in the directory and the names of the entries of some kinds.
 * @param among whether an entry is one of those that are of interest
 */
function* classifiedEntries(
  { file, directory, top, kinds }: EntryFacts,
  wanted: (kind: EntryKind) => boolean,
  among: (index: number) => boolean = () => true,
): Generator<readonly [index: number, name: string], void, undefined> {
  const isWanted = entryKinds.map(wanted);
  const entries = namedEntries(file, directory, (at) => isWanted[kinds[at] ?? 0] === true && among(at));
  if (top === '') return yield* entries;
  for (const [index, stands] of entries) yield [index, stands.slice(top.length)];
}

/** The numbers of the entries that are not ignored, in the order of the directory. */
function countedEntries({ kinds }: EntryFacts): number[] {
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
  { file, directory, numbers, listed, hashes }: EntryFacts,
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
function bytesOf({ directory, kinds: places }: EntryFacts, wanted: (kind: EntryKind) => boolean): number {
  let bytes = 0;
  for (const [index, kind] of places.entries()) {
    if (wanted(entryKinds[kind] ?? 'ignored')) bytes += directory.entry(index, '').size;
  }
  return bytes;
}

/** The fault of a ZIP file without a manifest, with the format that its names show. */
function foreignZip(names: readonly string[]): ArchiveFault {
  if (names.length === 0) return invalid({ kind: 'no-entries' });
  return { kind: 'other-format', file: { kind: 'folder', packing: 'zip', contents: recogniseNames(names) } };
}

/** The number of names that are read to detect that format. */
const mostNames = 20_000;

/** Finds the kind of each entry. @throws Failure `archive-rejected` at an entry that archives do not have */
async function classifyEntries(file: string, directory: Directory, search: TopFolderSearch): Promise<EntryFacts> {
  const { count } = directory;
  const top = search.find(function* () {
    for (const [, name] of directory.names(() => true)) yield name;
  });
  const places = new Uint8Array(count);
  const names = openNameSet(count);
  const numbers = new Uint32Array(count);
  const pause = createYielder();
  const first: string[] = [];
  const desktopFiles: number[] = [];
  const beginsFolder = new Uint8Array(count);
  let folder = '';
  let stranger: string | null = null;
  for (const [index, stands] of namedEntries(file, directory)) {
    await pause();
    if (index < mostNames) first.push(stands);
    const name = stands.slice(top.length);
    const place = roleOfName(name);
    // a parent of the top folder does not belong to the archive
    if (top.startsWith(stands) || (place === null && isDesktopFile(stands))) continue;
    if (place === null) stranger ??= name;
    else {
      const kind = kindOf(place);
      places[index] = entryKinds.indexOf(kind);
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
  if (stranger !== null) {
    throw archiveRejected(file, invalid({ kind: 'entry', name: stranger, defect: 'not-of-archives' }));
  }
  const hashes = Buffer.alloc(names.size * hashLength);
  return {
    file,
    directory,
    top,
    kinds: places,
    names,
    numbers,
    listed: new Uint8Array(names.size),
    hashes,
    beginsFolder,
    desktopFiles,
  };
}

function kindOf(place: EntryRole): EntryKind {
  switch (place.kind) {
    case 'manifest':
    case 'settings':
      return 'other';
    case 'folder':
      return 'ignored';
    case 'database':
      return place.engine;
    case 'upload':
      return isUnfinished(place.path) ? 'ignored' : place.root;
  }
}
function isUploadRoot(kind: EntryKind): kind is UploadRootName {
  return uploadRootNames.some((root) => root === kind);
}

interface DescribedArchive {
  readonly description: Description;
  readonly manifest: Manifest | null;
  /** What is wrong with the list of entries in our manifest; null if nothing is. */
  readonly defect: ArchiveDefect | null;
}

/** Reads the manifest and stores what it says about each entry. @throws Failure `archive-rejected` */
async function readDescription(found: EntryFacts): Promise<DescribedArchive> {
  const { file, names, listed, hashes } = found;
  const refuse = (defect: ManifestDefect) => archiveRejected(file, invalid({ kind: 'manifest', defect }));
  const entry = [...entriesOf(found, (kind) => kind === 'other')].find(({ name }) => name === manifestName);
  if (entry === undefined) throw refuse('missing');
  const sizes = new Float64Array(names.size);
  for (const [index, kind] of found.kinds.entries()) {
    if (isCounted(entryKinds[kind] ?? 'ignored'))
      sizes[found.numbers[index] ?? -1] = found.directory.entry(index, '').size;
  }
  const kept: Record<string, ListedEntry> = {};
  let defect: ArchiveDefect | null = null;
  let isReadable = true;
  // db-init's manifests list the uploads in the order of the directory: to compare names is faster than to hash them
  const inOrder = classifiedEntries(found, isUploadRoot);
  let next = inOrder.next();
  const numberOf = (name: string): number | null => {
    if (next.done === true || next.value[1] !== name) return names.find(name);
    const number = found.numbers[next.value[0]] ?? null;
    next = inOrder.next();
    return number;
  };
  const take = (name: string, listedEntry: ListedEntry | null): void => {
    if (listedEntry === null) {
      isReadable = false;
      return;
    }
    const number = numberOf(name);
    if (number === null) defect ??= { kind: 'listed-missing', name };
    else if (listed[number] === 1) defect ??= { kind: 'listed-twice', name };
    else {
      listed[number] = 1;
      if (sizes[number] !== listedEntry.size) defect ??= { kind: 'listed-size', name };
      // an invalid hash stays all zeros, which no content has
      if (/^[\da-f]{64}$/i.test(listedEntry.sha256)) hashes.write(listedEntry.sha256, number * hashLength, 'hex');
      if (roleOfName(name)?.kind !== 'upload') kept[name] = listedEntry;
    }
  };
  const content = await splitManifest(await entry.open(), take)
    .catch((error: unknown) => {
      throw error instanceof LongManifestError ? refuse('too-long') : error;
    })
    .finally(() => inOrder.return());
  const description = parseDescription(content);
  if (typeof description === 'string') throw refuse(description);
  const manifest = isReadable ? parseManifest(content) : null;
  if (description.ours && manifest === null) {
    throw refuse('unknown-format');
  }
  // entries that the splitter did not take out, because their keys are written unusually
  for (const [name, listedEntry] of Object.entries(manifest?.entries ?? {})) take(name, listedEntry);
  return { description, manifest: manifest && { ...manifest, entries: kept }, defect };
}

/** Desktop files that were among the uploads are in the manifest; those that were added later are ignored. */
function leaveOutDesktopFiles({ desktopFiles, numbers, listed, kinds: places }: EntryFacts): void {
  for (const index of desktopFiles) {
    if (listed[numbers[index] ?? -1] !== 1) places[index] = entryKinds.indexOf('ignored');
  }
}

/** Two entries whose names conflict; null if there are none. */
async function findConflict(
  found: EntryFacts,
  count: number,
  manifest: Manifest | null,
): Promise<ArchiveDefect | null> {
  const names = listingOf(count, function* () {
    for (const [, name] of classifiedEntries(found, isCounted)) yield name;
  });
  if (manifest === null) return defectOfNames(await numberNames(names, foldName), names);
  // our own archives come from case-sensitive file systems and must be restorable there
  const numbers = Uint32Array.from(countedEntries(found), (index) => found.numbers[index] ?? 0);
  const folders = listingOf(count, function* () {
    for (const [, name] of classifiedEntries(found, isCounted, (index) => found.beginsFolder[index] === 1)) yield name;
  });
  return defectOfNames({ names, numbers, set: found.names, key: (name) => name }, folders);
}

/** An entry of the archive that our manifest leaves out; null if there is none. */
function findUnlisted(found: EntryFacts, manifest: Manifest): ArchiveDefect | null {
  const { kinds, numbers, listed } = found;
  const roots = uploadRootNames.filter((root) => !manifest.uploads.includes(root));
  const unlisted = roots.find((root) => kinds.includes(entryKinds.indexOf(root)));
  if (unlisted !== undefined) return { kind: 'uploads-not-listed', root: unlisted };
  for (const [, name] of classifiedEntries(found, isCounted, (index) => listed[numbers[index] ?? -1] !== 1)) {
    if (name !== manifestName) return { kind: 'not-listed', name };
  }
  return null;
}

function databaseOf(found: EntryFacts, { engine }: Description): ArchiveEntry {
  const [database, another] = entriesOf(found, isEngine);
  const refuse = (defect: ArchiveDefect) => archiveRejected(found.file, invalid(defect));
  if (database === undefined) throw refuse({ kind: 'database-missing' });
  if (another !== undefined) throw refuse({ kind: 'two-databases', names: [database.name, another.name] });
  if (database.name !== databaseEntryNames[engine]) throw refuse({ kind: 'other-engine', name: database.name, engine });
  return database;
}

const isEngine = (kind: EntryKind): kind is Engine => kind === 'postgresql' || kind === 'sqlite';

/** The uploads of one root. */
export function uploadsOf(
  { uploads, uploadRoots }: Pick<Archive, 'uploads' | 'uploadRoots'>,
  root: UploadRootName,
): Iterable<ArchivedUpload> {
  if (!uploadRoots.includes(root)) return [];
  return {
    *[Symbol.iterator]() {
      for (const upload of uploads) if (upload.root === root) yield upload;
    },
  };
}
