import { getFileNameLowLevel, parseExtraFields } from 'yauzl';
import { DefectError } from './archive-error.ts';
import type { FileReader, Place } from './file-reader.ts';

// The records of an entry ("APPNOTE.TXT – .ZIP File Format Specification", 4.3.7 and 4.3.12). An archive may have
// hundreds of thousands of them, so they are read without an object for each field.

/** What both records of an entry contain. */
interface RecordFields {
  /** The general purpose flag. */
  readonly flags: number;
  /** The compression method. */
  readonly method: number;
  readonly crc32: number;
  /** Bytes in the archive. */
  readonly packed: number;
  /** Bytes before compression. */
  readonly size: number;
  readonly extra: ExtraFields;
}

/** The record of an entry in the central directory. */
export interface DirectoryRecord extends RecordFields {
  readonly name: string;
  /** The name as it is written, for the comparison with the local header. */
  readonly nameBytes: NameBytes;
  /** The Unix mode, and attributes of other systems. */
  readonly attributes: number;
  /** The position of the local header in the file. */
  readonly offset: number;
  /** The position of the next record in the file. */
  readonly next: number;
}

/** The header of an entry before its content. A size of 0xffffffff stays if there is no ZIP64 field. */
export interface LocalHeader extends RecordFields {
  readonly nameBytes: NameBytes;
  /** The position of the content in the file. */
  readonly start: number;
}

interface NameBytes extends Place {
  readonly length: number;
}

/** The extra fields of an entry (4.5) that are of interest. */
interface ExtraFields {
  /** The content of the first ZIP64 field; null if there is none. */
  readonly zip64: Buffer | null;
  readonly zip64Count: number;
  /** Whether there is a name in Unicode, which replaces the other one (Info-ZIP, 4.6.9). */
  readonly hasUnicodeName: boolean;
}

/** The largest value of a 32-bit field: the true value is in a ZIP64 field. */
export const inExtra = 0xffff_ffff;
/** The flag of a name in UTF-8 (bit 11 of the general purpose flag). */
const utf8 = 0x0800;
const [zip64Field, unicodeNameField] = [0x0001, 0x7075];
const [directorySignature, localSignature] = [0x02014b50, 0x04034b50];
const [directoryLength, localLength] = [46, 30];

/** Reads a record of the central directory. @throws DefectError if it is none */
export function readDirectoryRecord(reader: FileReader, position: number): DirectoryRecord {
  const { page, at } = reader.place(position, directoryLength);
  if (page.readUInt32LE(at) !== directorySignature) throw new DefectError({ kind: 'directory-record' });
  const [name, extra, comment] = [page.readUInt16LE(at + 28), page.readUInt16LE(at + 30), page.readUInt16LE(at + 32)];
  const tail = reader.place(position + directoryLength, name + extra + comment);
  const extraFields = findExtraFields(tail, name, name + extra);
  const take = openZip64(extraFields);
  return {
    flags: page.readUInt16LE(at + 8),
    method: page.readUInt16LE(at + 10),
    crc32: page.readUInt32LE(at + 16),
    // in the order of the ZIP64 field
    size: required(take(page.readUInt32LE(at + 24)), extraFields),
    packed: required(take(page.readUInt32LE(at + 20)), extraFields),
    offset: required(take(page.readUInt32LE(at + 42)), extraFields),
    attributes: page.readUInt32LE(at + 38),
    extra: extraFields,
    name: decodeName(tail, name, extra, extraFields.hasUnicodeName),
    nameBytes: { page: tail.page, at: tail.at, length: name },
    next: position + directoryLength + name + extra + comment,
  };
}

/** Reads the name in a directory record that was checked before. */
export function readName(reader: FileReader, position: number, hasUnicodeName: boolean): string {
  const { page, at } = reader.place(position, directoryLength);
  const [name, extra] = [page.readUInt16LE(at + 28), page.readUInt16LE(at + 30)];
  return decodeName(reader.place(position + directoryLength, name + extra), name, extra, hasUnicodeName);
}

/** Reads the header before the content of an entry. @throws DefectError if it is none */
export function readLocalHeader(reader: FileReader, position: number): LocalHeader {
  const { page, at } = reader.place(position, localLength);
  if (page.readUInt32LE(at) !== localSignature) throw new DefectError({ kind: 'no-local-header' });
  const [name, extra] = [page.readUInt16LE(at + 26), page.readUInt16LE(at + 28)];
  const tail = reader.place(position + localLength, name + extra);
  const extraFields = findExtraFields(tail, name, name + extra);
  const take = openZip64(extraFields);
  return {
    flags: page.readUInt16LE(at + 6),
    method: page.readUInt16LE(at + 8),
    crc32: page.readUInt32LE(at + 14),
    size: take(page.readUInt32LE(at + 22)) ?? inExtra,
    packed: take(page.readUInt32LE(at + 18)) ?? inExtra,
    extra: extraFields,
    nameBytes: { page: tail.page, at: tail.at, length: name },
    start: position + localLength + name + extra,
  };
}

/** Whether both records of an entry have the same name. */
export function haveSameName(one: NameBytes, other: NameBytes): boolean {
  return one.page.compare(other.page, other.at, other.at + other.length, one.at, one.at + one.length) === 0;
}

/**
 * Archives mark names in UTF-8. Names without the mark are decoded as UTF-8 as well; any other encoding would be a
 * guess.
 */
function decodeName({ page, at }: Place, name: number, extra: number, hasUnicodeName: boolean): string {
  if (!hasUnicodeName) return page.toString('utf8', at, at + name);
  const fields = parseExtraFields(page.subarray(at + name, at + name + extra));
  return getFileNameLowLevel(utf8, page.subarray(at, at + name), fields, true);
}

const noFields: ExtraFields = { zip64: null, zip64Count: 0, hasUnicodeName: false };

/** @param from where the fields begin, counted from the place @throws DefectError if a field is longer than all of them */
function findExtraFields({ page, at }: Place, from: number, to: number): ExtraFields {
  let zip64: Buffer | null = null;
  let zip64Count = 0;
  let hasUnicodeName = false;
  for (let start = at + from; start + 4 <= at + to;) {
    const [id, end] = [page.readUInt16LE(start), start + 4 + page.readUInt16LE(start + 2)];
    if (end > at + to) throw new DefectError({ kind: 'extra-fields' });
    hasUnicodeName ||= id === unicodeNameField;
    if (id === zip64Field) {
      zip64 ??= page.subarray(start + 4, end);
      zip64Count++;
    }
    start = end;
  }
  return zip64 === null && !hasUnicodeName ? noFields : { zip64, zip64Count, hasUnicodeName };
}

/**
 * Large values are in the ZIP64 field, one after the other.
 * @returns a function that returns the true value of a 32-bit field; null if the ZIP64 field does not contain it
 */
function openZip64({ zip64 }: ExtraFields): (value: number) => number | null {
  let at = 0;
  return (value) => {
    if (value !== inExtra) return value;
    if (zip64 === null || at + 8 > zip64.length) return null;
    at += 8;
    return Number(zip64.readBigUInt64LE(at - 8));
  };
}

/** Without a ZIP64 field, the value of the 32-bit field stays. @throws DefectError if there is such a field, but too short */
function required(value: number | null, { zip64 }: ExtraFields): number {
  if (value === null && zip64 !== null) throw new DefectError({ kind: 'extra-fields' });
  return value ?? inExtra;
}
