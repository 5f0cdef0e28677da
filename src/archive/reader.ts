import { type ArchiveLimits, type UploadRootName, uploadRootNames } from '../config/config.ts';
import { Failure, reasonOf } from '../errors/failure.ts';
import type { Engine } from '../model/engine.ts';
import type { ArchiveDefect, ManifestDefect } from '../model/archive-defect.ts';
import { archiveRejected, invalid, toArchiveRejected } from './archive-error.ts';
import { type Directory, findEntry, readDirectory } from './central-directory.ts';
import { hasFormatOf, isPiece, requireZip } from './detect-format.ts';
import {
  defectOfName,
  defectOfNames,
  foldName,
  type Listing,
  roleOfName,
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
import { type ArchiveEntry, readContent } from './entry-content.ts';
import {
  bytesOf,
  type ClassifiedEntries,
  classifiedEntries,
  classifyEntries,
  countedEntries,
  entriesOf,
  entryKinds,
  type EntryKind,
  hashLength,
  isCounted,
  isUploadRoot,
  listingOf,
} from './classified-entries.ts';

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

async function assemble(file: string, directory: Directory, top: TopFolderSearch): Promise<Archive> {
  const refuse = (defect: ArchiveDefect | null): void => {
    if (defect !== null) throw archiveRejected(file, invalid(defect));
  };
  const classified = await classifyEntries(file, directory, top);
  const { description, manifest, defect } = await readDescription(classified);
  leaveOutDesktopFiles(classified);
  const entries = entriesOf(classified, isCounted);
  refuse(await findConflict(classified, entries.length, manifest));
  if (manifest !== null) refuse(defect ?? findUnlisted(classified, manifest));
  const database = databaseOf(classified, description);
  const { engine } = description;
  if (!(await hasFormatOf(engine, database))) refuse({ kind: 'database-format', name: database.name, engine });
  const uploads = entriesOf(classified, isUploadRoot);
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
    uploadRoots: uploadRootNames.filter((root) => classified.kinds.includes(entryKinds.indexOf(root))),
    entries,
    uploadBytes: bytesOf(classified, isUploadRoot),
    size: bytesOf(classified, isCounted),
  };
}

interface DescribedArchive {
  readonly description: Description;
  readonly manifest: Manifest | null;
  /** What is wrong with the list of entries in our manifest; null if nothing is. */
  readonly defect: ArchiveDefect | null;
}

/** Reads the manifest and stores what it says about each entry. @throws Failure `archive-rejected` */
async function readDescription(classified: ClassifiedEntries): Promise<DescribedArchive> {
  const { file, names, listed, hashes } = classified;
  const refuse = (defect: ManifestDefect) => archiveRejected(file, invalid({ kind: 'manifest', defect }));
  const entry = [...entriesOf(classified, (kind) => kind === 'other')].find(({ name }) => name === manifestName);
  if (entry === undefined) throw refuse('missing');
  const sizes = new Float64Array(names.size);
  for (const [index, kind] of classified.kinds.entries()) {
    if (isCounted(entryKinds[kind] ?? 'ignored'))
      sizes[classified.numbers[index] ?? -1] = classified.directory.entry(index, '').size;
  }
  const kept: Record<string, ListedEntry> = {};
  let defect: ArchiveDefect | null = null;
  let isReadable = true;
  // db-init's manifests list the uploads in the order of the directory: to compare names is faster than to hash them
  const inOrder = classifiedEntries(classified, isUploadRoot);
  let next = inOrder.next();
  const numberOf = (name: string): number | null => {
    if (next.done === true || next.value[1] !== name) return names.find(name);
    const number = classified.numbers[next.value[0]] ?? null;
    next = inOrder.next();
    return number;
  };
  const noteListed = (name: string, listedEntry: ListedEntry | null): void => {
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
  const content = await splitManifest(await entry.open(), noteListed)
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
  for (const [name, listedEntry] of Object.entries(manifest?.entries ?? {})) noteListed(name, listedEntry);
  return { description, manifest: manifest && { ...manifest, entries: kept }, defect };
}

/** Desktop files that were among the uploads are in the manifest; those that were added later are ignored. */
function leaveOutDesktopFiles({ desktopFiles, numbers, listed, kinds }: ClassifiedEntries): void {
  for (const index of desktopFiles) {
    if (listed[numbers[index] ?? -1] !== 1) kinds[index] = entryKinds.indexOf('ignored');
  }
}

/** Two entries whose names conflict; null if there are none. */
async function findConflict(
  classified: ClassifiedEntries,
  count: number,
  manifest: Manifest | null,
): Promise<ArchiveDefect | null> {
  const names = listingOf(count, function* () {
    for (const [, name] of classifiedEntries(classified, isCounted)) yield name;
  });
  if (manifest === null) return defectOfNames(await numberNames(names, foldName), names);
  // our own archives come from case-sensitive file systems and must be restorable there
  const numbers = Uint32Array.from(countedEntries(classified), (index) => classified.numbers[index] ?? 0);
  const folders = listingOf(count, function* () {
    for (const [, name] of classifiedEntries(classified, isCounted, (index) => classified.beginsFolder[index] === 1))
      yield name;
  });
  return defectOfNames({ names, numbers, set: classified.names, key: (name) => name }, folders);
}

/** An entry of the archive that our manifest leaves out; null if there is none. */
function findUnlisted(classified: ClassifiedEntries, manifest: Manifest): ArchiveDefect | null {
  const { kinds, numbers, listed } = classified;
  const roots = uploadRootNames.filter((root) => !manifest.uploads.includes(root));
  const unlisted = roots.find((root) => kinds.includes(entryKinds.indexOf(root)));
  if (unlisted !== undefined) return { kind: 'uploads-not-listed', root: unlisted };
  for (const [, name] of classifiedEntries(classified, isCounted, (index) => listed[numbers[index] ?? -1] !== 1)) {
    if (name !== manifestName) return { kind: 'not-listed', name };
  }
  return null;
}

function databaseOf(classified: ClassifiedEntries, { engine }: Description): ArchiveEntry {
  const [database, another] = entriesOf(classified, isEngine);
  const refuse = (defect: ArchiveDefect) => archiveRejected(classified.file, invalid(defect));
  if (database === undefined) throw refuse({ kind: 'database-missing' });
  if (another !== undefined) throw refuse({ kind: 'two-databases', names: [database.name, another.name] });
  if (database.name !== databaseEntryNames[engine]) throw refuse({ kind: 'other-engine', name: database.name, engine });
  return database;
}

const isEngine = (kind: EntryKind): kind is Engine => kind === 'postgresql' || kind === 'sqlite';

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
