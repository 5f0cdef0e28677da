import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import type { ArchiveLimits } from '../config/config.ts';
import { Failure } from '../errors/failure.ts';
import type { ArchiveEntry } from './manifest.ts';
import { type Archive, openArchive, type SideFile } from './reader.ts';
import { invalid, archiveRejected, toArchiveRejected } from './archive-error.ts';

/**
 * Opens an archive, or a bare SQLite database file.
 * @throws Failure `archive-rejected`
 */
export async function openArchiveOrFile(file: string, limits: ArchiveLimits): Promise<Archive> {
  return openArchive(file, limits).catch((error: unknown) => {
    if (isBareSqlite(error)) return openBareSqlite(file);
    throw error;
  });
}

/** Whether a file was rejected because it is a SQLite database and not an archive. */
function isBareSqlite(error: unknown): boolean {
  if (!(error instanceof Failure) || error.problem.kind !== 'archive-rejected') return false;
  const { fault } = error.problem;
  return fault.kind === 'other-format' && fault.file.kind === 'sqlite';
}

/**
 * Opens a bare SQLite database file as an archive, together with the transaction log beside it. The file is only read.
 * If another program writes to it in the meantime, reading it fails with a rejection.
 */
function openBareSqlite(file: string): Archive {
  const logs = sideFilesOf(file);
  const files = [file, ...logs.map((suffix) => file + suffix)];
  const before = marksOf(files);
  const entryOf = (path: string): ArchiveEntry => ({
    name: basename(path),
    size: sizeOf(path),
    open: () => Promise.resolve(Readable.from(unchanged(path), { objectMode: false })),
  });
  async function* unchanged(path: string): AsyncGenerator<Buffer, void, undefined> {
    const bytes: AsyncIterable<Buffer> = createReadStream(path);
    try {
      yield* bytes;
    } catch (error) {
      throw toArchiveRejected(file, error);
    }
    if (marksOf(files) !== before) {
      throw archiveRejected(
        file,
        invalid('it was written to while it was read: stop the application that has it open'),
      );
    }
  }
  const database = entryOf(file);
  const sideFiles: readonly SideFile[] = logs.map((suffix) => ({ suffix, entry: entryOf(file + suffix) }));
  return {
    file,
    bare: true,
    engine: 'sqlite',
    database,
    sideFiles,
    revisions: null,
    createdAt: null,
    manifest: null,
    uploads: [],
    uploadRoots: [],
    uploadBytes: 0,
    members: [database],
    size: database.size,
  };
}

/** The logs beside a file that are not empty, by their names. */
export const sideFilesOf = (file: string): readonly SideFile['suffix'][] =>
  (['-wal', '-journal'] as const).filter((suffix) => sizeOf(file + suffix) > 0);

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** A text that changes when a program writes to one of the files. */
function marksOf(files: readonly string[]): string {
  return files
    .map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }))
    .map((stats) => (stats === undefined ? '-' : `${stats.ino}:${stats.size}:${stats.mtimeNs}`))
    .join(' ');
}
