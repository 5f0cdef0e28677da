import {
  type Entry,
  type LocalFileHeader,
  parseExtraFields,
  fromRandomAccessReaderPromise,
  getFileNameLowLevel,
  type ZipFile,
} from 'yauzl';
import type { ArchiveLimits } from '../config/config.ts';
import type { ArchiveFault } from '../errors/failure.ts';
import { createYielder } from '../platform/event-loop.ts';
import type { EntryDefect } from '../model/archive-defect.ts';
import { defectOfName } from './entry-names.ts';
import { invalid, archiveRejected, DefectError } from './archive-error.ts';
import { type FileReader, openReader } from './file-reader.ts';
import {
  type StoredEntry,
  descriptors,
  encrypted,
  inExtra,
  type EntryTable,
  descriptorOf,
  faultOfEnd,
  faultOfLocalHeader,
  faultOfOrder,
} from './entry-layout.ts';

/**
 * The central directory of an archive. Memory holds about 50 bytes for each entry; its name is read from the file
 * again whenever it is needed.
 */
export interface Directory extends Pick<EntryTable, 'count' | 'entry'> {
  /**
   * The numbers and names of entries, in the order of the directory.
   * @param wanted whether to read the name of the entry with this number
   * @throws Error if the file cannot be read any more
   */
  readonly names: (wanted: (index: number) => boolean) => Generator<readonly [number, string], void, undefined>;
}

/** The flag of a name in UTF-8 (bit 11 of the general purpose flag). */
const utf8 = 0x0800;
/** The compression method deflate; the only other method that is read is "stored" (4.4.5). */
const deflate = 8;
const zip64Field = 1;
/** Bytes: a smaller archive cannot fill a disk, and a small text file of zeros has a high ratio. */
const smallestForRatio = 1_000_000;

/**
 * Reads the central directory of an archive and compares each entry with its own header. Unpacks nothing.
 * @throws Failure `archive-rejected` at the first entry that is wrong or exceeds a limit, or an Error of the ZIP reader
 */
export async function readDirectory(file: string, limits: ArchiveLimits): Promise<Directory> {
  const reader = openReader(file);
  try {
    const { size } = reader;
    const zip = await openZip(reader);
    const start = cursorOf(zip);
    const refuse = (fault: ArchiveFault | null): void => {
      if (fault !== null) throw archiveRejected(file, fault);
    };
    refuse(faultOfCount(zip.entryCount, limits));
    // a record has at least 46 bytes: do not reserve memory for a count that cannot be true
    if (zip.entryCount > size / 46) throw new DefectError({ kind: 'entry-count' });
    const table = openTable(zip.entryCount);
    const slashes = openSlashes();
    const pause = createYielder();
    let bytes = 0;
    for (let index = 0; index < zip.entryCount; index++) {
      await pause();
      const at = cursorOf(zip);
      const entry = readEntry(zip);
      const name = slashes.turn(entryNameOf(entry));
      refuse(faultOfEntry(entry, name));
      refuse(faultOfSize((bytes += entry.uncompressedSize), size, limits));
      const local = readLocalHeader(zip, entry);
      refuse(faultOfLocalHeader(entry, local, name));
      table.set(index, at, entry, local);
    }
    const mixed = slashes.mixed();
    if (mixed !== null) refuse(invalid({ kind: 'name', name: mixed, defect: 'backslash' }));
    refuse(faultOfEnd(reader, { zip, size, start, end: cursorOf(zip) }));
    refuse(faultOfOrder(reader, table, start, (index) => nameAt(reader, table.at[index] ?? 0)));
    return { count: table.count, names: (wanted) => namesOf(file, table, wanted), entry: table.entry };
  } finally {
    reader.end();
  }
}

