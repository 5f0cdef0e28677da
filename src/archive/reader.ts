import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createInflateRaw } from 'node:zlib';

/** A member of an archive, as the directory at the archive's end describes it. */
export interface ArchiveEntry {
  readonly name: string;
  /** Bytes before compression. */
  readonly size: number;
  /** The content. What is damaged ends in an error, or is another content: hash it. */
  open(): Promise<Readable>;
}

// signatures and sizes of "APPNOTE.TXT – .ZIP File Format Specification", 4.3.7 to 4.3.16
const endSignature = 0x06054b50;
const endSize = 22;
const longestComment = 65_535;
const end64LocatorSignature = 0x07064b50;
const end64LocatorSize = 20;
const end64Signature = 0x06064b50;
const end64Size = 56;
const entrySignature = 0x02014b50;
const entrySize = 46;
const localSize = 30;
const inExtra = 0xffff_ffff;
/** Nobody's archive has a directory that large; a lying one must not fill the memory. */
const largestDirectory = 256 * 1024 * 1024;

/**
 * Lists the members of an archive, ZIP64 included, without reading them.
 * @throws Error if it is no archive or its directory is damaged
 */
export async function readArchive(file: string): Promise<readonly ArchiveEntry[]> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const tail = await readAt(handle, Math.max(0, size - endSize - longestComment), size);
    const at = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
    if (at < 0 || at + endSize > tail.length) throw new Error('it is no ZIP archive, or its end is missing');
    const { start, length, count } = await locateDirectory(handle, tail, at);
    if (length > largestDirectory || start + length > size) throw new Error('the directory of the archive is damaged');
    return parseDirectory(await readAt(handle, start, start + length), count, file);
  } finally {
    await handle.close();
  }
}

interface Directory {
  readonly start: number;
  readonly length: number;
  readonly count: number;
}

async function locateDirectory(handle: FileHandle, tail: Buffer, at: number): Promise<Directory> {
  const locator = at - end64LocatorSize;
  if (locator >= 0 && tail.readUInt32LE(locator) === end64LocatorSignature) {
    const offset = Number(tail.readBigUInt64LE(locator + 8));
    const end = await readAt(handle, offset, offset + end64Size);
    if (end.length < end64Size || end.readUInt32LE(0) !== end64Signature) throw new Error('the ZIP64 end is damaged');
    const [count, length, start] = [32, 40, 48].map((position) => Number(end.readBigUInt64LE(position)));
    return { start: start ?? 0, length: length ?? 0, count: count ?? 0 };
  }
  if (tail.readUInt32LE(at) !== endSignature) throw new Error('the end of the archive is damaged');
  return { start: tail.readUInt32LE(at + 16), length: tail.readUInt32LE(at + 12), count: tail.readUInt16LE(at + 10) };
}

function parseDirectory(directory: Buffer, count: number, file: string): readonly ArchiveEntry[] {
  const entries: ArchiveEntry[] = [];
  let at = 0;
  while (entries.length < count) {
    if (at + entrySize > directory.length || directory.readUInt32LE(at) !== entrySignature) {
      throw new Error('the directory of the archive is damaged');
    }
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => directory.readUInt16LE(at + field));
    const nameEnd = at + entrySize + (nameLength ?? 0);
    const extraEnd = nameEnd + (extraLength ?? 0);
    const extra = zip64Extra(directory.subarray(nameEnd, extraEnd));
    // a value that does not fit stands in the extra field, in this order
    const [size = 0, packed = 0, offset = 0] = [24, 20, 42].map((field) => {
      const value = directory.readUInt32LE(at + field);
      return value === inExtra ? (extra.shift() ?? value) : value;
    });
    const name = directory.toString('utf8', at + entrySize, nameEnd);
    const deflated = directory.readUInt16LE(at + 10) === 8;
    entries.push({ name, size, open: () => openMember(file, offset, packed, deflated) });
    at = extraEnd + (commentLength ?? 0);
  }
  return entries;
}

/** The 64-bit values of the extra field 1, if there is one. */
function zip64Extra(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    const end = Math.min(extra.length, at + 4 + extra.readUInt16LE(at + 2));
    const values: number[] = [];
    for (let value = at + 4; value + 8 <= end; value += 8) values.push(Number(extra.readBigUInt64LE(value)));
    return values;
  }
  return [];
}

async function openMember(file: string, offset: number, packed: number, deflated: boolean): Promise<Readable> {
  const handle = await open(file);
  try {
    const local = await readAt(handle, offset, offset + localSize);
    if (local.length < localSize) throw new Error('the archive ends early');
    const start = offset + localSize + local.readUInt16LE(26) + local.readUInt16LE(28);
    await handle.close();
    // an empty range cannot be asked for
    if (packed === 0) return Readable.from([]);
    const content = createReadStream(file, { start, end: start + packed - 1 });
    if (!deflated) return content;
    const inflate = createInflateRaw();
    content.on('error', (error) => inflate.destroy(error));
    return content.pipe(inflate);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readAt(handle: FileHandle, start: number, end: number): Promise<Buffer> {
  const buffer = Buffer.alloc(end - start);
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
  return buffer.subarray(0, bytesRead);
}
