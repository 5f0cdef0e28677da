import type { SideFileFault, SideFileMismatch } from '../../model/state.ts';
import { closeSync, openSync, readSync } from 'node:fs';
import { sizeOf } from './wal-files.ts';

/** Fields of the header on the first page of a database (https://sqlite.org/fileformat2.html#the_database_header). */
interface FileHeader {
  /** In bytes. */
  readonly pageSize: number;
  /** 2 in WAL mode. */
  readonly writeVersion: number;
  /** The file change counter: each transaction that writes the first page increments it. */
  readonly changes: number;
  readonly schemaCookie: number;
  /** The size of the database in pages; 0 if the header does not say it. */
  readonly pages: number;
}

const journalMagic = 'd9d505f920a163d7';
const walMagics: ReadonlySet<number> = new Set([0x377f0682, 0x377f0683]);

export function readFileHeader(file: string): FileHeader | null {
  const bytes = readAt(file, 0, 100);
  return bytes.toString('latin1', 0, magic.length) === magic ? parseHeader(bytes) : null;
}

const magic = 'SQLite format 3\0';

/** Whether another database follows in the file: SQLite would read the first one only. */
export function isJoined(file: string): boolean {
  const { pages, pageSize } = readFileHeader(file) ?? { pages: 0, pageSize: 0 };
  return pages > 0 && readAt(file, pages * pageSize, magic.length).toString('latin1') === magic;
}

function parseHeader(bytes: Buffer): FileHeader {
  const size = bytes.readUInt16BE(16);
  return {
    pageSize: size === 1 ? 65_536 : size,
    writeVersion: bytes.readUInt8(18),
    changes: bytes.readUInt32BE(24),
    schemaCookie: bytes.readUInt32BE(40),
    // old programs of SQLite write transactions without it
    pages: bytes.readUInt32BE(92) === bytes.readUInt32BE(24) ? bytes.readUInt32BE(28) : 0,
  };
}

/** Why a WAL or journal does not belong to the file beside it, by its header; null if it may belong. Writes nothing. */
export function findMismatch(file: string): SideFileFault | null {
  const header = readFileHeader(file);
  return findJournalMismatch(file, header) ?? findWalMismatch(file, header);
}

/** https://sqlite.org/fileformat2.html#the_rollback_journal */
function findJournalMismatch(file: string, header: FileHeader | null): SideFileFault | null {
  const journal = `${file}-journal`;
  const fault = (mismatch: SideFileMismatch): SideFileFault => ({ side: '-journal', kind: 'mismatch', mismatch });
  const start = readAt(journal, 0, 28);
  // SQLite ignores a journal whose first byte is 0
  if (start.length === 0 || start[0] === 0) return null;
  const size = sizeOf(journal);
  // SQLite deletes the file that the end of such a journal names, however short the journal is
  if (size >= 16 && readAt(journal, size - 8, 8).toString('hex') === journalMagic) {
    return fault({ kind: 'several-files' });
  }
  if (start.length < 28) return null;
  if (start.toString('hex', 0, 8) !== journalMagic) return fault({ kind: 'no-journal' });
  const [pages, sector, pageSize] = [start.readUInt32BE(16), start.readUInt32BE(20), start.readUInt32BE(24)];
  if (header === null) {
    return pages === 0 ? null : fault({ kind: 'journal-of-pages', pages });
  }
  const first = firstPageIn(journal, start.readUInt32BE(8), sector, pageSize);
  if (first === null) {
    return pageSize === header.pageSize ? null : fault({ kind: 'page-sizes', log: pageSize, file: header.pageSize });
  }
  // the file has either the original first page, or the one that the transaction wrote, with the next change counter
  const ahead = header.changes - first.changes;
  if (first.pageSize !== pageSize || (ahead === 0 && pageSize !== header.pageSize)) {
    return fault({ kind: 'page-sizes', log: pageSize, file: header.pageSize });
  }
  if (ahead !== 0 && ahead !== 1) {
    return fault({ kind: 'begins-at', log: first.changes, file: header.changes });
  }
  return null;
}

/** The header in the journal's copy of the first page; null if there is no such copy. */
function firstPageIn(journal: string, records: number, sector: number, pageSize: number): FileHeader | null {
  if (sector < 32 || pageSize < 512 || pageSize > 65_536) return null;
  const size = sizeOf(journal);
  for (let record = 0, at = sector; record < records && at + pageSize + 8 <= size; record++, at += pageSize + 8) {
    if (readAt(journal, at, 4).readUInt32BE(0) === 1) return parseHeader(readAt(journal, at + 4, 100));
  }
  return null;
}

/** https://sqlite.org/fileformat2.html#the_write_ahead_log */
function findWalMismatch(file: string, header: FileHeader | null): SideFileFault | null {
  const wal = `${file}-wal`;
  const fault = (mismatch: SideFileMismatch): SideFileFault => ({ side: '-wal', kind: 'mismatch', mismatch });
  const start = readAt(wal, 0, 32);
  // the WAL is still empty
  if (start.length < 32 || start.every((byte) => byte === 0)) return null;
  if (!walMagics.has(start.readUInt32BE(0))) return fault({ kind: 'no-wal' });
  if (header === null) return fault({ kind: 'wal-of-empty-file' });
  const pageSize = start.readUInt32BE(8);
  if (pageSize !== header.pageSize) return fault({ kind: 'page-sizes', log: pageSize, file: header.pageSize });
  const first = lastFirstPageIn(wal, start, pageSize);
  if (first === null) return null;
  if (first.changes < header.changes || first.schemaCookie < header.schemaCookie) {
    return fault({ kind: 'ends-at', log: first.changes, file: header.changes });
  }
  return null;
}

/** The header in the last committed copy of the first page; frames from before the last WAL reset have other salts. */
function lastFirstPageIn(wal: string, start: Buffer, pageSize: number): FileHeader | null {
  const salts = start.subarray(16, 24);
  const size = sizeOf(wal);
  let found: number | null = null;
  let committed: number | null = null;
  for (let at = 32; at + 24 + pageSize <= size; at += 24 + pageSize) {
    const frame = readAt(wal, at, 24);
    if (!frame.subarray(8, 16).equals(salts)) break;
    if (frame.readUInt32BE(0) === 1) found = at + 24;
    if (frame.readUInt32BE(4) > 0) committed = found;
  }
  return committed === null ? null : parseHeader(readAt(wal, committed, 100));
}

/** Reads bytes of a file; fewer at its end, none if there is no such file. */
function readAt(file: string, position: number, length: number): Buffer {
  if (sizeOf(file) === 0) return Buffer.alloc(0);
  const buffer = Buffer.alloc(length);
  const descriptor = openSync(file, 'r');
  try {
    return buffer.subarray(0, readSync(descriptor, buffer, 0, length, position));
  } finally {
    closeSync(descriptor);
  }
}
