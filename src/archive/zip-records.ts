/** A member that was written, as the directory describes it. */
export interface WrittenMember {
  readonly name: Buffer;
  readonly modified: Date;
  readonly deflated: boolean;
  /** Where its header begins. */
  readonly offset: number;
  readonly crc32: number;
  /** Bytes before compression. */
  readonly size: number;
  /** Bytes in the archive. */
  readonly packed: number;
}

// signatures and fields of "APPNOTE.TXT – .ZIP File Format Specification", 4.3.7 to 4.3.16
const signatures = { local: 0x04034b50, descriptor: 0x08074b50, entry: 0x02014b50, end: 0x06054b50 };
const signatures64 = { end: 0x06064b50, locator: 0x07064b50 };
/** Size and checksum follow the content; the name is UTF-8. */
const flags = 0x0008 | 0x0800;
/** Unix, version 6.3 of the specification. */
const madeBy = (3 << 8) | 63;
const needs = { plain: 20, zip64: 45 };
/** A plain file that only its owner can read. */
const attributes = (0o100600 << 16) >>> 0;
/** A field that has it is filled elsewhere, in 64 bits. */
const most32 = 0xffff_ffff;
const most16 = 0xffff;

/** What stands before the content of a member. Its size is not known yet. */
export function localHeader(member: Pick<WrittenMember, 'name' | 'modified' | 'deflated'>): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(signatures.local, 0);
  header.writeUInt16LE(needs.plain, 4);
  header.writeUInt16LE(flags, 6);
  header.writeUInt16LE(methodOf(member), 8);
  header.writeUInt32LE(dosTime(member.modified), 10);
  header.writeUInt16LE(member.name.length, 26);
  return Buffer.concat([header, member.name]);
}

/** What follows the content of a member. */
export function descriptor({ crc32, size, packed }: WrittenMember): Buffer {
  const large = size >= most32 || packed >= most32;
  const record = Buffer.alloc(large ? 24 : 16);
  record.writeUInt32LE(signatures.descriptor, 0);
  record.writeUInt32LE(crc32, 4);
  if (large) {
    record.writeBigUInt64LE(BigInt(packed), 8);
    record.writeBigUInt64LE(BigInt(size), 16);
  } else {
    record.writeUInt32LE(packed, 8);
    record.writeUInt32LE(size, 12);
  }
  return record;
}

/** A member's record in the directory. */
export function directoryRecord(member: WrittenMember): Buffer {
  const { name, size, packed, offset } = member;
  const extra = zip64Extra([size, packed, offset].filter((value) => value >= most32));
  const record = Buffer.alloc(46);
  record.writeUInt32LE(signatures.entry, 0);
  record.writeUInt16LE(madeBy, 4);
  record.writeUInt16LE(extra.length > 0 ? needs.zip64 : needs.plain, 6);
  record.writeUInt16LE(flags, 8);
  record.writeUInt16LE(methodOf(member), 10);
  record.writeUInt32LE(dosTime(member.modified), 12);
  record.writeUInt32LE(member.crc32, 16);
  record.writeUInt32LE(Math.min(packed, most32), 20);
  record.writeUInt32LE(Math.min(size, most32), 24);
  record.writeUInt16LE(name.length, 28);
  record.writeUInt16LE(extra.length, 30);
  record.writeUInt32LE(attributes, 38);
  record.writeUInt32LE(Math.min(offset, most32), 42);
  return Buffer.concat([record, name, extra]);
}

/** The end of an archive whose directory has `count` records in `length` bytes, from `start` on. */
export function endOfArchive(count: number, length: number, start: number): Buffer {
  const record = Buffer.alloc(22);
  record.writeUInt32LE(signatures.end, 0);
  record.writeUInt16LE(Math.min(count, most16), 8);
  record.writeUInt16LE(Math.min(count, most16), 10);
  record.writeUInt32LE(Math.min(length, most32), 12);
  record.writeUInt32LE(Math.min(start, most32), 16);
  const large = count >= most16 || length >= most32 || start >= most32;
  return large ? Buffer.concat([end64(count, length, start), record]) : record;
}

function end64(count: number, length: number, start: number): Buffer {
  const record = Buffer.alloc(56 + 20);
  record.writeUInt32LE(signatures64.end, 0);
  // without its first 12 bytes, and without the locator
  record.writeBigUInt64LE(44n, 4);
  record.writeUInt16LE(madeBy, 12);
  record.writeUInt16LE(needs.zip64, 14);
  [count, count, length, start].forEach((value, index) => record.writeBigUInt64LE(BigInt(value), 24 + 8 * index));
  record.writeUInt32LE(signatures64.locator, 56);
  record.writeBigUInt64LE(BigInt(start + length), 64);
  record.writeUInt32LE(1, 72);
  return record;
}

function zip64Extra(values: readonly number[]): Buffer {
  if (values.length === 0) return Buffer.alloc(0);
  const extra = Buffer.alloc(4 + 8 * values.length);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8 * values.length, 2);
  values.forEach((value, index) => extra.writeBigUInt64LE(BigInt(value), 4 + 8 * index));
  return extra;
}

function methodOf({ deflated }: Pick<WrittenMember, 'deflated'>): number {
  return deflated ? 8 : 0;
}

/** Local time in steps of two seconds; the format knows the years 1980 to 2107. */
function dosTime(instant: Date): number {
  const year = Math.min(Math.max(instant.getFullYear(), 1980), 2107) - 1980;
  const date = (year << 9) | ((instant.getMonth() + 1) << 5) | instant.getDate();
  const time = (instant.getHours() << 11) | (instant.getMinutes() << 5) | (instant.getSeconds() >> 1);
  return ((date << 16) | time) >>> 0;
}