function* namesOf(
  file: string,
  table: EntryTable,
  wanted: (index: number) => boolean,
): Generator<readonly [number, string], void, undefined> {
  const reader = openReader(file);
  try {
    for (let index = 0; index < table.count; index++) {
      if (wanted(index)) yield [index, nameAt(reader, table.at[index] ?? 0)];
    }
  } finally {
    reader.end();
  }
}

/** Reads the name in a directory record. The record was checked before. */
function nameAt(reader: FileReader, at: number): string {
  const record = reader.bytes(at, 46);
  const [flags, length, extra] = [record.readUInt16LE(8), record.readUInt16LE(28), record.readUInt16LE(30)];
  const bytes = reader.bytes(at + 46, length + extra);
  const fields = parseExtraFields(bytes.subarray(length));
  return openSlashes().turn(getFileNameLowLevel(flags | utf8, bytes.subarray(0, length), fields, true));
}

/** Finds one entry without checking the others. @returns null if there is no entry of that name */
export async function findEntry(file: string, wanted: string): Promise<StoredEntry | null> {
  const reader = openReader(file);
  try {
    const zip = await openZip(reader);
    const pause = createYielder();
    for (let index = 0; index < zip.entryCount; index++) {
      await pause();
      const entry = readEntry(zip);
      const name = entryNameOf(entry);
      if (name === wanted && faultOfEntry(entry, name) === null)
        return storedEntryOf(entry, name, readLocalHeader(zip, entry).fileDataStart);
    }
    return null;
  } finally {
    reader.end();
  }
}

/** We decode and check the names ourselves, because yauzl turns backslashes into slashes. */
function openZip(reader: FileReader): Promise<ZipFile> {
  return fromRandomAccessReaderPromise(reader, reader.size, { autoClose: false, decodeStrings: false });
}

/** Where the next record of the directory begins. It is a number, although the types do not declare it. */
function cursorOf(zip: ZipFile): number {
  return Number(zip.readEntryCursor);
}

/** yauzl answers synchronously, because its reader does. Only for an empty file it answers later. */
function readEntry(zip: ZipFile): Entry {
  const found: { entry?: Entry; error?: Error } = {};
  zip.removeAllListeners();
  zip.once('entry', (entry: Entry) => (found.entry = entry));
  zip.once('error', (error: Error) => (found.error = error));
  zip.readEntry();
  if (found.error !== undefined) throw found.error;
  if (found.entry === undefined) throw new DefectError({ kind: 'entry-without-name' });
  return found.entry;
}

function readLocalHeader(zip: ZipFile, entry: Entry): LocalFileHeader {
  const found: { header?: LocalFileHeader; error?: Error | null } = {};
  zip.readLocalFileHeader(entry, (error, header) => Object.assign(found, { error, header }));
  if (found.error) throw found.error;
  if (found.header === undefined) throw new DefectError({ kind: 'local-without-name' });
  return found.header;
}

/**
 * Archives mark names in UTF-8. Names without the mark are decoded as UTF-8 as well; any other encoding would be a
 * guess.
 */
function entryNameOf({ generalPurposeBitFlag, fileNameRaw, extraFields }: Entry): string {
  return getFileNameLowLevel(generalPurposeBitFlag | utf8, fileNameRaw, extraFields, true);
}

interface Slashes {
  /** The name with slashes, if its backslashes stand for slashes. */
  readonly turn: (name: string) => string;
  /** A name whose backslashes cannot stand for slashes, because other names have slashes; null if there is none. */
  readonly mixed: () => string | null;
}

/** Windows PowerShell 5 (`Compress-Archive`) and .NET before 4.6.1 write backslashes, in all names of an archive. */
function openSlashes(): Slashes {
  let turned: string | null = null;
  let slashes = false;
  return {
    turn(name) {
      slashes ||= name.includes('/');
      if (!name.includes('\\') || name.includes('/')) return name;
      const asPath = name.replaceAll('\\', '/');
      if (defectOfName(asPath) !== null) return name;
      turned ??= name;
      return asPath;
    },
    mixed: () => (slashes ? turned : null),
  };
}

