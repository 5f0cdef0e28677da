import type { ArchiveFault } from '../errors/failure.ts';
import { shown } from '../platform/printable.ts';
import type { StoredMember } from './central-directory.ts';
import type { FileReader } from './file-reader.ts';
import { invalid } from './archive-error.ts';

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
