import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import {
  RandomAccessReader,
  type Entry,
  type LocalFileHeader,
  parseExtraFields,
  fromRandomAccessReaderPromise,
  getFileNameLowLevel,
  type ZipFile,
} from 'yauzl';
import type { ArchiveLimits } from '../config/config.ts';
import type { ArchiveFault } from '../errors/failure.ts';
import { shown } from '../platform/printable.ts';
import { takeTurns } from '../platform/take-turns.ts';
import { faultOfName } from './entry-names.ts';
import { invalid, archiveRejected } from './archive-error.ts';

/** An entry as the central directory describes it, with what is needed to read its content. */
export interface StoredMember {
  /** The name of a folder ends with a slash. */
  readonly name: string;
  /** Bytes before compression. */
  readonly size: number;
  /** Bytes in the archive. */
  readonly packed: number;
  readonly crc32: number;
  readonly deflated: boolean;
  /** Where its content begins in the file. */
  readonly start: number;
}

/**
 * The central directory of an archive. Memory holds about 50 bytes for each entry; its name is read from the file
 * again whenever it is needed.
 */
export interface Directory {
  /** The number of entries. */
  readonly count: number;
  /** The names of all entries, in the order of the directory. @throws Error if the file cannot be read any more */
  readonly names: () => Generator<string, void, undefined>;
  /** @param name the name for the entry */
  readonly member: (index: number, name: string) => StoredMember;
}

/** Whether a data descriptor with checksum and sizes must follow the content, or may follow it. */
const descriptors = ['none', 'allowed', 'needed'] as const;
type Descriptor = (typeof descriptors)[number];

// bits of the general purpose flag ("APPNOTE.TXT – .ZIP File Format Specification", 4.4.4)
const encrypted = 0x0001 | 0x0040 | 0x2000;
const followed = 0x0008;
const utf8 = 0x0800;
/** The compression method deflate; the only other method that is read is "stored" (4.4.5). */
const deflate = 8;
/** The largest value of a 32-bit field: the true value is in a ZIP64 field. */
const inExtra = 0xffff_ffff;
const zip64Field = 1;
/** Bytes: a smaller archive cannot fill a disk, and a small text file of zeros has a high ratio. */
const ratioCounts = 1_000_000;

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
    if (zip.entryCount > size / 46) throw new Error('it has fewer members than its end says');
    const table = openTable(zip.entryCount);
    const slashes = openSlashes();
    const pause = takeTurns();
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
    if (mixed !== null) refuse(invalid(`the name of a member has a backslash: ${shown(mixed)}`));
    refuse(faultOfEnd(reader, { zip, size, start, end: cursorOf(zip) }));
    refuse(faultOfOrder(reader, table, start));
    return { count: table.count, names: () => namesOf(file, table), member: table.member };
  } finally {
    reader.end();
  }
}

function* namesOf(file: string, table: Table): Generator<string, void, undefined> {
  const reader = openReader(file);
  try {
    for (let index = 0; index < table.count; index++) yield nameAt(reader, table.at[index] ?? 0);
  } finally {
    reader.end();
  }
}

/** The name in a record of the directory that was checked before. */
function nameAt(reader: FileReader, at: number): string {
  const record = reader.bytes(at, 46);
  const [flags, length, extra] = [8, 28, 30].map((place) => record.readUInt16LE(place));
  const bytes = reader.bytes(at + 46, (length ?? 0) + (extra ?? 0));
  const fields = parseExtraFields(bytes.subarray(length));
  return openSlashes().turn(getFileNameLowLevel((flags ?? 0) | utf8, bytes.subarray(0, length), fields, true));
}

