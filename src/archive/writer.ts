import { createHash, hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { addAbortSignal, PassThrough, Transform, type Writable } from 'node:stream';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { crc32, createDeflateRaw, deflateRawSync } from 'node:zlib';
import { spoolBytes } from '../platform/spooled-bytes.ts';
import type { ListedEntry } from './manifest.ts';

/**
 * Writes an archive, entry by entry. Memory grows neither with the size of an entry nor with their number: the
 * directory is in a temporary file until all entries are written.
 */
export interface ArchiveWriter {
  /**
   * Adds an entry. The entry before it must be complete.
   * @param compress false for content that is compressed already
   * @param fill writes the content and ends the stream
   * @param modified the time in the archive; default: now
   * @returns the entry as it was written, and what `fill` returned
   */
  add<Result>(
    name: string,
    compress: boolean,
    fill: (into: Writable) => Promise<Result>,
    modified?: Date,
  ): Promise<{ readonly listed: ListedEntry; readonly result: Result }>;
  /**
   * Adds a short content in one piece: a stream for each of many small files takes several times as long. The caller may
   * use the buffer again afterwards.
   */
  addBytes(name: string, compress: boolean, content: Buffer, modified?: Date): Promise<ListedEntry>;
  /** Adds a short text. */
  addText(name: string, text: string): Promise<ListedEntry>;
  /** Writes the directory of the archive and syncs the file to the disk. */
  finish(): Promise<void>;
  /** Closes the file without completing it. */
  abandon(): Promise<void>;
}

/** The most bytes that may wait for the disk. */
const bufferSize = 512 * 1024;
/** Bytes of each write. */
const blockSize = 256 * 1024;

/**
 * Begins an archive.
 * @param into a new file that only its owner can read, or a stream: the archive is written from its beginning to its
 *   end
 * @param onBytes called with the number of bytes of each piece of content
 * @throws Error from the next call, if the file exists
 */
export function createArchive(
  into: string | Writable,
  onBytes: (bytes: number) => void = () => undefined,
): ArchiveWriter {
  const output = openOutput(into);
  const { write } = output;
  const directory = spoolBytes(typeof into === 'string' ? dirname(into) : tmpdir());
  let entries = 0;
  const enter = (entry: Entry): void => {
    directory.append(directoryRecord(entry));
    entries++;
  };

  const writer: ArchiveWriter = {
    async add(name, compress, fill, modified = new Date()) {
      const begun = { name, compress, modified: timesOf(modified), offset: output.offset(), followed: true } as const;
      await write(localHeader({ ...begun, crc: 0, size: 0, packed: 0 }));
      const start = output.offset();
      const { result, listed, crc } = await writeContent(output, compress, fill, onBytes);
      const entry: Entry = { ...begun, crc, size: listed.size, packed: output.offset() - start };
      await write(dataDescriptor(entry));
      enter(entry);
      return { listed, result };
    },

    async addBytes(name, compress, content, modified = new Date()) {
      const packed = compress ? deflateRawSync(content) : content;
      const entry: Entry = {
        name,
        compress,
        modified: timesOf(modified),
        offset: output.offset(),
        followed: false,
        crc: crc32(content),
        size: content.length,
        packed: packed.length,
      };
      onBytes(content.length);
      await write(localHeader(entry));
      await write(packed);
      enter(entry);
      return { size: content.length, sha256: hash('sha256', content) };
    },

    addText: (name, text) => writer.addBytes(name, true, Buffer.from(text)),

    async finish() {
      try {
        const start = output.offset();
        for (const bytes of directory.read()) await write(bytes);
        await write(endRecords(entries, start, output.offset() - start));
        await output.end();
      } finally {
        directory.close();
      }
    },

    async abandon() {
      directory.close();
      await output.abort(new Error('the archive was given up'));
    },
  };
  return writer;
}

/**
 * Writes the content of an entry, compressed if wanted.
 * @throws the error of `fill` or of the output; of both, that of `fill` has the reason
 */
async function writeContent<Result>(
  { write, failed }: Output,
  compress: boolean,
  fill: (into: Writable) => Promise<Result>,
  onBytes: (bytes: number) => void,
): Promise<{ readonly result: Result; readonly listed: ListedEntry; readonly crc: number }> {
  const meter = openMeter(onBytes);
  const packed = async (pieces: AsyncIterable<Buffer>): Promise<void> => {
    for await (const bytes of pieces) await write(bytes);
  };
  try {
    addAbortSignal(failed, meter.stream);
    const piped = compress ? pipeline(meter.stream, createDeflateRaw(), packed) : pipeline(meter.stream, packed);
    const filling = fill(meter.stream);
    // if `fill` fails, the pipeline would wait for the end of the content for ever
    filling.catch(() => meter.stream.destroy());
    const [filled, written] = await Promise.allSettled([filling, piped]);
    if (filled.status === 'rejected') throw filled.reason;
    if (written.status === 'rejected') throw written.reason;
    return { result: filled.value, ...meter.taken() };
  } catch (error) {
    meter.stream.destroy();
    failed.throwIfAborted();
    throw error;
  }
}

/** The file or the stream of an archive, written from its beginning to its end. */
interface Output {
  /**
   * Copies the bytes into the block that is written next, because a stream takes longer for many short pieces. Resolves
   * when more may be written. @throws Error of the file or the stream, also one of an earlier call
   */
  readonly write: (bytes: Buffer) => Promise<void>;
  /** The number of bytes that were written. */
  readonly offset: () => number;
  /** Aborted by an error of the file or the stream. */
  readonly failed: AbortSignal;
  readonly end: () => Promise<void>;
  /** Closes the file before it is complete. It never throws. */
  readonly abort: (reason: Error) => Promise<void>;
}

function openOutput(into: string | Writable): Output {
  const broken = new AbortController();
  const target =
    typeof into === 'string'
      ? createWriteStream(into, { flags: 'wx', mode: 0o600, flush: true, highWaterMark: bufferSize })
      : into;
  const source = new PassThrough({ highWaterMark: bufferSize });
  const written = pipeline(source, target, { signal: broken.signal });
  // on a full disk, abort: otherwise the entry writer waits for ever
  written.catch((error: unknown) => broken.abort(error));
  let offset = 0;
  let block = Buffer.allocUnsafeSlow(blockSize);
  let used = 0;
  const flush = async (): Promise<void> => {
    const bytes = block.subarray(0, used);
    block = Buffer.allocUnsafeSlow(blockSize);
    used = 0;
    if (source.write(bytes)) return;
    await once(source, 'drain', { signal: broken.signal }).catch((error: unknown) => {
      broken.signal.throwIfAborted();
      throw error;
    });
  };
  return {
    async write(bytes) {
      broken.signal.throwIfAborted();
      offset += bytes.length;
      for (let at = 0; at < bytes.length;) {
        if (used === blockSize) await flush();
        const part = bytes.subarray(at, at + blockSize - used);
        block.set(part, used);
        used += part.length;
        at += part.length;
      }
    },
    offset: () => offset,
    failed: broken.signal,
    async end() {
      await flush();
      source.end();
      await written;
    },
    async abort(reason) {
      broken.abort(reason);
      await written.catch(() => undefined);
    },
  };
}

interface Meter {
  /** The content of an entry passes through this stream. */
  readonly stream: Transform;
  /** Size, hash and checksum of the content, once the stream has ended. */
  readonly taken: () => { readonly listed: ListedEntry; readonly crc: number };
}

function openMeter(onBytes: (bytes: number) => void): Meter {
  const sha256 = createHash('sha256');
  let size = 0;
  let crc = 0;
  const stream = new Transform({
    highWaterMark: bufferSize,
    transform(chunk: Buffer, _encoding, done) {
      sha256.update(chunk);
      crc = crc32(chunk, crc);
      size += chunk.length;
      onBytes(chunk.length);
      done(null, chunk);
    },
  });
  // the writer gets the error through its callback
  stream.on('error', () => undefined);
  return { stream, taken: () => ({ listed: { size, sha256: sha256.digest('hex') }, crc }) };
}

// The records of a ZIP file ("APPNOTE.TXT – .ZIP File Format Specification", 4.3.7 to 4.3.16)

/** The values in the records of an entry. */
interface Entry {
  readonly name: string;
  readonly compress: boolean;
  readonly modified: Times;
  /** Where its header begins in the file. */
  readonly offset: number;
  /** Whether checksum and sizes follow the content, because they are unknown before. */
  readonly followed: boolean;
  readonly crc: number;
  readonly size: number;
  readonly packed: number;
}

/** The version needed for files above 4 GB (4.5), and the version that a plain entry needs. */
const [zip64Version, plainVersion] = [45, 20];
/** Made on Unix, version 6.3 of the format: the attributes are those of a plain file that only its owner can read. */
const madeBy = (3 << 8) | 63;
const attributes = 0o100600 * 0x10000;
/** Bits of the general purpose flag (4.4.4): the sizes follow, and the name is UTF-8. */
const [sizesFollow, utf8Name] = [0x0008, 0x0800];
const deflated = 8;
/** The largest value of a field of 32 and of 16 bits: the true value is in a ZIP64 record. */
const [inZip64, manyEntries] = [0xffff_ffff, 0xffff];

function localHeader(entry: Entry): Buffer {
  const { name, modified, followed, crc, size, packed } = entry;
  const [bytes, extra] = [Buffer.from(name), timeField(modified)];
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  writeCommon(entry, plainVersion, header, 4);
  if (!followed) {
    header.writeUInt32LE(crc, 14);
    header.writeUInt32LE(packed, 18);
    header.writeUInt32LE(size, 22);
  }
  header.writeUInt16LE(bytes.length, 26);
  header.writeUInt16LE(extra.length, 28);
  return Buffer.concat([header, bytes, extra]);
}

/** The five fields that both headers begin with. */
function writeCommon({ compress, modified, followed }: Entry, needed: number, header: Buffer, at: number): void {
  const flags = utf8Name | (followed ? sizesFollow : 0);
  header.writeUInt16LE(needed, at);
  header.writeUInt16LE(flags, at + 2);
  header.writeUInt16LE(compress ? deflated : 0, at + 4);
  header.writeUInt16LE(modified.time, at + 6);
  header.writeUInt16LE(modified.date, at + 8);
}

/** Sizes have 8 bytes only if necessary: some readers accept only 4. */
function dataDescriptor({ crc, size, packed }: Entry): Buffer {
  const large = Math.max(size, packed) >= inZip64;
  const record = Buffer.alloc(large ? 24 : 16);
  record.writeUInt32LE(0x08074b50, 0);
  record.writeUInt32LE(crc, 4);
  for (const [index, value] of [packed, size].entries()) {
    if (large) record.writeBigUInt64LE(BigInt(value), 8 + 8 * index);
    else record.writeUInt32LE(value, 8 + 4 * index);
  }
  return record;
}

function directoryRecord(entry: Entry): Buffer {
  const { name, modified, offset, crc, size, packed } = entry;
  const large = Math.max(offset, size, packed) >= inZip64;
  const bytes = Buffer.from(name);
  const extra = Buffer.concat([timeField(modified), large ? zip64Field([size, packed, offset]) : Buffer.alloc(0)]);
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(madeBy, 4);
  writeCommon(entry, large ? zip64Version : plainVersion, header, 6);
  header.writeUInt32LE(crc, 16);
  header.writeUInt32LE(large ? inZip64 : packed, 20);
  header.writeUInt32LE(large ? inZip64 : size, 24);
  header.writeUInt16LE(bytes.length, 28);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt32LE(attributes, 38);
  header.writeUInt32LE(large ? inZip64 : offset, 42);
  return Buffer.concat([header, bytes, extra]);
}

function zip64Field(values: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * values.length);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(8 * values.length, 2);
  for (const [index, value] of values.entries()) field.writeBigUInt64LE(BigInt(value), 4 + 8 * index);
  return field;
}

