import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { reasonOf } from '../failure.ts';
import type { StoredMember } from './directory.ts';
import { invalid, rejection, rejectionOf, shown } from './rejection.ts';

/** Bytes that are read, and unpacked, at a time. */
const chunkSize = 128 * 1024;

/**
 * The content of a member. Nothing is opened before it is read; it ends in a Failure `archive-rejected` if its size
 * or its checksum is another than the archive says, and gives away no byte more than that size.
 */
export function readContent(file: string, member: StoredMember): Readable {
  return Readable.from(checked(file, member), { objectMode: false, highWaterMark: chunkSize });
}

async function* checked(file: string, member: StoredMember): AsyncGenerator<Buffer, void, undefined> {
  const damaged = (what: string) => rejection(file, invalid(`the member ${shown(member.name)} is damaged: ${what}`));
  const { source, consumed } = unpack(file, member);
  let size = 0;
  let checksum = 0;
  let waiting = true;
  try {
    for await (const bytes of source) {
      waiting = false;
      size += bytes.length;
      if (size > member.size) throw damaged(`it is larger than the ${member.size} bytes that the archive says`);
      checksum = crc32(bytes, checksum);
      yield bytes;
      waiting = true;
    }
  } catch (error) {
    // what the reader of this stream throws into it comes along here too, and is not the archive's fault
    if (!waiting) throw error;
    throw codeOf(error).startsWith('Z_')
      ? damaged(`it cannot be unpacked (${reasonOf(error)})`)
      : rejectionOf(file, error);
  }
  if (size !== member.size) throw damaged(`it has ${size} bytes, and ${member.size} according to the archive`);
  if (checksum !== member.crc32) throw damaged('its checksum is another one');
  if (consumed() !== member.packed) throw damaged('its packed size is another one');
}

interface Unpacking {
  readonly source: AsyncIterable<Buffer>;
  /** Bytes of the archive that were needed. */
  readonly consumed: () => number;
}

/** The unpacked bytes, and how many packed ones they were made of. */
function unpack(file: string, { packed, start, deflated }: StoredMember): Unpacking {
  // an empty range cannot be asked for
  const raw =
    packed === 0
      ? Readable.from([], { objectMode: false })
      : createReadStream(file, { start, end: start + packed - 1, highWaterMark: chunkSize });
  if (!deflated) return { source: raw, consumed: () => packed };
  const inflate = createInflateRaw({ chunkSize });
  // an error of either reaches the reader of the last one
  pipeline(raw, inflate, () => undefined);
  return { source: inflate, consumed: () => inflate.bytesWritten };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
