import { readdirSync } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DefectError, toArchiveRejected } from './archive-error.ts';
import { type ArchiveEntry, countBytes, type ExtractOptions } from './entry-content.ts';
import { unpackTar } from './tar.ts';

/** The files of a dump in the format of a directory (pg_backup_directory.c), also compressed. */
const dumpFile = /^(?:toc\.dat|(?:\d+|blob_\d+)\.dat(?:\.(?:gz|lz4|zst))?|blobs(?:_\d+)?\.toc)$/;

/** The paths of the files of a dump of `pg_dump --format=directory`. @throws the error of the file system */
export const dumpFilesOf = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((each) => each.isFile() && dumpFile.test(each.name))
    .map(({ name }) => join(folder, name))
    .toSorted();

/**
 * The entry of a dump of `pg_dump --format=directory`.
 * @param size bytes of all its files
 * @param read reads a file, with a check that nobody writes to it
 */
export function entryOfFolder(
  folder: string,
  size: number,
  read: (path: string) => AsyncIterable<Buffer>,
): ArchiveEntry {
  const readAll = async function* (): AsyncGenerator<Buffer, void, undefined> {
    for (const path of dumpFilesOf(folder)) yield* read(path);
  };
  return entryOf(folder, size, readAll, async (into, { signal, onBytes }) => {
    for (const path of dumpFilesOf(folder)) {
      const file = await newFile(join(into, path.slice(folder.length)));
      await pipeline(read(path), countBytes(onBytes), file.createWriteStream({ flush: true }), { signal });
    }
  });
}

/**
 * The entry of such a dump in a tar archive.
 * @param within the folder of the archive that holds it: empty, or with a slash at its end
 * @param readAll reads the archive
 */
export function entryOfTar(
  tar: string,
  size: number,
  within: string,
  readAll: () => AsyncIterable<Buffer>,
): ArchiveEntry {
  return entryOf(tar, size, readAll, async (into, { signal, onBytes }) => {
    const checked = async function* (): AsyncGenerator<Buffer, void, undefined> {
      for await (const chunk of countBytes(onBytes)(readAll())) {
        signal.throwIfAborted();
        yield chunk;
      }
    };
    await unpackTar(checked(), async (entry) => {
      const path = entry.replace(/^(?:\.\/)+/, '');
      const name = path.startsWith(within) ? path.slice(within.length) : '';
      return dumpFile.test(name) ? newFile(join(into, name)) : null;
    });
  });
}

function entryOf(
  archive: string,
  size: number,
  readAll: () => AsyncIterable<Buffer>,
  unpack: (into: string, options: ExtractOptions) => Promise<void>,
): ArchiveEntry {
  return {
    name: tableOfContents,
    size,
    open: () => Promise.resolve(Readable.from(readAll(), { objectMode: false })),
    async unpack(into, options) {
      await mkdir(into, { mode: 0o700 });
      try {
        await unpack(into, options);
        await requireNamesWithin(join(into, tableOfContents));
      } catch (error) {
        await rm(into, { recursive: true, force: true });
        const isWritten = error instanceof Error && 'syscall' in error && error.syscall === 'write';
        throw isWritten || options.signal.aborted ? error : toArchiveRejected(archive, error);
      }
    },
  };
}

const tableOfContents = 'toc.dat';

/** pg_restore opens the files that the table of contents names, wherever they are. @throws DefectError */
async function requireNamesWithin(file: string): Promise<void> {
  if (!(await readFile(file)).includes('../')) return;
  throw new DefectError({ kind: 'dump-header', name: tableOfContents, defect: { kind: 'names-outside' } });
}

const newFile = (path: string): Promise<FileHandle> => open(path, 'wx', 0o600);
