import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { reasonOf } from '../failure.ts';
import type { Member } from './manifest.ts';
import { deflating, type Packing, storing } from './packing.ts';
import { descriptor, directoryRecord, endOfArchive, localHeader, type WrittenMember } from './zip-records.ts';

/**
 * An archive that is being written, member by member. Neither the size of a member nor, but for their names, the
 * number of members takes memory. It is written here because it has to keep up with pg_dump, and a library that sums
 * up in JavaScript and looks through all members for each does not.
 */
export interface ArchiveWriter {
  /**
   * Adds a member, the former one having been added completely.
   * @param compress false for what is compressed already
   * @param fill writes the content and ends the stream
   * @param modified the time that the archive says of it; default: now
   * @returns the member as it was written, and what `fill` returned
   */
  add<Result>(
    name: string,
    compress: boolean,
    fill: (into: Writable) => Promise<Result>,
    modified?: Date,
  ): Promise<{ readonly member: Member; readonly result: Result }>;
  /** Adds a short text. */
  addText(name: string, text: string): Promise<Member>;
  /** Writes the directory of the archive, and returns when everything has reached the disk. */
  finish(): Promise<void>;
  /** Gives up and lets go of the file, which stays as it is. */
  abandon(): Promise<void>;
}

/** Bytes that wait for the disk at the most. */
const waiting = 512 * 1024;

/**
 * Begins an archive in a new file that only its owner can read.
 * @param onBytes hears of each piece of content how many bytes it has
 * @throws Error, from whatever comes next, if the file exists
 */
export function createArchive(file: string, onBytes: (bytes: number) => void = () => undefined): ArchiveWriter {
  const target = openTarget(file);
  const send = (chunk: Buffer): Promise<void> => target.send(chunk);
  const directory = openDirectory();

  const writer: ArchiveWriter = {
    async add(name, compress, fill, modified = new Date()) {
      const begun = { name: Buffer.from(name), modified, deflated: compress, offset: target.position() };
      await send(localHeader(begun));
      const start = target.position();
      const content = openMember(compress ? deflating(send) : storing(send), onBytes);
      try {
        const result = await fill(content.into);
        await finished(content.into);
        const { size, sha256, checksum } = content.taken();
        const member: WrittenMember = { ...begun, crc32: checksum, size, packed: target.position() - start };
        await send(descriptor(member));
        directory.add(member);
        return { member: { size, sha256 }, result };
      } catch (error) {
        content.into.destroy();
        throw error;
      }
    },

    async addText(name, content) {
      return (await writer.add(name, true, async (into) => void into.end(content))).member;
    },

    async finish() {
      const start = target.position();
      for (const block of directory.blocks()) await send(block);
      await send(endOfArchive(directory.count(), target.position() - start, start));
      await target.close();
    },

    abandon: () => target.abandon(),
  };
  return writer;
}

interface Directory {
  add(member: WrittenMember): void;
  count(): number;
  blocks(): readonly Buffer[];
}

/** Records that are gathered into one block. */
const blockLength = 500;

/** The records of the members, as bytes: a hundred thousand objects would take ten times as much memory. */
function openDirectory(): Directory {
  const full: Buffer[] = [];
  let records: Buffer[] = [];
  let count = 0;
  return {
    add(member) {
      records.push(directoryRecord(member));
      if (++count % blockLength !== 0) return;
      full.push(Buffer.concat(records));
      records = [];
    },
    count: () => count,
    blocks: () => [...full, ...records],
  };
}

interface OpenMember {
  readonly into: Writable;
  /** What went into it, once it has ended. */
  taken(): Member & { readonly checksum: number };
}

function openMember(packing: Packing, onBytes: (bytes: number) => void): OpenMember {
  const hash = createHash('sha256');
  let [size, checksum] = [0, 0];
  const into = new Writable({
    highWaterMark: waiting,
    write(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      checksum = crc32(chunk, checksum);
      size += chunk.length;
      onBytes(chunk.length);
      void tell(packing.write(chunk), done);
    },
    final: (done) => void tell(packing.end(), done),
  });
  return { into, taken: () => ({ size, sha256: hash.digest('hex'), checksum }) };
}

/** Streams hear by a callback how something ended. */
async function tell(work: Promise<void>, done: (error: Error | null) => void): Promise<void> {
  try {
    await work;
  } catch (error) {
    return done(error instanceof Error ? error : new Error(reasonOf(error)));
  }
  done(null);
}

interface Target {
  /** Appends to the file, waiting until there is room. */
  send(chunk: Buffer): Promise<void>;
  /** How many bytes were sent. */
  position(): number;
  /** Returns when everything has reached the disk. */
  close(): Promise<void>;
  abandon(): Promise<void>;
}

function openTarget(file: string): Target {
  const stream = createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true, highWaterMark: waiting });
  const closed = once(stream, 'close');
  // a full disk is heard of by whoever writes next, or waits
  stream.on('error', () => undefined);
  closed.catch(() => undefined);
  let position = 0;
  return {
    async send(chunk) {
      if (stream.errored !== null) throw stream.errored;
      position += chunk.length;
      if (stream.write(chunk)) return;
      // rejects if the stream fails
      await once(stream, 'drain');
    },
    position: () => position,
    async close() {
      stream.end();
      await finished(stream);
    },
    async abandon() {
      stream.destroy();
      if (!stream.closed) await closed.catch(() => undefined);
    },
  };
}
