import { createHash, hash as hashOf } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { pipeline as connectStreams, Readable } from 'node:stream';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { codeOf, hasCode } from '../errors/error-code.ts';
import { type Failure, reasonOf } from '../errors/failure.ts';
import type { ContentDefect } from '../model/archive-defect.ts';
import { invalid, archiveRejected, DefectError, toArchiveRejected } from './archive-error.ts';
import type { FileReader } from './file-reader.ts';
import type { StoredEntry } from './entry-layout.ts';
import { open, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { stateFolderMessages } from '../report/state-folder-messages.ts';

export interface ArchiveEntry {
  readonly name: string;
  /** Bytes before compression. */
  readonly size: number;
  /** The content. The stream ends with a Failure `archive-rejected` if it differs from what the archive says. */
  readonly open: () => Promise<Readable>;
  /**
   * The whole content of a short entry: a stream for each of many small files takes several times as long.
   * @throws Failure `archive-rejected` if it differs from what the archive says
   */
  readonly whole?: () => Buffer;
}

/** Bytes that are read and unpacked at a time. */
const chunkSize = 64 * 1024;

/**
 * The content of an entry. The file is opened at the first read. The stream ends with a Failure `archive-rejected` if
 * size or checksum differ from those in the archive, and never returns more bytes than that size.
 * @param sha256 the hash that it must have, in lower case; undefined if the manifest has none
 */
export function readContent(file: string, entry: StoredEntry, sha256?: string): Readable {
  const content = isSmall(entry) ? streamWhole(file, entry, sha256) : streamChecked(file, entry, sha256);
  return Readable.from(content, { objectMode: false, highWaterMark: chunkSize });
}

/**
 * Whether `readWhole` reads it. A stream cannot read an empty range of a file, so empty entries are read in this way
 * too.
 */
export function isSmall({ size, packed }: StoredEntry): boolean {
  return packed === 0 || Math.max(size, packed) <= chunkSize;
}

function* streamWhole(...given: Parameters<typeof readWhole>): Generator<Buffer, void, undefined> {
  const bytes = readWhole(...given);
  if (bytes.length > 0) yield bytes;
}

/**
 * The same as `readContent`, for a short entry.
 * @param reader reads the file, if it is open; null: the file is opened for this entry
 * @throws Failure `archive-rejected`
 */
export function readWhole(file: string, entry: StoredEntry, sha256?: string, reader: FileReader | null = null): Buffer {
  try {
    const { bytes, consumed } = unpackAtOnce(file, entry, reader);
    const hash = sha256 === undefined ? null : hashOf('sha256', bytes);
    requireWhole(file, entry, { size: bytes.length, checksum: crc32(bytes), consumed, hash }, sha256);
    return bytes;
  } catch (error) {
    throw unpackingFailure(file, entry, error);
  }
}

async function* streamChecked(
  file: string,
  entry: StoredEntry,
  sha256: string | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const { source, consumed } = unpack(file, entry);
  const hash = sha256 === undefined ? null : createHash('sha256');
  let size = 0;
  let checksum = 0;
  let waiting = true;
  try {
    for await (const bytes of source) {
      waiting = false;
      size += bytes.length;
      if (size > entry.size) throw damaged(file, entry, longer(entry));
      checksum = crc32(bytes, checksum);
      hash?.update(bytes);
      yield bytes;
      waiting = true;
    }
  } catch (error) {
    // errors of the consumer arrive here as well, and are not the archive's fault
    throw waiting ? unpackingFailure(file, entry, error) : error;
  }
  requireWhole(file, entry, { size, checksum, consumed: consumed(), hash: hash?.digest('hex') ?? null }, sha256);
}

function damaged(file: string, { name }: StoredEntry, defect: ContentDefect): Failure {
  return archiveRejected(file, invalid({ kind: 'content', name, defect }));
}

const longer = ({ size }: StoredEntry): ContentDefect => ({ kind: 'longer', size });

function unpackingFailure(file: string, entry: StoredEntry, error: unknown): Failure {
  if (hasCode(error, tooLarge)) return damaged(file, entry, longer(entry));
  if (codeOf(error)?.startsWith('Z_'))
    return damaged(file, entry, { kind: 'compressed-data', reason: reasonOf(error) });
  return toArchiveRejected(file, error);
}

interface Unpacked {
  readonly size: number;
  readonly checksum: number;
  /** Bytes of the archive that were needed. */
  readonly consumed: number;
  /** SHA-256 in hexadecimal digits. */
  readonly hash: string | null;
}

/** @throws Failure `archive-rejected` if the unpacked content differs from what the archive says */
function requireWhole(file: string, entry: StoredEntry, found: Unpacked, sha256: string | undefined): void {
  const { size, checksum, consumed, hash } = found;
  if (size > entry.size) throw damaged(file, entry, longer(entry));
  if (size !== entry.size) throw damaged(file, entry, { kind: 'size', found: size, size: entry.size });
  if (checksum !== entry.crc32) throw damaged(file, entry, { kind: 'checksum' });
  if (consumed !== entry.packed) throw damaged(file, entry, { kind: 'packed-size' });
  if (hash !== null && sha256 !== undefined && hash !== sha256) throw damaged(file, entry, { kind: 'hash' });
}

interface Unpacking {
  readonly source: AsyncIterable<Buffer>;
  /** Bytes of the archive that were needed. */
  readonly consumed: () => number;
}

/** The unpacked bytes, and the number of packed bytes that they were made of. */
function unpack(file: string, { packed, start, deflated }: StoredEntry): Unpacking {
  const raw = createReadStream(file, { start, end: start + packed - 1, highWaterMark: chunkSize });
  if (!deflated) return { source: raw, consumed: () => packed };
  const inflate = createInflateRaw({ chunkSize });
  // an error of either stream reaches the reader of the last one
  connectStreams(raw, inflate, () => undefined);
  return { source: inflate, consumed: () => inflate.bytesWritten };
}

function unpackAtOnce(
  file: string,
  { size, packed, start, deflated }: StoredEntry,
  reader: FileReader | null,
): { readonly bytes: Buffer; readonly consumed: number } {
  const bytes = reader === null ? readRange(file, start, packed) : reader.bytes(start, packed);
  if (!deflated) return { bytes, consumed: packed };
  // one byte more than allowed shows that there are too many
  const maxOutputLength = Math.min(size, chunkSize) + 1;
  const unpacked: unknown = inflateRawSync(bytes, { info: true, maxOutputLength });
  if (!isUnpacked(unpacked)) throw new Error('zlib does not say how far it read');
  return { bytes: unpacked.buffer, consumed: unpacked.engine.bytesWritten };
}

/** What zlib returns with `info`; the types declare only the buffer. */
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
    if (readSync(descriptor, bytes, 0, length, start) < length) throw new DefectError({ kind: 'ends-early' });
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}

