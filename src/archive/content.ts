import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { codeOf, hasCode } from '../errors/error-code.ts';
import { reasonOf } from '../errors/failure.ts';
import { shown } from '../platform/printable.ts';
import type { PlainMember } from './central-directory.ts';
import { invalid, archiveRejected, toArchiveRejected } from './archive-error.ts';

/** Bytes that are read, and unpacked, at a time. */
const chunkSize = 64 * 1024;

/**
 * The content of a member. Nothing is opened before it is read; it ends in a Failure `archive-rejected` if its size
 * or its checksum is another than the archive says, and gives away no byte more than that size.
 * @param sha256 the hash that it must have; undefined where nobody has promised one
 */
export function readContent(file: string, member: PlainMember, sha256?: string): Readable {
  return Readable.from(checked(file, member, sha256), { objectMode: false, highWaterMark: chunkSize });
}

async function* checked(
  file: string,
  member: PlainMember,
  sha256: string | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const damaged = (what: string) =>
    archiveRejected(file, invalid(`the member ${shown(member.name)} is damaged: ${what}`));
  const larger = `it is larger than the ${member.size} bytes that the archive says`;
  const { source, consumed } = unpack(file, member);
  const hash = sha256 === undefined ? null : createHash('sha256');
  let size = 0;
  let checksum = 0;
  let waiting = true;
  try {
    for await (const bytes of source) {
      waiting = false;
      size += bytes.length;
      if (size > member.size) throw damaged(larger);
      checksum = crc32(bytes, checksum);
      hash?.update(bytes);
      yield bytes;
      waiting = true;
    }
  } catch (error) {
    // what the reader of this stream throws into it comes along here too, and is not the archive's fault
    if (!waiting) throw error;
    if (hasCode(error, tooLarge)) throw damaged(larger);
    throw codeOf(error)?.startsWith('Z_')
      ? damaged(`it cannot be unpacked (${reasonOf(error)})`)
      : toArchiveRejected(file, error);
  }
  if (size !== member.size) throw damaged(`it has ${size} bytes, and ${member.size} according to the archive`);
  if (checksum !== member.crc32) throw damaged('its checksum is another one');
  if (consumed() !== member.packed) throw damaged('its packed size is another one');
  if (hash !== null && hash.digest('hex') !== sha256) throw damaged('its hash is another one');
}

interface Unpacking {
  readonly source: AsyncIterable<Buffer> | Iterable<Buffer>;
  /** Bytes of the archive that were needed. */
  readonly consumed: () => number;
}

/** The unpacked bytes, and how many packed ones they were made of. */
function unpack(file: string, member: PlainMember): Unpacking {
  const { size, packed, start, deflated } = member;
  // an empty range cannot be asked for, either
  if (packed === 0 || Math.max(size, packed) <= chunkSize) return unpackAtOnce(file, member);
  const raw = createReadStream(file, { start, end: start + packed - 1, highWaterMark: chunkSize });
  if (!deflated) return { source: raw, consumed: () => packed };
  const inflate = createInflateRaw({ chunkSize });
  // an error of either reaches the reader of the last one
  pipeline(raw, inflate, () => undefined);
  return { source: inflate, consumed: () => inflate.bytesWritten };
}

/** Most members are small: streams take several times as long for them, and fill the memory with what they leave. */
function unpackAtOnce(file: string, { size, packed, start, deflated }: PlainMember): Unpacking {
  let consumed = packed;
  function* source(): Generator<Buffer, void, undefined> {
    let bytes = readRange(file, start, packed);
    if (deflated) {
      // one byte more than there may be tells that there are too many
      const maxOutputLength = Math.min(size, chunkSize) + 1;
      const unpacked: unknown = inflateRawSync(bytes, { info: true, maxOutputLength });
      if (!isUnpacked(unpacked)) throw new Error('zlib does not say how far it read');
      bytes = unpacked.buffer;
      consumed = unpacked.engine.bytesWritten;
    }
    if (bytes.length > 0) yield bytes;
  }
  return { source: source(), consumed: () => consumed };
}

/** What zlib returns with `info`; the types know only of the buffer. */
function isUnpacked(value: unknown): value is { buffer: Buffer; engine: { bytesWritten: number } } {
  if (typeof value !== 'object' || value === null || !('buffer' in value) || !('engine' in value)) return false;
  const { buffer, engine } = value;
  if (!Buffer.isBuffer(buffer) || typeof engine !== 'object' || engine === null) return false;
  return 'bytesWritten' in engine && typeof engine.bytesWritten === 'number';
}

function readRange(file: string, start: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const descriptor = openSync(file, 'r');
  try {
    if (readSync(descriptor, bytes, 0, length, start) < length) throw new Error('the file ends early');
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}

/** How zlib says that there would be more bytes than it may return. */
const tooLarge = 'ERR_BUFFER_TOO_LARGE';
