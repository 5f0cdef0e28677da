import { callbackify } from 'node:util';
import {
  RandomAccessReader,
  type Entry,
  type LocalFileHeader,
  parseExtraFields,
  fromRandomAccessReaderPromise,
  getFileNameLowLevel,
  type ZipFile,
} from 'yauzl';
import type { FileHandle } from 'node:fs/promises';
import type { ArchiveLimits } from '../config/config.ts';
import type { ArchiveFault } from '../errors/failure.ts';
import { shown } from '../platform/printable.ts';
import { faultOfName } from './entry-names.ts';
import { invalid, archiveRejected } from './archive-error.ts';

/** A member as the directory of an archive describes it. */
export interface StoredMember {
  /** A folder's ends with a slash. */
  readonly name: string;
  /** Bytes before compression. */
  readonly size: number;
  /** Bytes in the archive. */
  readonly packed: number;
  readonly crc32: number;
  readonly deflated: boolean;
  /** Where its header begins in the file. */
  readonly offset: number;
  /** Where its content begins in the file. */
  readonly start: number;
  /** Whether checksum and sizes have to follow the content once more, or may. */
  readonly descriptor: 'none' | 'allowed' | 'needed';
}

/** What it takes to read its content. */
export type PlainMember = Omit<StoredMember, 'descriptor'>;

// bits of the general purpose flag ("APPNOTE.TXT – .ZIP File Format Specification", 4.4.4)
const encrypted = 0x0001 | 0x0040 | 0x2000;
const followed = 0x0008;
const utf8 = 0x0800;
/** The way of packing; the other one that is read is none at all (4.4.5). */
const deflate = 8;
/** The largest value of a 32-bit field: the true one stands in a ZIP64 field. */
const inExtra = 0xffff_ffff;
const zip64Field = 1;
/** What is smaller cannot fill a disk; a text file of a few zeros is packed very well. */
const ratioCounts = 1_000_000;

/**
 * Lists the members of an archive, each compared with its own header. Nothing is unpacked.
 * @throws Failure `archive-rejected` at the first one that is wrong or too much, or an Error of the ZIP reader
 */
export async function readDirectory(file: string, handle: FileHandle, limits: ArchiveLimits): Promise<StoredMember[]> {
  const { size } = await handle.stat();
  const reader = new FileReader(handle, size);
  const zip = await openZip(reader, size);
  const start = cursorOf(zip);
  const members: StoredMember[] = [];
  const names = openNames();
  let bytes = 0;
  const refuse = (fault: ArchiveFault | null): void => {
    if (fault !== null) throw archiveRejected(file, fault);
  };
  refuse(faultOfCount(zip.entryCount, limits));
  for await (const entry of zip.eachEntry()) {
    const name = names.of(entry);
    refuse(faultOfEntry(entry, name));
    refuse(faultOfSize((bytes += entry.uncompressedSize), size, limits));
    const local = await zip.readLocalFileHeaderPromise(entry);
    refuse(faultOfLocalHeader(entry, local, name));
    members.push({ ...memberOf(entry, name, local.fileDataStart), descriptor: descriptorOf(entry, local) });
  }
  const mixed = names.mixed();
  if (mixed !== null) refuse(invalid(`the name of a member has a backslash: ${shown(mixed)}`));
  refuse(await faultOfEnd(reader, { zip, size, start, end: cursorOf(zip) }));
  refuse(await faultOfOrder(reader, members, start));
  return members;
}

/** Finds one member without looking at the others. @returns null if there is none of that name */
export async function findMember(handle: FileHandle, wanted: string): Promise<PlainMember | null> {
  const { size } = await handle.stat();
  const zip = await openZip(new FileReader(handle, size), size);
  for await (const entry of zip.eachEntry()) {
    const name = entryNameOf(entry);
    if (name !== wanted || faultOfEntry(entry, name) !== null) continue;
    const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
    return memberOf(entry, name, fileDataStart);
  }
  return null;
}

/** The names are decoded and judged here, not by yauzl, which turns backslashes. */
function openZip(reader: FileReader, size: number): Promise<ZipFile> {
  return fromRandomAccessReaderPromise(reader, size, { autoClose: false, decodeStrings: false });
}

/** Where the next record of the directory begins: a number, though the types say otherwise. */
function cursorOf(zip: ZipFile): number {
  return Number(zip.readEntryCursor);
}

/** Archives say which names are UTF-8; for those that do not, too, nothing else is worth a guess. */
function entryNameOf({ generalPurposeBitFlag, fileNameRaw, extraFields }: Entry): string {
  return getFileNameLowLevel(generalPurposeBitFlag | utf8, fileNameRaw, extraFields, true);
}

