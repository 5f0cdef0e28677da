import { type Entry, type LocalFileHeader, parseExtraFields } from 'yauzl';
import type { ArchiveFault } from '../errors/failure.ts';
import { shown } from '../platform/printable.ts';
import { invalid } from './archive-error.ts';

/** The checksum and the sizes follow the content; the header has nothing, or the same. */
const followed = 0x0008;
const encrypted = 0x0001;
const inExtra = 0xffff_ffff;

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