/** @param start where the directory begins @param length its bytes */
function endRecords(entries: number, start: number, length: number): Buffer {
  const large = entries >= manyEntries || Math.max(start, length) >= inZip64;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  for (const at of [8, 10]) end.writeUInt16LE(large ? manyEntries : entries, at);
  end.writeUInt32LE(large ? inZip64 : length, 12);
  end.writeUInt32LE(large ? inZip64 : start, 16);
  if (!large) return end;
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  // bytes of the record that follow this field
  record.writeBigUInt64LE(44n, 4);
  record.writeUInt16LE(madeBy, 12);
  record.writeUInt16LE(zip64Version, 14);
  for (const [index, value] of [entries, entries, length, start].entries()) {
    record.writeBigUInt64LE(BigInt(value), 24 + 8 * index);
  }
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(start + length), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([record, locator, end]);
}

/** A time as MS-DOS counts it, in local time and from 1980 on, and in seconds since 1970. */
interface Times {
  readonly date: number;
  readonly time: number;
  readonly seconds: number;
}

/** Times that a field cannot hold become the nearest that it can. */
function timesOf(moment: Date): Times {
  const seconds = Math.min(Math.max(Math.floor(moment.getTime() / 1000), 0), 0x7fff_ffff);
  const year = moment.getFullYear();
  if (year < 1980) return { date: dosDate(1980, 1, 1), time: 0, seconds };
  if (year > 2107) return { date: dosDate(2107, 12, 31), time: dosTime(23, 59, 58), seconds };
  return {
    date: dosDate(year, moment.getMonth() + 1, moment.getDate()),
    time: dosTime(moment.getHours(), moment.getMinutes(), moment.getSeconds()),
    seconds,
  };
}

const dosDate = (year: number, month: number, day: number): number => ((year - 1980) << 9) | (month << 5) | day;
const dosTime = (hours: number, minutes: number, seconds: number): number =>
  (hours << 11) | (minutes << 5) | (seconds >> 1);

/** The time of the last change to the second, as Info-ZIP writes it ("extended timestamp", 0x5455). */
function timeField({ seconds }: Times): Buffer {
  const field = Buffer.alloc(9);
  field.writeUInt16LE(0x5455, 0);
  field.writeUInt16LE(5, 2);
  field.writeUInt8(1, 4);
  field.writeUInt32LE(seconds, 5);
  return field;
}
