import type { DumpHeaderDefect } from '../../../model/unusable-archive.ts';
import { open } from 'node:fs/promises';

export interface DumpHeader {
  /** The version of the archive format: 1.16 is [1, 16]. */
  readonly format: readonly [major: number, minor: number];
  readonly database: string;
  /** The version of the server that was dumped: `16.4 (Debian …)`. */
  readonly server: string;
  readonly pgDump: string;
}

/** The result of parsing the beginning of a dump. */
export type ParsedHeader =
  | { readonly kind: 'header'; readonly header: DumpHeader }
  | { readonly kind: 'damaged'; readonly defect: DumpHeaderDefect };

/** A number of bytes that always contains the header of a dump: three strings and a dozen numbers. */
export const headerBytes = 8192;

const magic = 'PGDMP';
/** The numbers of the formats in a header (ArchiveFormat in pg_backup.h). */
const formats = { custom: 1, tar: 3 };

/** The length of the header of an entry in a tar archive. */
const tarBlock = 512;

/** Whether a file begins like a dump as a tar archive: its first entry is the table of contents. */
const isTarDump = (bytes: Uint8Array): boolean =>
  Buffer.from(bytes.subarray(0, 8)).toString('latin1') === 'toc.dat\0' && bytes.length > tarBlock;

/** Whether a file begins like a dump in the custom format, or as a tar archive. */
export const isDumpHeader = (bytes: Uint8Array): boolean =>
  Buffer.from(withoutTar(bytes).subarray(0, magic.length)).toString('latin1') === magic;

const withoutTar = (bytes: Uint8Array): Uint8Array => (isTarDump(bytes) ? bytes.subarray(tarBlock) : bytes);

/**
 * Parses the header of a dump, as PostgreSQL's ReadHead does (src/bin/pg_dump/pg_backup_archiver.c).
 * @param bytes the beginning of the dump
 */
export function parseDumpHeader(bytes: Uint8Array): ParsedHeader {
  try {
    const format = isTarDump(bytes) ? formats.tar : formats.custom;
    const { time: _, ...header } = readHeader(withoutTar(bytes), format);
    return { kind: 'header', header };
  } catch (error) {
    if (!(error instanceof HeaderError)) throw error;
    return { kind: 'damaged', defect: error.defect };
  }
}

/**
 * The byte positions of the creation time in a header: all other bytes are the same in two dumps of the same content.
 * @returns null if the bytes are no header
 */
export function timeInHeader(bytes: Uint8Array): { readonly from: number; readonly to: number } | null {
  try {
    return readHeader(bytes).time;
  } catch (error) {
    if (!(error instanceof HeaderError)) throw error;
    return null;
  }
}

class HeaderError extends Error {
  readonly defect: DumpHeaderDefect;

  constructor(defect: DumpHeaderDefect) {
    super(defect.kind);
    this.defect = defect;
  }
}

function readHeader(
  bytes: Uint8Array,
  wanted = formats.custom,
): DumpHeader & { readonly time: { readonly from: number; readonly to: number } } {
  const { take, byte, integer, text, at } = readerOf(bytes);
  if (Buffer.from(take(magic.length)).toString('latin1') !== magic) {
    throw new HeaderError({ kind: 'other-format' });
  }
  const [major, minor] = [byte(), byte()];
  // the revision of the format
  byte();
  if (major === 0 || (major === 1 && minor < 12)) {
    throw new HeaderError({ kind: 'old-format', major, minor });
  }
  const sizeOfInteger = byte();
  if (sizeOfInteger < 1 || sizeOfInteger > 8) throw new HeaderError({ kind: 'integer-size', bytes: sizeOfInteger });
  // the size of an offset
  byte();
  if (byte() !== wanted) throw new HeaderError({ kind: 'other-format' });
  // the compression: one byte for the algorithm since 1.15, before that an integer for the level
  if (major > 1 || minor >= 15) byte();
  else integer(sizeOfInteger);
  // the creation time (struct tm): seconds to years, and the daylight saving flag
  const from = at();
  for (let part = 0; part < 7; part++) integer(sizeOfInteger);
  const time = { from, to: at() };
  const database = text(sizeOfInteger);
  const server = text(sizeOfInteger);
  return { format: [major, minor], database, server, pgDump: versionIn(text(sizeOfInteger)), time };
}

function readerOf(bytes: Uint8Array) {
  let position = 0;
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - position) throw new HeaderError({ kind: 'cut-off' });
    position += length;
    return bytes.subarray(position - length, position);
  };
  const byte = (): number => take(1)[0] ?? 0;
  /** One byte for the sign, then the number, least significant byte first. */
  const integer = (size: number): number => {
    const sign = byte() === 0 ? 1 : -1;
    return sign * take(size).reduceRight((value, part) => value * 256 + part, 0);
  };
  const text = (size: number): string => {
    const length = integer(size);
    // a negative length means NULL
    if (length < 0) throw new HeaderError({ kind: 'no-name' });
    return Buffer.from(take(length)).toString('utf8');
  };
  return { take, byte, integer, text, at: () => position };
}

/** `17.2 (Debian 17.2-1)` → `17.2`. */
function versionIn(text: string): string {
  const version = /^\d+[\w.]{0,20}/.exec(text)?.[0];
  if (version === undefined) throw new HeaderError({ kind: 'no-version' });
  return version;
}

/** For each archive format 1.`minor`: the first major version of pg_restore that reads it. */
const readers = [
  { minor: 14, major: 12 },
  { minor: 15, major: 16 },
  { minor: 16, major: 17 },
];

/** The oldest major version of pg_restore that reads a dump; for an unknown format: the version of its pg_dump. */
export function oldestReader({ format: [major, minor], pgDump }: DumpHeader): number {
  const known = major === 1 ? readers.find((reader) => minor <= reader.minor) : undefined;
  return known?.major ?? Number.parseInt(pgDump, 10);
}

/** Reads the first bytes of a dump, which contain its header. */
export async function readHeaderBytes(file: string): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headerBytes), 0, headerBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
