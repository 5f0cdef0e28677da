import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { ArchiveLimits } from '../config/config.ts';
import { Failure, type Problem } from '../errors/failure.ts';
import type { Engine } from '../model/engine.ts';
import type { ArchiveEntry } from './entry-content.ts';
import { type Archive, openArchive, type SideFile } from './reader.ts';
import { invalid, archiveRejected, toArchiveRejected } from './archive-error.ts';

/**
 * Opens an archive or a bare SQLite file. For a SQLite installation, it also opens a bare dump of `pg_dump` (custom
 * format, tar or plain SQL, also packed with gzip), because db-init reads its rows without a server.
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
    const bare = error instanceof Failure ? bareFileIn(error.problem) : null;
    // the operator loads a dump into PostgreSQL with PostgreSQL's own tools: the rejection says how
    if (bare === null || (bare.engine === 'postgresql' && engine !== 'sqlite')) throw error;
    return openBare(file, bare, limits);
  }
}

interface BareFile {
  readonly engine: Engine;
  /** Whether it is packed with gzip. */
  readonly packed: boolean;
}

/** The bare file that was rejected because it is no archive; null for any other file. */
function bareFileIn(problem: Problem): BareFile | null {
  if (problem.kind !== 'archive-rejected' || problem.fault.kind !== 'other-format') return null;
  const found = problem.fault.file;
  if (found.kind === 'sqlite') return { engine: 'sqlite', packed: false };
  const isDump = found.kind === 'dump' || (found.kind === 'sql' && found.dialect === 'postgresql');
  return isDump ? { engine: 'postgresql', packed: found.packed } : null;
}

/**
 * Opens a bare file as an archive, a SQLite file together with the transaction log beside it. It only reads the file.
 * If another program writes to the file while it is read, reading fails with a rejection.
 */
function openBare(file: string, { engine, packed }: BareFile, limits: ArchiveLimits): Archive {
  const logs = engine === 'sqlite' ? sideFilesOf(file) : [];
  const files = [file, ...logs.map((suffix) => file + suffix)];
  const before = versionOf(files);
  const entryOf = (path: string): ArchiveEntry => ({
    name: basename(path),
    size: sizeOf(path),
    open: () => Promise.resolve(Readable.from(packed ? unpacked(path) : unchanged(path), { objectMode: false })),
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
