import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import type { ArchiveLimits } from '../config/config.ts';
import { isCustomDump } from './detect-format.ts';
import { Failure, type Problem } from '../errors/failure.ts';
import type { Engine } from '../model/engine.ts';
import type { ArchiveEntry } from './entry-content.ts';
import { type Archive, openArchive, type SideFile } from './reader.ts';
import { invalid, archiveRejected, toArchiveRejected } from './archive-error.ts';

/**
 * Opens an archive or a bare SQLite file. For a SQLite installation, it also opens a bare dump of `pg_dump` (custom
 * format or plain SQL), because db-init reads its rows without a server.
 * @param engine of the installation; null if it is not known
 * @throws Failure `archive-rejected`
 */
export async function openArchiveOrFile(
  file: string,
  limits: ArchiveLimits,
  engine: Engine | null = null,
): Promise<Archive> {
  try {
    return await openArchive(file, limits);
  } catch (error) {
    const kind = error instanceof Failure ? await engineOfBare(file, error.problem) : null;
    // the operator loads a dump into PostgreSQL with PostgreSQL's own tools: the rejection says how
    if (kind === null || (kind === 'postgresql' && engine !== 'sqlite')) throw error;
    return openBare(file, kind);
  }
}

/** The engine of a bare file that was rejected because it is no archive; null for any other. */
async function engineOfBare(file: string, problem: Problem): Promise<Engine | null> {
  if (problem.kind !== 'archive-rejected' || problem.fault.kind !== 'other-format') return null;
  const found = problem.fault.file;
  if (found.kind === 'sqlite') return 'sqlite';
  if (found.kind === 'sql') return found.dialect === 'postgresql' && !found.packed ? 'postgresql' : null;
  return found.kind === 'dump' && !found.packed && (await isCustomDump(file)) ? 'postgresql' : null;
}

/**
 * Opens a bare file as an archive, a SQLite file together with the transaction log beside it. It only reads the file.
 * If another program writes to the file while it is read, reading fails with a rejection.
 */
function openBare(file: string, engine: Engine): Archive {
  const logs = engine === 'sqlite' ? sideFilesOf(file) : [];
  const files = [file, ...logs.map((suffix) => file + suffix)];
  const before = versionOf(files);
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
    if (versionOf(files) !== before) {
      throw archiveRejected(file, invalid({ kind: 'written-to' }));
    }
  }
  const database = entryOf(file);
  const sideFiles: readonly SideFile[] = logs.map((suffix) => ({ suffix, entry: entryOf(file + suffix) }));
  return {
    file,
    bare: true,
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

/** A text that changes when a program writes to one of the files. */
function versionOf(files: readonly string[]): string {
  return files
    .map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }))
    .map((stats) => (stats === undefined ? '-' : `${stats.ino}:${stats.size}:${stats.mtimeNs}`))
    .join(' ');
}
