import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { RandomAccessReader } from 'yauzl';
import { DefectError } from './archive-error.ts';

/** Bytes for each read, if nothing else is asked for: the headers of many small entries. */
const defaultPage = 64 * 1024;
/** Two, because reading alternates between the directory and the local headers. */
const pagesKept = 2;

interface Page {
  readonly start: number;
  readonly bytes: Buffer;
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
  /** The most recently used page is the last one. */
  #pages: readonly Page[] = [];

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
    if (!Number.isSafeInteger(position) || position + length > this.size) {
      throw new DefectError({ kind: 'place-outside' });
    }
    const known = this.#pages.find(
      ({ start, bytes }) => start <= position && position + length <= start + bytes.length,
    );
    const page = known ?? this.#readPage(position, length);
    if (page !== this.#pages.at(-1)) {
      this.#pages = [...this.#pages.filter((other) => other !== page), page].slice(-pagesKept);
    }
    return page.bytes.subarray(position - page.start, position - page.start + length);
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

/** Opens a file for reading. The caller closes it with `end`. @throws Error of the file system */
export function openReader(file: string, pageSize = defaultPage): FileReader {
  const descriptor = openSync(file, 'r');
  return new FileReader(descriptor, fstatSync(descriptor).size, pageSize);
}