interface Names {
  readonly of: (entry: Entry) => string;
  /** A name whose backslashes cannot be meant as slashes, because others have slashes; null if there is none. */
  readonly mixed: () => string | null;
}

/** Windows PowerShell 5 (`Compress-Archive`) and .NET before 4.6.1 write backslashes, and then in all names. */
function openNames(): Names {
  let turned: string | null = null;
  let slashes = false;
  return {
    of(entry) {
      const name = entryNameOf(entry);
      slashes ||= name.includes('/');
      const asPath = name.replaceAll('\\', '/');
      if (name === asPath || name.includes('/') || faultOfName(asPath) !== null) return name;
      turned ??= name;
      return asPath;
    },
    mixed: () => (slashes ? turned : null),
  };
}

function memberOf(entry: Entry, name: string, start: number): PlainMember {
  const { uncompressedSize: size, compressedSize: packed, crc32, relativeOffsetOfLocalHeader: offset } = entry;
  return { name, size, packed, crc32, deflated: entry.compressionMethod === deflate, offset, start };
}

/** Some programs announce the record and then write everything into the header instead. */
function descriptorOf(entry: Entry, { compressedSize }: LocalFileHeader): StoredMember['descriptor'] {
  if ((entry.generalPurposeBitFlag & followed) === 0) return 'none';
  return compressedSize === 0 && entry.compressedSize > 0 ? 'needed' : 'allowed';
}

