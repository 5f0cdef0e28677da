import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { ArchiveLimits } from '../config/config.ts';
import { Failure, type Problem } from '../errors/failure.ts';
import type { OtherFile } from '../errors/obstacles.ts';
import type { Engine } from '../model/engine.ts';
import { dumpFilesOf, entryOfFolder, entryOfTar } from './dump-folder.ts';
import type { ArchiveEntry } from './entry-content.ts';
import { type Archive, openArchive, type SideFile } from './reader.ts';
import { invalid, archiveRejected, toArchiveRejected } from './archive-error.ts';

/**
 * Opens an archive or a bare database: a SQLite file, what `sqlite3 .dump` wrote, or a dump of `pg_dump` (custom format,
 * tar or plain SQL), each also packed with gzip.
 * @throws Failure `archive-rejected`
 */
export async function openArchiveOrFile(file: string, limits: ArchiveLimits): Promise<Archive> {
  try {
    return await openArchive(file, limits);
  } catch (error) {
    const bare = error instanceof Failure ? bareFileIn(error.problem) : null;
    if (bare === null) throw error;
    return openBare(file, bare, limits);
  }
}

interface BareFile {
  readonly engine: Engine;
  readonly form: Archive['form'];
  /** Whether it is packed with gzip. */
  readonly packed: boolean;
  /** For a dump in the format of a directory: whether it is in a tar archive, and in which folder of it. */
  readonly directory?: { readonly isTar: boolean; readonly within: string };
}

/** The bare database that was rejected because it is no archive; null for any other file. */
function bareFileIn(problem: Problem): BareFile | null {
  if (problem.kind !== 'archive-rejected' || problem.fault.kind !== 'other-format') return null;
  const found = problem.fault.file;
  switch (found.kind) {
    case 'sqlite':
      return { engine: 'sqlite', form: 'file', packed: found.packed };
    case 'dump':
      return { engine: 'postgresql', form: 'file', packed: found.packed };
    case 'sql':
      return found.dialect === 'unknown' ? null : { engine: found.dialect, form: 'sql', packed: found.packed };
    case 'folder':
      return dumpFolderIn(found);
    case 'export':
      return null;
  }
}

function dumpFolderIn({ packing, contents }: Extract<OtherFile, { kind: 'folder' }>): BareFile | null {
  if (contents.kind !== 'dump-directory' || packing === 'zip') return null;
  const { path: within } = contents;
  // a folder that holds the dump's folder can be named more exactly
  if (packing === 'none' && within !== '') return null;
  const directory = { isTar: packing !== 'none', within };
  return { engine: 'postgresql', form: 'file', packed: packing === 'tar.gz', directory };
}

/**
 * Opens a bare file as an archive, a SQLite file together with the transaction log beside it. It only reads the file.
 * If another program writes to the file while it is read, reading fails with a rejection.
 */
function openBare(file: string, { engine, form, packed, directory }: BareFile, limits: ArchiveLimits): Archive {
  const logs = engine === 'sqlite' && form === 'file' && !packed ? sideFilesOf(file) : [];
  const isFolder = directory?.isTar === false;
  const files = isFolder ? dumpFilesOf(file) : [file, ...logs.map((suffix) => file + suffix)];
  const before = versionOf(files);
  const read = packed ? unpacked : unchanged;
  const entryOf = (path: string): ArchiveEntry => ({
    name: basename(path),
    size: packed ? unpackedSizeOf(path) : sizeOf(path),
    open: () => Promise.resolve(Readable.from(read(path), { objectMode: false })),
  });
  async function* unchanged(path: string): AsyncGenerator<Buffer, void, undefined> {
    const bytes: AsyncIterable<Buffer> = createReadStream(path);
    try {
      yield* bytes;
    } catch (error) {
      throw toArchiveRejected(file, error);
    }
    if (versionOf(files) !== before) {
      throw archiveRejected(file, invalid({ kind: 'written-to' }));
    }
  }
  async function* unpacked(path: string): AsyncGenerator<Buffer, void, undefined> {
    const gunzip = createGunzip();
    pipeline(unchanged(path), gunzip, () => undefined);
    let bytes = 0;
    try {
      const content: AsyncIterable<Buffer> = gunzip;
      for await (const chunk of content) {
        bytes += chunk.length;
        if (bytes > limits.bytes) {
          throw archiveRejected(file, { kind: 'too-large', exceeded: { kind: 'unpacked', limit: limits.bytes } });
        }
        yield chunk;
      }
    } catch (error) {
      throw toArchiveRejected(file, error);
    }
  }
  const whole = entryOf(file);
  const folderSize = files.reduce((sum, path) => sum + sizeOf(path), 0);
  const database =
    directory === undefined
      ? whole
      : directory.isTar
        ? entryOfTar(file, whole.size, directory.within, () => read(file))
        : entryOfFolder(file, folderSize, read);
  const sideFiles: readonly SideFile[] = logs.map((suffix) => ({ suffix, entry: entryOf(file + suffix) }));
  return {
    file,
    form,
    engine,
    database,
    sideFiles,
    revisions: null,
    createdAt: null,
    manifest: null,
    uploads: [],
    uploadRoots: [],
    uploadBytes: 0,
    entries: [database],
    size: database.size,
  };
}

/** The logs beside a file that are not empty, by their names. */
export const sideFilesOf = (file: string): readonly SideFile['suffix'][] =>
  (['-wal', '-journal'] as const).filter((suffix) => sizeOf(file + suffix) > 0);

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/**
 * The size of a file that is packed with gzip, unpacked: its last four bytes, modulo 4 GiB (RFC 1952, "ISIZE"). It is an
 * estimate, because the file may be cut off, or joined of several ones.
 */
function unpackedSizeOf(path: string): number {
  const size = sizeOf(path);
  const end = Buffer.alloc(4);
  const descriptor = openSync(path, 'r');
  try {
    readSync(descriptor, end, 0, end.length, Math.max(0, size - end.length));
  } finally {
    closeSync(descriptor);
  }
  return Math.min(Math.max(size, end.readUInt32LE()), size * bestRatio);
}

/** Deflate packs no better (zlib, "Technical Details"). */
const bestRatio = 1032;

/** A text that changes when a program writes to one of the files. */
function versionOf(files: readonly string[]): string {
  return files
    .map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }))
    .map((stats) => (stats === undefined ? '-' : `${stats.ino}:${stats.size}:${stats.mtimeNs}`))
    .join(' ');
}
