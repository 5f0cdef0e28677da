import type { ZipFile } from 'yauzl';
import type { ArchiveFault } from '../errors/obstacles.ts';
import type { EntryDefect } from '../model/archive-defect.ts';
import { invalid } from './archive-error.ts';
import { type DirectoryRecord, haveSameName, inExtra, type LocalHeader } from './entry-records.ts';
import type { FileReader } from './file-reader.ts';

/** An entry as the central directory describes it, with what is needed to read its content. */
export interface StoredEntry {
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

/** Whether a data descriptor with checksum and sizes must follow the content, or may follow it. */
export const descriptors = ['none', 'allowed', 'needed'] as const;
type Descriptor = (typeof descriptors)[number];

// bits of the general purpose flag ("APPNOTE.TXT – .ZIP File Format Specification", 4.4.4)
export const encrypted = 0x0001 | 0x0040 | 0x2000;
const followed = 0x0008;

/** The facts of all entries that stay in memory. */
export interface EntryTable {
  readonly count: number;
  readonly entry: (index: number, name: string) => StoredEntry;
  /** The position of its directory record in the file. */
  readonly at: Float64Array;
  /** The position of its local header in the file. */
  readonly offset: Float64Array;
  readonly descriptor: (index: number) => Descriptor;
  /** Whether its name is in a field of its own. */
  readonly hasUnicodeName: (index: number) => boolean;
  readonly set: (index: number, at: number, record: DirectoryRecord, local: LocalHeader) => void;
}

/** Some programs announce a data descriptor but write all values into the header. */
export function descriptorOf({ flags, packed }: DirectoryRecord, local: LocalHeader): Descriptor {
  if ((flags & followed) === 0) return 'none';
  return local.packed === 0 && packed > 0 ? 'needed' : 'allowed';
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
export function faultOfEnd(reader: FileReader, { zip, size, start, end }: Bounds): ArchiveFault | null {
  const fault = invalid({ kind: 'end-record' });
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

/** Compares the local header of an entry with the directory: programs may read either, and must see the same. */
export function faultOfLocalHeader(record: DirectoryRecord, local: LocalHeader, name: string): ArchiveFault | null {
  if (!haveSameName(record.nameBytes, local.nameBytes)) {
    const { page, at, length } = local.nameBytes;
    return invalid({ kind: 'local-name', name, local: page.toString('utf8', at, at + length) });
  }
  const known = (value: number, actual: number): boolean =>
    value === actual || (value === 0 && (local.flags & followed) !== 0);
  const agrees =
    local.method === record.method &&
    (local.flags & encrypted) === 0 &&
    known(local.crc32, record.crc32) &&
    known(local.size, record.size) &&
    known(local.packed, record.packed);
  return agrees ? null : invalid({ kind: 'entry', name, defect: 'local-header' });
}

/** The optional signature of a data descriptor: 'PK\x07\x08'. */
const signature = 0x08074b50;

/**
 * Checks that the entries follow one another without gaps: the first begins at the beginning of the file, and the
 * directory follows the last. Entries that share bytes would turn a small file into an endless archive, and some
 * programs read bytes that belong to no entry.
 * @param directory the position of the directory in the file
 * @param nameOf reads the name of an entry
 */
export function faultOfOrder(
  reader: FileReader,
  { count, offset, entry, descriptor }: EntryTable,
  directory: number,
  nameOf: (index: number) => string,
): ArchiveFault | null {
  const inOrder = Uint32Array.from(offset.keys());
  // nearly all archives have the order of their directory
  const isSorted = offset.every((value, index) => index === 0 || (offset[index - 1] ?? 0) <= value);
  if (!isSorted) inOrder.sort((one, other) => (offset[one] ?? 0) - (offset[other] ?? 0));
  const beginOf = (position: number): number => offset[inOrder[position] ?? -1] ?? directory;
  const fault = (position: number, defect: EntryDefect): ArchiveFault =>
    invalid({ kind: 'entry', name: nameOf(inOrder[position] ?? -1), defect });
  if (beginOf(0) > 0) return invalid({ kind: 'bytes-before-entries' });
  for (let position = 0; position < count; position++) {
    const index = inOrder[position] ?? -1;
    const { start, packed, size, crc32 } = entry(index, '');
    const [end, next] = [start + packed, beginOf(position + 1)];
    if (position + 1 < count && next < end) return fault(position + 1, 'overlap');
    if (end > directory) return fault(position, 'beyond-entries');
    if (follows(reader, { end, packed, size, crc32, descriptor: descriptor(index) }, next - end)) continue;
    return fault(position, 'bytes-behind');
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
  }: Pick<StoredEntry, 'packed' | 'size' | 'crc32'> & {
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
