import { placeOf, faultOfNames, foldName, isLeftover, type Place } from './entry-names.ts';
import {
  manifestMember,
  type Manifest,
  type ArchiveEntry,
  type Description,
  parseDescription,
  parseManifest,
} from './manifest.ts';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { countBytes } from './byte-counter.ts';
import { recogniseNames, faultOfDatabase, isPiece, requireZip } from './detect-format.ts';
import type { Engine } from '../model/engine.ts';
import { text } from 'node:stream/consumers';
import type { ArchiveLimits, UploadRootName } from '../config/config.ts';
import { type ArchiveFault, Failure, reasonOf } from '../errors/failure.ts';
import { shown } from '../platform/printable.ts';
import { readContent } from './content.ts';
import { findMember, readDirectory, type StoredMember } from './central-directory.ts';
import { isDesktopFile, topFolder } from './repacked-layout.ts';
import { invalid, piece, archiveRejected, toArchiveRejected } from './archive-error.ts';

/** An uploaded file. */
export interface ArchivedUpload {
  readonly root: UploadRootName;
  /** Relative to the root, with slashes; it does not lead out of it. */
  readonly path: string;
  readonly entry: ArchiveEntry;
}

/** A log that SQLite keeps beside a database file, by what it is called. */
export interface SideFile {
  readonly suffix: '-wal' | '-journal';
  readonly entry: ArchiveEntry;
}

/** An archive of ours or of the application, or a bare SQLite file in the place of one. Its names and its structure were checked, its contents not yet. */
export interface Archive {
  readonly file: string;
  /** Whether it is no archive, but a SQLite database file as it lies there. */
  readonly bare: boolean;
  readonly engine: Engine;
  readonly database: ArchiveEntry;
  /** What lies beside a bare SQLite file and belongs to it; archives have none. */
  readonly sideFiles: readonly SideFile[];
  /** As its manifest says: ours has all, the application's one of them or, where it could not read it, null. */
  readonly revisions: readonly string[] | null;
  /** When it was made: ours tells the instant, the application's the local time there. */
  readonly createdAt: Date | string | null;
  /** Ours; null for one of the application. */
  readonly manifest: Manifest | null;
  readonly uploads: readonly ArchivedUpload[];
  /** Every member that counts, those above included, in the archive's order. */
  readonly members: readonly ArchiveEntry[];
  /** Bytes of all members, unpacked. */
  readonly size: number;
}

/** For archives that this run has made itself. */
export const noLimits: ArchiveLimits = { entries: Infinity, bytes: Infinity, ratio: Infinity };

/** A manifest of ours names each member and each table: some ten kilobytes, and 200 bytes for each upload. */
const longestManifest = 64 * 1024 * 1024;

/**
 * Opens an archive and checks everything that can be known without unpacking it: names, kinds of members, limits,
 * structure, the manifest and that the members fit it. The file is closed again; members open it when they are read.
 * @throws Failure `archive-rejected`, whatever is wrong with the file
 */