/** Finds one entry without checking the others. @returns null if there is no entry of that name */
export async function findMember(file: string, wanted: string): Promise<StoredMember | null> {
  const reader = openReader(file);
  try {
    const zip = await openZip(reader);
    const pause = takeTurns();
    for (let index = 0; index < zip.entryCount; index++) {
      await pause();
      const entry = readEntry(zip);
      const name = entryNameOf(entry);
      if (name === wanted && faultOfEntry(entry, name) === null)
        return memberOf(entry, name, readLocalHeader(zip, entry).fileDataStart);
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
  if (found.entry === undefined) throw new Error('a member has no name');
  return found.entry;
}

function readLocalHeader(zip: ZipFile, entry: Entry): LocalFileHeader {
  const found: { header?: LocalFileHeader; error?: Error | null } = {};
  zip.readLocalFileHeader(entry, (error, header) => Object.assign(found, { error, header }));
  if (found.error) throw found.error;
  if (found.header === undefined) throw new Error('a member has no name in its own header');
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

/** What memory holds of each entry. */
interface Table extends Pick<Directory, 'count' | 'member'> {
  /** Where its record in the directory begins. */
  readonly at: Float64Array;
  /** Where its own header begins. */
  readonly offset: Float64Array;
  readonly descriptor: (index: number) => Descriptor;
  readonly set: (index: number, at: number, entry: Entry, local: LocalFileHeader) => void;
}

function openTable(count: number): Table {
  const column = (): Float64Array => new Float64Array(count);
  const [at, offset, start, packed, size] = [column(), column(), column(), column(), column()] as const;
  const crc32 = new Uint32Array(count);
  const flags = new Uint8Array(count);
  return {
    count,
    at,
    offset,
    descriptor: (index) => descriptors[(flags[index] ?? 0) >> 1] ?? 'none',
    member: (index, name) => ({
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

function memberOf(entry: Entry, name: string, start: number): StoredMember {
  const { uncompressedSize: size, compressedSize: packed, crc32 } = entry;
  return { name, size, packed, crc32, deflated: entry.compressionMethod === deflate, start };
}

/** Some programs announce a data descriptor but write all values into the header. */
function descriptorOf(entry: Entry, { compressedSize }: LocalFileHeader): Descriptor {
  if ((entry.generalPurposeBitFlag & followed) === 0) return 'none';
  return compressedSize === 0 && entry.compressedSize > 0 ? 'needed' : 'allowed';
}

function faultOfEntry(entry: Entry, name: string): ArchiveFault | null {
  const fault = faultOfName(name);
  if (fault !== null) return invalid(fault);
  if ((entry.generalPurposeBitFlag & encrypted) !== 0) return invalid(`the member ${shown(name)} is encrypted`);
  if (!entry.canDecodeFileData()) return invalid(`the member ${shown(name)} is packed in a way that is not supported`);
  // the file type of Unix, whatever system made the archive; 0 if there is none
  const type = entry.externalFileAttributes >>> 28;
  const folder = name.endsWith('/');
  if (type !== 0 && type !== (folder ? 0o4 : 0o10)) {
    return invalid(`the member ${shown(name)} is neither a file nor a folder, but a link or a device`);
  }
  if (folder && entry.uncompressedSize > 0) return invalid(`the folder ${shown(name)} has a content of its own`);
  if (entry.extraFields.filter(({ id }) => id === zip64Field).length > 1) {
    return invalid(`the member ${shown(name)} says twice how large it is`);
  }
  const complete = entry.uncompressedSize !== inExtra || entry.extraFields.some(({ id }) => id === zip64Field);
  if (!complete || !Number.isSafeInteger(entry.uncompressedSize)) {
    return invalid(`the member ${shown(name)} does not say how large it is`);
  }
  return null;
}

/**
 * Why an archive is refused as too large that was not read.
 * @param archive its members, the bytes of all of them, and those of its file
 */
export function faultOfExtent(
  { members, bytes, packed }: { readonly members: number; readonly bytes: number; readonly packed: number },
  limits: ArchiveLimits,
): ArchiveFault | null {
  return faultOfCount(members, limits) ?? faultOfSize(bytes, packed, limits);
}

function faultOfCount(count: number, { entries }: ArchiveLimits): ArchiveFault | null {
  if (count <= entries) return null;
  const reason = `it has ${count} members, and TT_ARCHIVE_MAX_ENTRIES allows ${entries}`;
  return { kind: 'too-large', reason, variable: 'TT_ARCHIVE_MAX_ENTRIES' };
}

/** The limit applies to the whole file: a blank picture may be compressed a thousand times and is no ZIP bomb. */
function faultOfSize(bytes: number, file: number, limits: ArchiveLimits): ArchiveFault | null {
  if (bytes > limits.bytes) {
    const reason = `it holds more than the ${limits.bytes / 1_000_000_000} GB that TT_ARCHIVE_MAX_GIGABYTES allows`;
    return { kind: 'too-large', reason, variable: 'TT_ARCHIVE_MAX_GIGABYTES' };
  }
  if (bytes <= ratioCounts || bytes <= file * limits.ratio) return null;
  const reason = `once unpacked it is more than ${limits.ratio} times larger, which is all that TT_ARCHIVE_MAX_RATIO allows`;
  return { kind: 'too-large', reason, variable: 'TT_ARCHIVE_MAX_RATIO' };
}

interface Bounds {
  readonly zip: ZipFile;
  /** Bytes of the file. */
  readonly size: number;
  /** Where the directory begins and ends. */
  readonly start: number;
  readonly end: number;
}

/**
 * Checks that the end record describes exactly the directory that was read: programs that use other fields would
 * otherwise see another archive (the same specification, 4.3.14 to 4.3.16).
 */
function faultOfEnd(reader: FileReader, { zip, size, start, end }: Bounds): ArchiveFault | null {
  const fault = invalid('its directory and its end contradict each other');
  const last = size - 22 - zip.comment.length;
  const record = reader.bytes(last, 22);
  const says = (value: number, actual: number, most: number): boolean => value === actual || value === most;
  const agrees =
    says(record.readUInt16LE(8), zip.entryCount, 0xffff) &&
    says(record.readUInt16LE(10), zip.entryCount, 0xffff) &&
    says(record.readUInt32LE(12), end - start, inExtra) &&
    says(record.readUInt32LE(16), start, inExtra);
  if (!agrees) return fault;
  if (end === last) return null;
  // only the records of ZIP64 may stand between them
  if (last - end < 76) return fault;
  const large = reader.bytes(end, 56);
  const [length, onDisk, count, bytes, offset] = [4, 24, 32, 40, 48].map((at) => Number(large.readBigUInt64LE(at)));
  const locator = reader.bytes(last - 20, 20);
  const whole = large.readUInt32LE(0) === 0x06064b50 && locator.readUInt32LE(0) === 0x07064b50;
  const true64 = onDisk === zip.entryCount && count === zip.entryCount && bytes === end - start && offset === start;
  const placed = (length ?? 0) + 12 === last - 20 - end && Number(locator.readBigUInt64LE(8)) === end;
  return whole && true64 && placed ? null : fault;
}

/** Compares an entry's own header with the directory: programs that use the one or the other must see the same. */
function faultOfLocalHeader(entry: Entry, local: LocalFileHeader, name: string): ArchiveFault | null {
  if (!local.fileName.equals(entry.fileNameRaw)) {
    return invalid(`the member ${shown(name)} has another name in its own header: ${shown(String(local.fileName))}`);
  }
  const known = (value: number, actual: number): boolean =>
    value === actual || (value === 0 && (local.generalPurposeBitFlag & followed) !== 0);
  const { size, packed } = sizesOf(local);
  const agrees =
    local.compressionMethod === entry.compressionMethod &&
    (local.generalPurposeBitFlag & encrypted) === 0 &&
    known(local.crc32, entry.crc32) &&
    known(size, entry.uncompressedSize) &&
    known(packed, entry.compressedSize);
  return agrees ? null : invalid(`the member ${shown(name)} is described otherwise in its own header`);
}

/** Bytes before and after compression; large values are in the ZIP64 field, in this order. */
function sizesOf({ uncompressedSize, compressedSize, extraField }: LocalFileHeader): { size: number; packed: number } {
  const field = parseExtraFields(extraField).find(({ id }) => id === 1)?.data ?? Buffer.alloc(0);
  const values = [0, 8].map((at) => (at + 8 <= field.length ? Number(field.readBigUInt64LE(at)) : null));
  const take = (value: number): number => (value === inExtra ? (values.shift() ?? value) : value);
  return { size: take(uncompressedSize), packed: take(compressedSize) };
}

/** The optional signature of a data descriptor: 'PK\x07\x08'. */
const signature = 0x08074b50;

/**
 * Checks that the entries follow one another without gaps: the first begins at the beginning of the file, and the
 * directory follows the last. Entries that share bytes would turn a small file into an endless archive, and some
 * programs read bytes that belong to no entry.
 * @param directory where it begins
 */
function faultOfOrder(
  reader: FileReader,
  { count, offset, member, descriptor, at }: Table,
  directory: number,
): ArchiveFault | null {
  const inOrder = Uint32Array.from({ length: count }, (_, index) => index);
  inOrder.sort((one, other) => (offset[one] ?? 0) - (offset[other] ?? 0));
  const beginOf = (position: number): number => offset[inOrder[position] ?? -1] ?? directory;
  const named = (position: number): string => shown(nameAt(reader, at[inOrder[position] ?? -1] ?? 0));
  if (beginOf(0) > 0) return invalid('something stands before its first member');
  for (const [position, index] of inOrder.entries()) {
    const { start, packed, size, crc32 } = member(index, '');
    const [end, next] = [start + packed, beginOf(position + 1)];
    if (position + 1 < count && next < end) return invalid(`the member ${named(position + 1)} overlaps another one`);
    if (end > directory) return invalid(`the member ${named(position)} reaches beyond the end of the members`);
    if (follows(reader, { end, packed, size, crc32, descriptor: descriptor(index) }, next - end)) continue;
    return invalid(`what follows the member ${named(position)} does not belong there`);
  }
  return null;
}

/**
 * Whether the bytes behind an entry are its data descriptor; none are allowed where no descriptor is required
 * ("APPNOTE.TXT – .ZIP File Format Specification", 4.3.9: with or without a signature, with sizes of 4 or of 8 bytes).
 */
function follows(
  reader: FileReader,
  {
    end,
    packed,
    size,
    crc32,
    descriptor,
  }: Pick<StoredMember, 'packed' | 'size' | 'crc32'> & {
    readonly end: number;
    readonly descriptor: Descriptor;
  },
  length: number,
): boolean {
  if (length === 0) return descriptor !== 'needed';
  if (descriptor === 'none' || ![12, 16, 20, 24].includes(length)) return false;
  const bytes = reader.bytes(end, length);
  const signed = length % 8 === 0;
  if (signed && bytes.readUInt32LE(0) !== signature) return false;
  const record = bytes.subarray(signed ? 4 : 0);
  const [packedThere, sizeThere] =
    record.length === 12
      ? [record.readUInt32LE(4), record.readUInt32LE(8)]
      : [Number(record.readBigUInt64LE(4)), Number(record.readBigUInt64LE(12))];
  return record.readUInt32LE(0) === crc32 && packedThere === packed && sizeThere === size;
}

/** Bytes for each read: consecutive requests are close together. */
const pageSize = 8192;
/** Reading alternates between the directory and the entries' own headers. */
const pagesKept = 2;

interface Page {
  readonly start: number;
  readonly bytes: Buffer;
}

/**
 * Reads a file for yauzl, synchronously. An archive may name any position; a position outside of the file is an
 * ordinary error.
 */
class FileReader extends RandomAccessReader {
  readonly #file: number;
  /** Bytes of the file. */
  readonly size: number;
  /** The block that was used last is the last one. */
  #pages: readonly Page[] = [];

  constructor(file: number, size: number) {
    super();
    this.#file = file;
    this.size = size;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    let failed: Error | null = null;
    try {
      this.bytes(position, length).copy(buffer, offset);
    } catch (error) {
      failed = error instanceof Error ? error : new Error(String(error));
    }
    callback(failed);
  }

  /** @throws Error if the file has no such bytes */
  bytes(position: number, length: number): Buffer {
    if (!Number.isSafeInteger(position) || position + length > this.size) {
      throw new Error('it names a place outside of the file');
    }
    const known = this.#pages.find(
      ({ start, bytes }) => start <= position && position + length <= start + bytes.length,
    );
    const page = known ?? this.#readPage(position, length);
    if (page !== this.#pages.at(-1)) {
      this.#pages = [...this.#pages.filter((other) => other !== page), page].slice(-pagesKept);
    }
    return page.bytes.subarray(position - page.start, position - page.start + length);
  }

  #readPage(start: number, length: number): Page {
    const bytes = Buffer.allocUnsafeSlow(Math.min(Math.max(length, pageSize), this.size - start));
    for (let done = 0; done < bytes.length;) {
      const count = readSync(this.#file, bytes, done, bytes.length - done, start + done);
      if (count === 0) throw new Error('the file ends early');
      done += count;
    }
    return { start, bytes };
  }

  /** yauzl calls `close` whenever it has nothing to read, so `close` does nothing. */
  end(): void {
    closeSync(this.#file);
  }
}

function openReader(file: string): FileReader {
  const descriptor = openSync(file, 'r');
  return new FileReader(descriptor, fstatSync(descriptor).size);
}
