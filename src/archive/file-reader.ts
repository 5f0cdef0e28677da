import type { FileHandle } from 'node:fs/promises';
import { callbackify } from 'node:util';
import { RandomAccessReader } from 'yauzl';

/** Bytes that are read at a time: what is asked for lies close together. */
const pageSize = 8192;
/** The directory of an archive and the members' own headers are read in turns. */
const pagesKept = 2;

interface Page {
  readonly start: number;
  readonly bytes: Buffer;
}

/** Lets yauzl read a file. It asks for whatever place an archive names: a wild one is an error like any other. */
export class FileReader extends RandomAccessReader {
  readonly #handle: FileHandle;
  readonly #size: number;
  /** The one that was used last comes last. */
  #pages: readonly Page[] = [];

  /** @param size bytes of the file */
  constructor(handle: FileHandle, size: number) {
    super();
    this.#handle = handle;
    this.#size = size;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    const copy = async (): Promise<void> => void (await this.bytes(position, length)).copy(buffer, offset);
    callbackify(copy)(callback);
  }

  /** @throws Error if the file has no such bytes */
  async bytes(position: number, length: number): Promise<Buffer> {
    if (!Number.isSafeInteger(position) || position + length > this.#size) {
      throw new Error('it names a place outside of the file');
    }
    const known = this.#pages.find(
      ({ start, bytes }) => start <= position && position + length <= start + bytes.length,
    );
    const page = known ?? (await this.#readPage(position, length));
    this.#pages = [...this.#pages.filter((other) => other !== page), page].slice(-pagesKept);
    return page.bytes.subarray(position - page.start, position - page.start + length);
  }

  async #readPage(start: number, length: number): Promise<Page> {
    const bytes = Buffer.alloc(Math.min(Math.max(length, pageSize), this.#size - start));
    const { bytesRead } = await this.#handle.read(bytes, 0, bytes.length, start);
    if (bytesRead < bytes.length) throw new Error('the file ends early');
    return { start, bytes };
  }
}