/** The error code of zlib for more bytes than it may return. */
const tooLarge = 'ERR_BUFFER_TOO_LARGE';

type Step = (source: AsyncIterable<Buffer>) => AsyncGenerator<Buffer, void, undefined>;

/** A pipeline step that passes everything on and calls a function with each piece. */
export function tap(look: (chunk: Buffer) => void): Step {
  return async function* (source) {
    for await (const chunk of source) {
      look(chunk);
      yield chunk;
    }
  };
}

/** A pipeline step that passes everything on and counts the bytes. */
export function countBytes(onBytes: ((bytes: number) => void) | undefined): Step {
  return tap(({ length }) => onBytes?.(length));
}

export interface ExtractOptions {
  readonly signal: AbortSignal;
  /** Called with the number of bytes of each piece. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * Unpacks an entry into a new file that only its owner can read, and syncs it to the disk. A failure leaves no new
 * file, and never changes an existing one.
 * @throws Failure `archive-rejected`, or the error of the file system
 */
export async function extractEntry(entry: ArchiveEntry, path: string, options: ExtractOptions): Promise<void> {
  const { signal, onBytes } = options;
  const content = await entry.open();
  const handle = await open(path, 'wx', 0o600);
  try {
    await pipeline(content, countBytes(onBytes), handle.createWriteStream({ flush: true }), { signal });
  } catch (error) {
    await rm(path, { force: true });
    const isWritten = error instanceof Error && 'syscall' in error && error.syscall === 'write';
    throw isWritten ? new Error(stateFolderMessages.unwritableFile(path, error.message), { cause: error }) : error;
  }
}
