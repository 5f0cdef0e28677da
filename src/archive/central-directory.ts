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
import { quoted } from '../platform/printable.ts';
import { createYielder } from '../platform/event-loop.ts';
import { faultOfName } from './entry-names.ts';
import { invalid, archiveRejected } from './archive-error.ts';
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
    if (zip.entryCount > size / 46) throw new Error('it has fewer entries than its end says');
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
    if (mixed !== null) refuse(invalid(`the name of an entry has a backslash: ${quoted(mixed)}`));
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
  if (found.entry === undefined) throw new Error('an entry has no name');
  return found.entry;
}

function readLocalHeader(zip: ZipFile, entry: Entry): LocalFileHeader {
  const found: { header?: LocalFileHeader; error?: Error | null } = {};
  zip.readLocalFileHeader(entry, (error, header) => Object.assign(found, { error, header }));
  if (found.error) throw found.error;
  if (found.header === undefined) throw new Error('an entry has no name in its own header');
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
      if (faultOfName(asPath) !== null) return name;
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
  const fault = faultOfName(name);
  if (fault !== null) return invalid(fault);
  if ((entry.generalPurposeBitFlag & encrypted) !== 0) return invalid(`the entry ${quoted(name)} is encrypted`);
  if (!entry.canDecodeFileData()) return invalid(`the entry ${quoted(name)} is packed in a way that is not supported`);
  // the file type of Unix, whatever system made the archive; 0 if there is none
  const type = entry.externalFileAttributes >>> 28;
  const folder = name.endsWith('/');
  if (type !== 0 && type !== (folder ? 0o4 : 0o10)) {
    return invalid(`the entry ${quoted(name)} is neither a file nor a folder, but a link or a device`);
  }
  if (folder && entry.uncompressedSize > 0) return invalid(`the folder ${quoted(name)} has a content of its own`);
  if (entry.extraFields.filter(({ id }) => id === zip64Field).length > 1) {
    return invalid(`the entry ${quoted(name)} says twice how large it is`);
  }
  const complete = entry.uncompressedSize !== inExtra || entry.extraFields.some(({ id }) => id === zip64Field);
  if (!complete || !Number.isSafeInteger(entry.uncompressedSize)) {
    return invalid(`the entry ${quoted(name)} does not say how large it is`);
  }
  return null;
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

function faultOfCount(count: number, { entries }: ArchiveLimits): ArchiveFault | null {
  if (count <= entries) return null;
  const reason = `it has ${count} entries, and TT_ARCHIVE_MAX_ENTRIES allows ${entries}`;
  return { kind: 'too-large', reason, variable: 'TT_ARCHIVE_MAX_ENTRIES' };
}

/** The limit applies to the whole file: a blank picture may be compressed a thousand times and is no ZIP bomb. */
function faultOfSize(bytes: number, file: number, limits: ArchiveLimits): ArchiveFault | null {
  if (bytes > limits.bytes) {
    const reason = `it holds more than the ${limits.bytes / 1_000_000_000} GB that TT_ARCHIVE_MAX_GIGABYTES allows`;
    return { kind: 'too-large', reason, variable: 'TT_ARCHIVE_MAX_GIGABYTES' };
  }
  if (bytes <= smallestForRatio || bytes <= file * limits.ratio) return null;
  const reason = `once unpacked it is more than ${limits.ratio} times larger, which is all that TT_ARCHIVE_MAX_RATIO allows`;
  return { kind: 'too-large', reason, variable: 'TT_ARCHIVE_MAX_RATIO' };
}