function openTable(count: number): EntryTable {
  const column = (): Float64Array => new Float64Array(count);
  const [at, offset, start, packed, size] = [column(), column(), column(), column(), column()] as const;
  const crc32 = new Uint32Array(count);
  const flags = new Uint8Array(count);
  return {
    count,
    at,
    offset,
    descriptor: (index) => descriptors[(flags[index] ?? 0) >> 1] ?? 'none',
    entry: (index, name) => ({
      name,
      size: size[index] ?? 0,
      packed: packed[index] ?? 0,
      crc32: crc32[index] ?? 0,
      deflated: ((flags[index] ?? 0) & 1) === 1,
      start: start[index] ?? 0,
    }),
    set(index, place, entry, local) {
      at[index] = place;
      offset[index] = entry.relativeOffsetOfLocalHeader;
      start[index] = local.fileDataStart;
      packed[index] = entry.compressedSize;
      size[index] = entry.uncompressedSize;
      crc32[index] = entry.crc32;
      flags[index] =
        (descriptors.indexOf(descriptorOf(entry, local)) << 1) | Number(entry.compressionMethod === deflate);
    },
  };
}

function storedEntryOf(entry: Entry, name: string, start: number): StoredEntry {
  const { uncompressedSize: size, compressedSize: packed, crc32 } = entry;
  return { name, size, packed, crc32, deflated: entry.compressionMethod === deflate, start };
}

function faultOfEntry(entry: Entry, name: string): ArchiveFault | null {
  const ofName = defectOfName(name);
  if (ofName !== null) return invalid({ kind: 'name', name, defect: ofName });
  const defect = defectOfEntry(entry, name.endsWith('/'));
  return defect === null ? null : invalid({ kind: 'entry', name, defect });
}

function defectOfEntry(entry: Entry, isFolder: boolean): EntryDefect | null {
  if ((entry.generalPurposeBitFlag & encrypted) !== 0) return 'encrypted';
  if (!entry.canDecodeFileData()) return 'compression';
  // the file type of Unix, whatever system made the archive; 0 if there is none
  const type = entry.externalFileAttributes >>> 28;
  if (type !== 0 && type !== (isFolder ? 0o4 : 0o10)) return 'link-or-device';
  if (isFolder && entry.uncompressedSize > 0) return 'folder-with-content';
  const sizeFields = entry.extraFields.filter(({ id }) => id === zip64Field).length;
  if (sizeFields > 1) return 'two-sizes';
  const hasSize = entry.uncompressedSize !== inExtra || sizeFields === 1;
  return hasSize && Number.isSafeInteger(entry.uncompressedSize) ? null : 'no-size';
}

/**
 * The fault of an archive that exceeds the limits; null if it does not. It reads no archive.
 * @param archive the number of its entries, their bytes before compression, and the bytes of its file
 */
export function faultOfArchiveSize(
  { entries, bytes, packed }: { readonly entries: number; readonly bytes: number; readonly packed: number },
  limits: ArchiveLimits,
): ArchiveFault | null {
  return faultOfCount(entries, limits) ?? faultOfSize(bytes, packed, limits);
}

function faultOfCount(entries: number, { entries: limit }: ArchiveLimits): ArchiveFault | null {
  return entries <= limit ? null : { kind: 'too-large', exceeded: { kind: 'entries', entries, limit } };
}

/** The limit applies to the whole file: a blank picture may be compressed a thousand times and is no ZIP bomb. */
function faultOfSize(bytes: number, file: number, limits: ArchiveLimits): ArchiveFault | null {
  if (bytes > limits.bytes) return { kind: 'too-large', exceeded: { kind: 'unpacked', limit: limits.bytes } };
  if (bytes <= smallestForRatio || bytes <= file * limits.ratio) return null;
  return { kind: 'too-large', exceeded: { kind: 'ratio', limit: limits.ratio } };
}
