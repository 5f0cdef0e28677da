import { crc32, deflateRawSync } from 'node:zlib';

/** The manifest of an archive of db-init, without its list of entries. */
export const manifestFacts = {
  engine: 'postgresql',
  kind: 'manual',
  createdAt: new Date(),
  version: '0',
  database: 'd',
  server: 's',
  tool: 't',
  revisions: [],
  rows: {},
  uploads: ['uploads'],
} as const;

/** The fields of a header that the tests falsify. */
export interface Fields {
  readonly name?: Buffer;
  readonly flags?: number;
  readonly method?: number;
  readonly crc?: number;
  readonly packed?: number;
  readonly size?: number;
  readonly offset?: number;
  readonly extra?: Buffer;
}

/** An entry of an archive to be made. */
export interface Part {
  readonly name: string | Buffer;
  readonly content: string | Buffer;
  /** Default: deflated. */
  readonly method?: number;
  /** The bytes that replace the packed content. */
  readonly bytes?: Buffer;
  /** The bytes between this entry and the next one. */
  readonly after?: Buffer;
  /** The Unix mode with the file type. */
  readonly mode?: number;
  /** Changed fields in both headers. */
  readonly fields?: Fields;
  /** Changed fields in one of the headers only. */
  readonly central?: Fields;
  readonly local?: Fields;
}

/** Changed fields in the end record of an archive. */
export interface End {
  readonly count?: number;
  readonly size?: number;
  readonly offset?: number;
  readonly disk?: number;
  readonly commentLength?: number;
  /** Writes the records of ZIP64 as well. */
  readonly zip64?: {
    readonly count?: bigint;
    readonly size?: bigint;
    readonly offset?: bigint;
    readonly length?: bigint;
    readonly locator?: bigint;
  };
}

const u16 = (...values: number[]): Buffer => {
  const buffer = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) buffer.writeUInt16LE(value, index * 2);
  return buffer;
};
const u32 = (...values: number[]): Buffer => {
  const buffer = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) buffer.writeUInt32LE(value, index * 4);
  return buffer;
};
export const u64 = (...values: bigint[]): Buffer => {
  const buffer = Buffer.alloc(values.length * 8);
  for (const [index, value] of values.entries()) buffer.writeBigUInt64LE(value, index * 8);
  return buffer;
};

/** The data descriptor: the record after a content whose sizes were unknown, with or without its signature. */
export function descriptor(crc: number, packed: number, size: number, { wide = false, signed = true } = {}): Buffer {
  const sizes = wide ? u64(BigInt(packed), BigInt(size)) : u32(packed, size);
  return Buffer.concat([signed ? u32(0x08074b50) : Buffer.alloc(0), u32(crc), sizes]);
}

/** An extra field of a header. */
export const extra = (id: number, data: Buffer): Buffer => Buffer.concat([u16(id, data.length), data]);

function header({ name, flags, method, crc, packed, size, extra: field }: Required<Fields>): Buffer {
  return Buffer.concat([u16(20, flags, method, 0, 0x21), u32(crc, packed, size), u16(name.length, field.length)]);
}

/** Makes an archive with any faults. */
export function zip(parts: readonly Part[], end: End = {}): Buffer {
  const members: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, content, method = 8, bytes, after, mode = 0o100644, fields, central, local } of parts) {
    const plain = Buffer.from(content);
    const packed = bytes ?? (method === 8 ? deflateRawSync(plain) : plain);
    const truth = {
      name: Buffer.from(name),
      flags: 0x800,
      method,
      crc: crc32(plain),
      packed: packed.length,
      size: plain.length,
      offset: at,
      extra: Buffer.alloc(0),
    };
    const here = { ...truth, ...fields, ...local };
    const there = { ...truth, ...fields, ...central };
    const member = Buffer.concat([
      u32(0x04034b50),
      header(here),
      here.name,
      here.extra,
      packed,
      after ?? Buffer.alloc(0),
    ]);
    directory.push(
      u32(0x02014b50),
      u16(0x031e),
      header(there),
      u16(0, 0, 0),
      u32((mode << 16) >>> 0, there.offset),
      there.name,
      there.extra,
    );
    members.push(member);
    at += member.length;
  }
  const records = Buffer.concat(directory);
  return Buffer.concat([...members, records, endOf(parts.length, at, records.length, end)]);
}

function endOf(members: number, start: number, length: number, end: End): Buffer {
  const { count = members, size = length, offset = start, disk = 0, commentLength = 0, zip64 } = end;
  const plain = Buffer.concat([u32(0x06054b50), u16(disk, disk, count, count), u32(size, offset), u16(commentLength)]);
  if (zip64 === undefined) return plain;
  const all = zip64.count ?? BigInt(members);
  const record = Buffer.concat([
    u32(0x06064b50),
    u64(zip64.length ?? 44n),
    u16(45, 45),
    u32(0, 0),
    u64(all, all, zip64.size ?? BigInt(length), zip64.offset ?? BigInt(start)),
  ]);
  const locator = Buffer.concat([u32(0x07064b50, 0), u64(zip64.locator ?? BigInt(start + length)), u32(1)]);
  return Buffer.concat([record, locator, plain]);
}
