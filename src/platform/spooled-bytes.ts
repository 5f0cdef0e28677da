import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ownPrefix } from './own-files.ts';

/**
 * Bytes that are appended, and read once they are complete. Many bytes go to a temporary file, or stay in memory if no
 * file can be made.
 */
export interface SpooledBytes {
  readonly length: number;
  append(bytes: Uint8Array): void;
  /** Returns all bytes, in pieces. */
  read(): Generator<Buffer, void, undefined>;
  /** Closes the temporary file. */
  close(): void;
}

/** The number of bytes that stay in memory, and that one write or read transfers. */
const piece = 1024 * 1024;

/**
 * Opens an empty list of bytes. Its file is unlinked as soon as it is open, so that a killed run leaves no file.
 * @param folder where the file is made, once there is more than a megabyte
 */
export function spoolBytes(folder: string): SpooledBytes {
  const pending = Buffer.allocUnsafeSlow(piece);
  let used = 0;
  let written = 0;
  let file: number | null = null;
  // used if no file can be made, as in a container with a read-only file system
  const kept: Buffer[] = [];
  const flush = (): void => {
    if (written === 0) file = openNameless(folder);
    if (file === null) kept.push(Buffer.from(pending.subarray(0, used)));
    else for (let at = 0; at < used;) at += writeSync(file, pending, at, used - at, written + at);
    written += used;
    used = 0;
  };
  return {
    get length() {
      return written + used;
    },
    append(bytes) {
      for (let at = 0; at < bytes.length;) {
        if (used === piece) flush();
        const part = bytes.subarray(at, at + piece - used);
        pending.set(part, used);
        used += part.length;
        at += part.length;
      }
    },
    *read() {
      if (file !== null) yield* readFile(file, written);
      yield* kept;
      yield pending.subarray(0, used);
    },
    close() {
      if (file !== null) closeSync(file);
      file = null;
    },
  };
}

function* readFile(file: number, length: number): Generator<Buffer, void, undefined> {
  for (let at = 0; at < length;) {
    const bytes = Buffer.allocUnsafeSlow(Math.min(piece, length - at));
    const count = readSync(file, bytes, 0, bytes.length, at);
    if (count === 0) throw new Error('a temporary file ended early');
    at += count;
    yield bytes.subarray(0, count);
  }
}

/** Opens a file and unlinks it. @returns null if no file can be made */
function openNameless(folder: string): number | null {
  const path = join(folder, `${ownPrefix}-${randomUUID()}.partial`);
  try {
    const file = openSync(path, 'wx+', 0o600);
    rmSync(path);
    return file;
  } catch {
    return null;
  }
}