export async function openArchive(file: string, limits: ArchiveLimits): Promise<Archive> {
  try {
    const handle = await requireZip(file);
    try {
      return await assemble(file, await readDirectory(file, handle, limits));
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw toArchiveRejected(file, isCutUp(file, error) ? archiveRejected(file, piece) : error);
  }
}

/** A piece of an archive has no end, or one that speaks of several disks (yauzl's words). */
function isCutUp(file: string, error: unknown): boolean {
  if (error instanceof Failure) return false;
  return reasonOf(error).startsWith('multi-disk') || isPiece(file);
}

/** The manifest of an archive, without a look at anything else; null if it is not one of ours, or no archive at all. */
export async function readManifest(file: string): Promise<Manifest | null> {
  let handle: FileHandle | null = null;
  try {
    handle = await open(file);
    const member = await findMember(handle, manifestMember);
    return member === null || member.size > longestManifest
      ? null
      : parseManifest(await text(readContent(file, member)));
  } catch {
    return null;
  } finally {
    await handle?.close();
  }
}

interface Placed {
  readonly entry: ArchiveEntry;
  readonly place: Place;
}

async function assemble(file: string, stored: readonly StoredMember[]): Promise<Archive> {
  const top = topFolder(stored.map(({ name }) => name));
  if (!stored.some(({ name }) => name === top + manifestMember)) throw archiveRejected(file, foreignZip(stored));
  const hashes = new Map<string, string>();
  const all = placeMembers(file, stored, { top, hashes });
  const { description, manifest } = await readDescription(
    file,
    all.map(({ entry }) => entry),
  );
  for (const [name, { sha256 }] of Object.entries(manifest?.members ?? {})) hashes.set(name, sha256);
  // what a desktop left among uploads before they were archived is listed
  const placed = all.filter(({ entry: { name } }) => !isDesktopFile(name) || hashes.has(name));
  const members = placed.map(({ entry }) => entry);
  const refuse = (reason: string | null): void => {
    if (reason !== null) throw archiveRejected(file, invalid(reason));
  };
  const names = members.map(({ name }) => name);
  // our own come from file systems that tell upper from lower case, and must go back there
  refuse(faultOfNames(names, manifest === null ? foldName : (name) => name));
  if (manifest !== null) refuse(faultOfManifest(manifest, members));
  const database = databaseOf(file, placed, description);
  refuse(await faultOfDatabase(description.engine, database));
  return {
    file,
    bare: false,
    engine: description.engine,
    database,
    sideFiles: [],
    revisions: manifest?.revisions ?? (description.revision === null ? null : [description.revision]),
    createdAt: manifest?.createdAt ?? description.createdAt,
    manifest,
    uploads: placed.flatMap(({ entry, place }) =>
      place.kind === 'upload' ? [{ root: place.root, path: place.path, entry }] : [],
    ),
    members,
    size: members.reduce((sum, { size }) => sum + size, 0),
  };
}

/** An archive without a manifest: what else it may be. */
function foreignZip(stored: readonly StoredMember[]): ArchiveFault {
  if (stored.length === 0) return invalid(`it is empty: it has no ${manifestMember}`);
  const contents = recogniseNames(stored.map(({ name }) => name));
  return { kind: 'other-format', file: { kind: 'folder', packing: 'zip', contents } };
}

/**
 * @param top the folder that all members are in, where somebody packed the folder
 * @param hashes what our manifest promises of members that are opened later, by their names
 */
function placeMembers(
  file: string,
  stored: readonly StoredMember[],
  { top, hashes }: { readonly top: string; readonly hashes: ReadonlyMap<string, string> },
): readonly Placed[] {
  const placed: Placed[] = [];
  for (const { name: stands, ...rest } of stored) {
    // a folder on the way to the top is none of the archive's
    const name = stands.slice(top.length);
    const place = placeOf(name);
    if (top.startsWith(stands) || (place === null && isDesktopFile(stands))) continue;
    if (place === null)
      throw archiveRejected(file, invalid(`it has a member that belongs to no archive: ${shown(name)}`));
    const ignored = place.kind === 'folder' || (place.kind === 'upload' && isLeftover(place.path));
    const member = { ...rest, name };
    if (!ignored)
      placed.push({
        place,
        entry: { name, size: member.size, open: async () => readContent(file, member, hashes.get(name)) },
      });
  }
  return placed;
}

interface Described {
  readonly description: Description;
  readonly manifest: Manifest | null;
}

async function readDescription(file: string, members: readonly ArchiveEntry[]): Promise<Described> {
  const refuse = (reason: string) => archiveRejected(file, invalid(reason));
  const entry = members.find(({ name }) => name === manifestMember);
  if (entry === undefined) throw refuse(`it has no ${manifestMember}`);
  if (entry.size > longestManifest) throw refuse(`its ${manifestMember} is too long`);
  const content = await text(await entry.open());
  const description = parseDescription(content);
  if ('reason' in description) throw refuse(description.reason);
  const manifest = parseManifest(content);
  if (description.ours && manifest === null) {
    throw refuse(`${manifestMember} is damaged, or was written by a newer db-init`);
  }
  return { description, manifest };
}

function databaseOf(file: string, placed: readonly Placed[], { engine }: Description): ArchiveEntry {
  const found = placed.flatMap(({ entry, place }) =>
    place.kind === 'database' ? [{ entry, kind: place.engine }] : [],
  );
  const [database, another] = found;
  const refuse = (reason: string) => archiveRejected(file, invalid(reason));
  if (database === undefined) throw refuse('it has no database in it');
  if (another !== undefined)
    throw refuse(`it has two databases in it: ${found.map(({ entry }) => entry.name).join(', ')}`);
  if (database.kind !== engine)
    throw refuse(`its manifest says ${engine}, and the database in it is ${database.entry.name}`);
  return database.entry;
}

export interface ExtractOptions {
  readonly signal: AbortSignal;
  /** Hears of each piece how many bytes it has. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * Unpacks a member into a new file that only its owner can read, and which has reached the disk when this returns.
 * On a failure there is no such file; one that was there before stays as it was.
 * @throws Failure `archive-rejected`, or the error of the file system
 */
export async function extractEntry(entry: ArchiveEntry, path: string, options: ExtractOptions): Promise<void> {
  const { signal, onBytes } = options;
  const content = await entry.open();
  const handle = await open(path, 'wx', 0o600);
  try {
    await pipeline(content, countBytes(onBytes), handle.createWriteStream({ flush: true }), { signal });
  } catch (error) {
    await rm(path, { force: true });
    const isWritten = error instanceof Error && 'syscall' in error && error.syscall === 'write';
    throw isWritten ? new Error(`${path} cannot be written (${error.message})`, { cause: error }) : error;
  }
}

/** Whether the members of an archive of ours are those that its manifest lists; null if they are. */
export function faultOfManifest(manifest: Manifest, members: readonly ArchiveEntry[]): string | null {
  const present = new Map(members.map((entry) => [entry.name, entry]));
  for (const [name, { size }] of Object.entries(manifest.members)) {
    const entry = present.get(name);
    if (entry === undefined) return `its manifest lists a member that is missing: ${shown(name)}`;
    if (entry.size !== size) return `the member ${shown(name)} has another size than its manifest says`;
  }
  for (const { name } of members) {
    if (name === manifestMember) continue;
    if (!Object.hasOwn(manifest.members, name)) return `its manifest does not list the member ${shown(name)}`;
    const place = placeOf(name);
    if (place?.kind === 'upload' && !manifest.uploads.includes(place.root)) {
      return `its manifest does not list the uploads of ${place.root}`;
    }
  }
  return null;
}
