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
   * @returns the member as it was written, and what `fill` returned
   */
  add<Result>(
    name: string,
    compress: boolean,
    fill: (into: Writable) => Promise<Result>,
  ): Promise<{ readonly member: Member; readonly result: Result }>;
  /** Adds a short text. */
  addText(name: string, text: string): Promise<Member>;
  /** Writes the directory of the archive, and returns when everything has reached the disk. */
  finish(): Promise<void>;
  /** Gives up and lets go of the file, which stays as it is. */
  abandon(): Promise<void>;
}

/** Begins an archive in a new file that only its owner can read. @throws Error if the file exists */
export function createArchive(file: string): ArchiveWriter {
  const zip = new ZipFile();
  const broken = new AbortController();
  const target = createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true });
  const output = pipeline(zip.outputStream, target, { signal: broken.signal });
  // a full disk must not leave the one waiting who writes a member
  output.catch((error: unknown) => broken.abort(error));

  const writer: ArchiveWriter = {
    async add(name, compress, fill) {
      const hash = createHash('sha256');
      let size = 0;
      const meter = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          hash.update(chunk);
          size += chunk.length;
          done(null, chunk);
        },
      });
      addAbortSignal(broken.signal, meter);
      zip.addReadStream(meter, name, { compress, mode: 0o100600 });
      try {
        const result = await fill(meter);
        await finished(meter);
        return { member: { size, sha256: hash.digest('hex') }, result };
      } catch (error) {
        meter.destroy();
        broken.signal.throwIfAborted();
        throw error;
      }
    },

    async addText(name, content) {
      return (await writer.add(name, true, async (into) => void into.end(content))).member;
    },

    async finish() {
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