function faultOfEntry(entry: Entry, name: string): ArchiveFault | null {
  const fault = faultOfName(name);
  if (fault !== null) return invalid(fault);
  if ((entry.generalPurposeBitFlag & encrypted) !== 0) return invalid(`the member ${shown(name)} is encrypted`);
  if (!entry.canDecodeFileData()) return invalid(`the member ${shown(name)} is packed in a way that is not supported`);
  // the file's type as Unix has it, wherever the archive was made; 0 if it does not say
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

function faultOfCount(count: number, { entries }: ArchiveLimits): ArchiveFault | null {
  if (count <= entries) return null;
  const reason = `it has ${count} members, and TT_ARCHIVE_MAX_ENTRIES allows ${entries}`;
  return { kind: 'too-large', reason, variable: 'TT_ARCHIVE_MAX_ENTRIES' };
}

/** A blank picture is packed a thousand times smaller and is no bomb: what counts is what the file as a whole becomes. */
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
 * The end of the archive must describe the directory that was read, as the whole of it: readers that go by other
 * fields would see another archive (the same specification, 4.3.14 to 4.3.16).
 */
async function faultOfEnd(reader: FileReader, { zip, size, start, end }: Bounds): Promise<ArchiveFault | null> {
  const fault = invalid('its directory and its end contradict each other');
  const last = size - 22 - zip.comment.length;
  const record = await reader.bytes(last, 22);
  const says = (value: number, actual: number, most: number): boolean => value === actual || value === most;
  const agrees =
    says(record.readUInt16LE(8), zip.entryCount, 0xffff) &&
    says(record.readUInt16LE(10), zip.entryCount, 0xffff) &&
    says(record.readUInt32LE(12), end - start, inExtra) &&
    says(record.readUInt32LE(16), start, inExtra);
  if (!agrees) return fault;
  if (end === last) return null;
  // the records of ZIP64 may stand between, and nothing else
  if (last - end < 76) return fault;
  const large = await reader.bytes(end, 56);
  const [length, onDisk, count, bytes, offset] = [4, 24, 32, 40, 48].map((at) => Number(large.readBigUInt64LE(at)));
  const locator = await reader.bytes(last - 20, 20);
  const whole = large.readUInt32LE(0) === 0x06064b50 && locator.readUInt32LE(0) === 0x07064b50;
  const true64 = onDisk === zip.entryCount && count === zip.entryCount && bytes === end - start && offset === start;
  const placed = (length ?? 0) + 12 === last - 20 - end && Number(locator.readBigUInt64LE(8)) === end;
  return whole && true64 && placed ? null : fault;
}

/** The checksum and the sizes follow the content; the header has nothing, or the same. */

/** Compares a member's own header with the directory: readers that go by the one or by the other must see the same. */
export function faultOfLocalHeader(entry: Entry, local: LocalFileHeader, name: string): ArchiveFault | null {
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

/** Bytes before and after compression; large ones stand in the field of ZIP64, in this order. */
function sizesOf({ uncompressedSize, compressedSize, extraField }: LocalFileHeader): { size: number; packed: number } {
  const field = parseExtraFields(extraField).find(({ id }) => id === 1)?.data ?? Buffer.alloc(0);
  const values = [0, 8].map((at) => (at + 8 <= field.length ? Number(field.readBigUInt64LE(at)) : null));
  const take = (value: number): number => (value === inExtra ? (values.shift() ?? value) : value);
  return { size: take(uncompressedSize), packed: take(compressedSize) };
}

/** What may precede the record that follows a member's content: 'PK\x07\x08'. */
const signature = 0x08074b50;

/**
 * Compares the places of members with one another: each begins where the one before it ends, the first at the
 * beginning, and the directory follows the last. Members that share bytes are how a small file becomes an endless
 * archive; bytes of no member are read by some programs all the same.
 * @param directory where it begins
 */
export async function faultOfOrder(
  reader: FileReader,
  members: readonly StoredMember[],
  directory: number,
): Promise<ArchiveFault | null> {
  const inOrder = members.toSorted((one, other) => one.offset - other.offset);
  if ((inOrder[0]?.offset ?? directory) > 0) return invalid('something stands before its first member');
  for (const [index, member] of inOrder.entries()) {
    const end = member.start + member.packed;
    const next = inOrder[index + 1];
    if (next !== undefined && next.offset < end) return invalid(`the member ${shown(next.name)} overlaps another one`);
    if (end > directory) return invalid(`the member ${shown(member.name)} reaches beyond the end of the members`);
    if (await follows(reader, member, (next?.offset ?? directory) - end)) continue;
    return invalid(`what follows the member ${shown(member.name)} does not belong there`);
  }
  return null;
}

/**
 * Whether the bytes behind a member are its data descriptor, or none where there need not be one ("APPNOTE.TXT – .ZIP
 * File Format Specification", 4.3.9: with or without a signature, with sizes of 4 or of 8 bytes).
 */
async function follows(reader: FileReader, member: StoredMember, length: number): Promise<boolean> {
  const { descriptor, start, packed, size, crc32 } = member;
  if (length === 0) return descriptor !== 'needed';
  if (descriptor === 'none' || ![12, 16, 20, 24].includes(length)) return false;
  const bytes = await reader.bytes(start + packed, length);
  const signed = length % 8 === 0;
  if (signed && bytes.readUInt32LE(0) !== signature) return false;
  const record = bytes.subarray(signed ? 4 : 0);
  const [packedThere, sizeThere] =
    record.length === 12
      ? [record.readUInt32LE(4), record.readUInt32LE(8)]
      : [Number(record.readBigUInt64LE(4)), Number(record.readBigUInt64LE(12))];
  return record.readUInt32LE(0) === crc32 && packedThere === packed && sizeThere === size;
}

/** Bytes that are read at a time: what is asked for lies close together. */
const pageSize = 8192;
/** The directory of an archive and the members' own headers are read in turns. */
const pagesKept = 2;

interface Page {
  readonly start: number;
  readonly bytes: Buffer;
}

/** Lets yauzl read a file. It asks for whatever place an archive names: a wild one is an error like any other. */
export class FileReader extends RandomAccessReader {
  readonly #handle: FileHandle;
  readonly #size: number;
  /** The one that was used last comes last. */
  #pages: readonly Page[] = [];

  /** @param size bytes of the file */
  constructor(handle: FileHandle, size: number) {
    super();
    this.#handle = handle;
    this.#size = size;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    const copy = async (): Promise<void> => void (await this.bytes(position, length)).copy(buffer, offset);
    callbackify(copy)(callback);
  }

  /** @throws Error if the file has no such bytes */
  async bytes(position: number, length: number): Promise<Buffer> {
    if (!Number.isSafeInteger(position) || position + length > this.#size) {
      throw new Error('it names a place outside of the file');
    }
    const known = this.#pages.find(
      ({ start, bytes }) => start <= position && position + length <= start + bytes.length,
    );
    const page = known ?? (await this.#readPage(position, length));
    this.#pages = [...this.#pages.filter((other) => other !== page), page].slice(-pagesKept);
    return page.bytes.subarray(position - page.start, position - page.start + length);
  }

  async #readPage(start: number, length: number): Promise<Page> {
    const bytes = Buffer.alloc(Math.min(Math.max(length, pageSize), this.#size - start));
    const { bytesRead } = await this.#handle.read(bytes, 0, bytes.length, start);
    if (bytesRead < bytes.length) throw new Error('the file ends early');
    return { start, bytes };
  }
}
