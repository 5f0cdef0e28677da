import type { FileHandle } from 'node:fs/promises';
import { callbackify } from 'node:util';
import { RandomAccessReader } from 'yauzl';

/** Bytes that are read at a time: what is asked for lies close together. */
const pageSize = 8192;

/** Lets yauzl read a file. It asks for whatever place an archive names: a wild one is an error like any other. */
export class FileReader extends RandomAccessReader {
  readonly #handle: FileHandle;
  readonly #size: number;
  #page: Buffer = Buffer.alloc(0);
  #start = 0;

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
    const from = position - this.#start;
    if (from >= 0 && from + length <= this.#page.length) return this.#page.subarray(from, from + length);
    const page = Buffer.alloc(Math.min(Math.max(length, pageSize), this.#size - position));
    const { bytesRead } = await this.#handle.read(page, 0, page.length, position);
    if (bytesRead < page.length) throw new Error('the file ends early');
    this.#page = page;
    this.#start = position;
    return page.subarray(0, length);
  }
}
