import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { addAbortSignal, Transform, type Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import type { Member } from './manifest.ts';

/** An archive that is being written, member by member. Memory does not grow with the size of a member. */
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
/** A plain file that only its owner can read. */
const mode = 0o100600;

/**
 * Begins an archive.
 * @param into a new file, that only its owner can read, or a stream: the archive is written from its beginning to its end
 * @param onBytes hears of each piece of content how many bytes it has
 * @throws Error, from whatever comes next, if the file exists
 */
export function createArchive(
  into: string | Writable,
  onBytes: (bytes: number) => void = () => undefined,
): ArchiveWriter {
  const zip = new ZipFile();
  const shelf = openWrittenEntries(zip);
  const broken = new AbortController();
  const target =
    typeof into === 'string'
      ? createWriteStream(into, { flags: 'wx', mode: 0o600, flush: true, highWaterMark: waiting })
      : into;
  const output = pipeline(zip.outputStream, target, { signal: broken.signal });
  // a full disk must not leave the one waiting who writes a member
  output.catch((error: unknown) => broken.abort(error));

  const writer: ArchiveWriter = {
    async add(name, compress, fill, modified = new Date()) {
      broken.signal.throwIfAborted();
      const { meter, taken } = openMeter(onBytes);
      shelf.clear();
      addAbortSignal(broken.signal, meter);
      zip.addReadStreamLazy(name, { compress, mode, mtime: notBefore1970(modified) }, once(meter));
      try {
        const result = await fill(meter);
        await finished(meter);
        return { member: taken(), result };
      } catch (error) {
        meter.destroy();
        broken.signal.throwIfAborted();
        throw error;
      }
    },

    async addText(name, content) {
      return (await writer.add(name, true, async (member) => void member.end(content))).member;
    },

    async finish() {
      shelf.putBack();
      zip.end();
      await output;
    },

    async abandon() {
      broken.abort(new Error('the archive was given up'));
      await output.catch(() => undefined);
    },
  };
  return writer;
}

interface WrittenEntries {
  /** Takes away what is written: all entries but the last one, when another is about to be added. */
  readonly clear: () => void;
  /** Gives everything back, for the directory. */
  readonly putBack: () => void;
}

/**
 * yazl looks through all its entries for the first that is not written yet, twice for each one: without those that are,
 * the time grows with their number and not with its square.
 */
function openWrittenEntries(zip: ZipFile): WrittenEntries {
  const entries: unknown = Reflect.get(zip, 'entries');
  if (!isList(entries)) throw new Error('yazl keeps its entries elsewhere');
  const written: unknown[] = [];
  return {
    clear: () => written.push(...entries.splice(0, entries.length - 1)),
    putBack() {
      const rest = entries.splice(0);
      for (const entry of [...written, ...rest]) entries.push(entry);
    },
  };
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value);
}

interface Meter {
  /** Passes on what goes into a member. */
  readonly meter: Transform;
  /** What went through it, once it has ended. */
  readonly taken: () => Member;
}

function openMeter(onBytes: (bytes: number) => void): Meter {
  const hash = createHash('sha256');
  let size = 0;
  const meter = new Transform({
    highWaterMark: waiting,
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      onBytes(chunk.length);
      done(null, chunk);
    },
  });
  // whoever writes hears of it
  meter.on('error', () => undefined);
  return { meter, taken: () => ({ size, sha256: hash.digest('hex') }) };
}

/** Gives the stream away and forgets it: yazl keeps whom it asks for it, one for each member, to the end. */
function once(stream: Transform): (give: (error: null, stream: Transform) => void) => void {
  let held: Transform | null = stream;
  return (give) => {
    if (held !== null) give(null, held);
    held = null;
  };
}

/** yazl counts seconds from then on, and cannot write the directory where they are negative. */
function notBefore1970(time: Date): Date {
  return time.getTime() < 0 ? new Date(0) : time;
}
