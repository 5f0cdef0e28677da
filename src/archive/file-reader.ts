import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { RandomAccessReader } from 'yauzl';
import { DefectError } from './archive-error.ts';

/** Bytes for each read, if nothing else is asked for: the headers of many small entries. */
const defaultPage = 64 * 1024;

interface Page {
  readonly start: number;
  readonly bytes: Buffer;
}

const noPage: Page = { start: 0, bytes: Buffer.alloc(0) };

/** Some bytes of the file: a page, and where they begin in it. No buffer is made, because there are many short ones. */
export interface Place {
  readonly page: Buffer;
  readonly at: number;
}

/**
 * Reads a file for yauzl, synchronously. An archive may name any position; a position outside of the file is an
 * ordinary error.
 */
export class FileReader extends RandomAccessReader {
  readonly #file: number;
  readonly #pageSize: number;
  /** Bytes of the file. */
  readonly size: number;
  /** Two pages, because reading alternates between the directory and the local headers. */
  #last = noPage;
  #other = noPage;

  constructor(file: number, size: number, pageSize: number) {
    super();
    this.#pageSize = pageSize;
    this.#file = file;
    this.size = size;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    let failed: Error | null = null;
    try {
      this.bytes(position, length).copy(buffer, offset);
    } catch (error) {
      failed = error instanceof Error ? error : new Error(String(error));
    }
    callback(failed);
  }

  /** @throws Error if the file has no such bytes */
  bytes(position: number, length: number): Buffer {
    const { page, at } = this.place(position, length);
    return page.subarray(at, at + length);
  }

  /** @throws Error if the file has no such bytes */
  place(position: number, length: number): Place {
    if (!Number.isSafeInteger(position) || position + length > this.size) {
      throw new DefectError({ kind: 'place-outside' });
    }
    if (!holds(this.#last, position, length)) {
      const page = holds(this.#other, position, length) ? this.#other : this.#readPage(position, length);
      this.#other = this.#last;
      this.#last = page;
    }
    return { page: this.#last.bytes, at: position - this.#last.start };
  }

  #readPage(start: number, length: number): Page {
    const bytes = Buffer.allocUnsafeSlow(Math.min(Math.max(length, this.#pageSize), this.size - start));
    for (let done = 0; done < bytes.length;) {
      const count = readSync(this.#file, bytes, done, bytes.length - done, start + done);
      if (count === 0) throw new DefectError({ kind: 'ends-early' });
      done += count;
    }
    return { start, bytes };
  }

  /** Closes the file. `close` does nothing, because yauzl calls it whenever it has nothing to read. */
  end(): void {
    closeSync(this.#file);
  }
}

const holds = ({ start, bytes }: Page, position: number, length: number): boolean =>
  start <= position && position + length <= start + bytes.length;

/** Opens a file for reading. The caller closes it with `end`. @throws Error of the file system */
export function openReader(file: string, pageSize = defaultPage): FileReader {
  const descriptor = openSync(file, 'r');
  return new FileReader(descriptor, fstatSync(descriptor).size, pageSize);
}
