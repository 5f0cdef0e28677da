import { fromRandomAccessReaderPromise, type ZipFile } from 'yauzl';
import type { ArchiveLimits } from '../config/config.ts';
import type { ArchiveFault } from '../errors/obstacles.ts';
import { createYielder } from '../platform/event-loop.ts';
import type { EntryDefect } from '../model/archive-defect.ts';
import { defectOfName } from './entry-names.ts';
import { invalid, archiveRejected, DefectError } from './archive-error.ts';
import { type FileReader, openReader } from './file-reader.ts';
import { type DirectoryRecord, inExtra, readDirectoryRecord, readLocalHeader, readName } from './entry-records.ts';
import {
  type StoredEntry,
  descriptors,
  encrypted,
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

/** The compression methods that are read (4.4.5). */
const [stored, deflate] = [0, 8];
/** Bytes: a smaller archive cannot fill a disk, and a small text file of zeros has a high ratio. */
const smallestForRatio = 1_000_000;

/**
 * Reads the central directory of an archive and compares each entry with its own header. Unpacks nothing.
 * @param onName called with the name of each entry
 * @throws Failure `archive-rejected` at the first entry that is wrong or exceeds a limit, or an Error of the ZIP reader
 */
export async function readDirectory(
  file: string,
  limits: ArchiveLimits,
  onName: (name: string) => void = () => undefined,
): Promise<Directory> {
  const reader = openReader(file);
  try {
    const { size } = reader;
    const zip = await openZip(reader);
    const start = beginOf(zip);
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
    let next = start;
    for (let index = 0; index < zip.entryCount; index++) {
      await pause();
      const record = readDirectoryRecord(reader, next);
      const name = slashes.turn(record.name);
      refuse(faultOfEntry(record, name));
      refuse(faultOfSize((bytes += record.size), size, limits));
      const local = readLocalHeader(reader, record.offset);
      refuse(faultOfLocalHeader(record, local, name));
      table.set(index, next, record, local);
      onName(name);
      next = record.next;
    }
    const mixed = slashes.mixed();
    if (mixed !== null) refuse(invalid({ kind: 'name', name: mixed, defect: 'backslash' }));
    refuse(faultOfEnd(reader, { zip, size, start, end: next }));
    refuse(faultOfOrder(reader, table, start, (index) => nameOf(reader, table, index)));
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
      if (wanted(index)) yield [index, nameOf(reader, table, index)];
    }
  } finally {
    reader.end();
  }
}

function nameOf(reader: FileReader, table: EntryTable, index: number): string {
  return openSlashes().turn(readName(reader, table.at[index] ?? 0, table.hasUnicodeName(index)));
}

/** Finds one entry without checking the others. @returns null if there is no entry of that name */
export async function findEntry(file: string, wanted: string): Promise<StoredEntry | null> {
  const reader = openReader(file);
  try {
    const zip = await openZip(reader);
    const pause = createYielder();
    let next = beginOf(zip);
    for (let index = 0; index < zip.entryCount; index++) {
      await pause();
      const record = readDirectoryRecord(reader, next);
      if (record.name === wanted && faultOfEntry(record, wanted) === null)
        return storedEntryOf(record, readLocalHeader(reader, record.offset).start);
      next = record.next;
    }
    return null;
  } finally {
    reader.end();
  }
}

/** Finds the directory. yauzl checks the end of the file only: it does not read entries. */
function openZip(reader: FileReader): Promise<ZipFile> {
  return fromRandomAccessReaderPromise(reader, reader.size, { autoClose: false, decodeStrings: false });
}

/** Where the directory begins. It is a number, although the types do not declare it. */
function beginOf(zip: ZipFile): number {
  return Number(zip.readEntryCursor);
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
    descriptor: (index) => descriptors[(flags[index] ?? 0) & 3] ?? 'none',
    hasUnicodeName: (index) => ((flags[index] ?? 0) & unicodeNameBit) !== 0,
    entry: (index, name) => ({
      name,
      size: size[index] ?? 0,
      packed: packed[index] ?? 0,
      crc32: crc32[index] ?? 0,
      deflated: ((flags[index] ?? 0) & deflatedBit) !== 0,
      start: start[index] ?? 0,
    }),
    set(index, position, record, local) {
      at[index] = position;
      offset[index] = record.offset;
      start[index] = local.start;
      packed[index] = record.packed;
      size[index] = record.size;
      crc32[index] = record.crc32;
      flags[index] =
        descriptors.indexOf(descriptorOf(record, local)) |
        (record.method === deflate ? deflatedBit : 0) |
        (record.extra.hasUnicodeName ? unicodeNameBit : 0);
    },
  };
}

/** Bits that the table keeps for each entry, beside the number of its descriptor. */
const [deflatedBit, unicodeNameBit] = [4, 8];

function storedEntryOf({ name, size, packed, crc32, method }: DirectoryRecord, start: number): StoredEntry {
  return { name, size, packed, crc32, deflated: method === deflate, start };
}

function faultOfEntry(record: DirectoryRecord, name: string): ArchiveFault | null {
  const ofName = defectOfName(name);
  if (ofName !== null) return invalid({ kind: 'name', name, defect: ofName });
  const defect = defectOfEntry(record, name.endsWith('/'));
  return defect === null ? null : invalid({ kind: 'entry', name, defect });
}

function defectOfEntry(
  { flags, method, attributes, size, packed, extra }: DirectoryRecord,
  isFolder: boolean,
): EntryDefect | null {
  if ((flags & encrypted) !== 0) return 'encrypted';
  if (method !== stored && method !== deflate) return 'compression';
  // the file type of Unix, whatever system made the archive; 0 if there is none
  const type = attributes >>> 28;
  if (type !== 0 && type !== (isFolder ? 0o4 : 0o10)) return 'link-or-device';
  if (isFolder && size > 0) return 'folder-with-content';
  if (extra.zip64Count > 1) return 'two-sizes';
  const hasSize = size !== inExtra || extra.zip64 !== null;
  if (!hasSize || !Number.isSafeInteger(size)) return 'no-size';
  return method === stored && packed !== size ? 'stored-size' : null;
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
