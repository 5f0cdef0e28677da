import { isUtf8 } from 'node:buffer';
import { type BigIntStats, closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { defectOfName, isUnfinished } from '../archive/entry-names.ts';
import type { ListedEntry } from '../archive/manifest.ts';
import type { ArchiveWriter } from '../archive/writer.ts';
import type { Config, UploadRoot, UploadRootName } from '../config/config.ts';
import { hasCode } from '../errors/error-code.ts';
import { reasonOf } from '../errors/failure.ts';
import { ownPrefix } from '../platform/own-files.ts';
import { createYielder } from '../platform/event-loop.ts';
import type { SkipReason } from '../model/archive.ts';
import { backupMessages, backupReasons } from '../report/backup-messages.ts';
import type { BackupContext } from './context.ts';

interface UploadFile {
  readonly root: UploadRootName;
  /** The entry of an archive that holds it. */
  readonly entryName: string;
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

/** Called with each path that exists and is not in the backup. */
export type OnSkipped = (path: string, why: SkipReason) => void;

/**
 * The folders of uploads. Each iteration reads the folders again, because a list of all files would fill the memory.
 */
export interface Uploads {
  readonly roots: readonly UploadRootName[];
  readonly files: (onSkipped: OnSkipped) => Generator<UploadFile, void, undefined>;
}

/** Names that the application lists as backups, and names of partial backups. */
const archives = /\.(zip|partial)$/;

interface Search {
  readonly root: UploadRootName;
  readonly onSkipped: OnSkipped;
  /** Folders to leave out: the backups and the other roots. */
  readonly excluded: ReadonlySet<string>;
  readonly databaseFolder: string | null;
  /** Whether a name in that folder is the database file or one of its side files. */
  readonly isDatabase: (name: string) => boolean;
}

/** Suffixes of the files that SQLite and db-init put beside a database file. */
const databaseSideFile = /^($|-wal$|-shm$|-journal$|\.(db-init-(lock|rehearsal)|bak_|restore_|quarantine_))/;

/**
 * Finds the folders of uploads, and their files without following symbolic links. Leaves out the backup folder and the
 * database file, which may be among them.
 * @throws Error that names what cannot be read
 */
export async function findUploads({
  uploadRoots,
  backupFolder,
  database,
}: Pick<Config, 'uploadRoots' | 'backupFolder' | 'database'>): Promise<Uploads> {
  const file = database.kind === 'sqlite' ? database.file : null;
  const own = file === null ? null : basename(file);
  const backups = identityOf(await statIfExists(backupFolder));
  const found = await findRoots(uploadRoots);
  const rules = {
    excluded: new Set([backups ?? '', ...found.keys()]),
    databaseFolder: file === null ? null : identityOf(await statIfExists(dirname(file))),
    isDatabase: (entry: string) =>
      own !== null && entry.startsWith(own) && databaseSideFile.test(entry.slice(own.length)),
  };
  function* files(onSkipped: OnSkipped): Generator<UploadFile, void, undefined> {
    for (const [identity, { folder, name }] of found) {
      const isBackups = identity === backups;
      const wanted = (entry: string): boolean => !(isBackups && (entry === ownPrefix || archives.test(entry)));
      yield* filesBelow({ folder, identity, entryName: name }, { ...rules, root: name, onSkipped }, wanted);
    }
  }
  return { roots: [...found.values()].map(({ name }) => name), files };
}

/** Bytes of all files. @throws Error that names what cannot be read */
export async function measureUploads({ files }: Uploads, signal: AbortSignal): Promise<number> {
  const pause = createYielder();
  let bytes = 0;
  for (const { size } of files(() => undefined)) {
    bytes += size;
    await pause();
    signal.throwIfAborted();
  }
  return bytes;
}

async function findRoots(roots: readonly UploadRoot[]): Promise<ReadonlyMap<string, UploadRoot>> {
  const found = new Map<string, UploadRoot>();
  for (const root of roots) {
    const stats = await statIfExists(root.folder);
    const identity = identityOf(stats);
    if (identity === null || found.has(identity)) continue;
    if (stats?.isDirectory() === false) throw new Error(backupReasons.noFolder(root.folder));
    found.set(identity, root);
  }
  return found;
}

async function statIfExists(path: string): Promise<BigIntStats | null> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    return nullIfDeleted(path, error);
  }
}

interface Place {
  readonly folder: string;
  readonly identity: string | null;
  readonly entryName: string;
}

function* filesBelow(
  { folder, identity, entryName }: Place,
  search: Search,
  wanted: (entry: string) => boolean = () => true,
): Generator<UploadFile, void, undefined> {
  const holdsDatabase = identity !== null && identity === search.databaseFolder;
  for (const entry of entriesOf(folder, search)) {
    if (isUnfinished(entry) || !wanted(entry) || (holdsDatabase && search.isDatabase(entry))) continue;
    yield* filesAt(join(folder, entry), `${entryName}/${entry}`, search);
  }
}

function* filesAt(path: string, entryName: string, search: Search): Generator<UploadFile, void, undefined> {
  const { onSkipped, excluded } = search;
  const stats = unlessDeleted(path, () => lstatSync(path));
  const defect = defectOfName(entryName);
  if (stats === null) onSkipped(path, 'deleted');
  else if (stats.isSymbolicLink()) onSkipped(path, 'symbolic-link');
  else if (defect !== null) onSkipped(path, { name: entryName, defect });
  else if (stats.isFile()) yield { root: search.root, entryName, path, size: stats.size };
  else if (!stats.isDirectory()) onSkipped(path, 'special-file');
  else {
    // only a folder needs its exact number: large numbers take several times as long to read
    const identity = identityOf(unlessDeleted(path, () => lstatSync(path, { bigint: true })));
    if (!excluded.has(identity ?? '')) yield* filesBelow({ folder: path, identity, entryName }, search);
  }
}

/** The names in a folder, sorted. Names that are not valid UTF-8 cannot be stored in an archive. */
function* entriesOf(folder: string, { onSkipped }: Search): Generator<string, void, undefined> {
  // one character for each byte: a long list of buffers would take five times as much memory
  const names = unlessDeleted(folder, () => readdirSync(folder, { encoding: 'latin1' }));
  if (names === null) onSkipped(folder, 'deleted');
  for (const latin of names?.toSorted() ?? []) {
    const name = Buffer.from(latin, 'latin1');
    if (isUtf8(name)) yield name.toString();
    else onSkipped(join(folder, latin), 'not-utf8');
  }
}

/** Identifies a folder independently of its path. */
function identityOf(stats: BigIntStats | null): string | null {
  return stats && `${stats.dev}:${stats.ino}`;
}

/** Runs `work`; null if the file was deleted before. @throws Error that names what cannot be read */
function unlessDeleted<Result>(path: string, work: () => Result): Result | null {
  try {
    return work();
  } catch (error) {
    return nullIfDeleted(path, error);
  }
}

function nullIfDeleted(path: string, error: unknown): null {
  // it was deleted, or replaced by a link or a socket
  if (hasCode(error, 'ENOENT', 'ELOOP', 'ENXIO')) return null;
  throw notReadable(path, error);
}

/** `/data/uploads/a.png cannot be read (EACCES: permission denied)` */
function notReadable(path: string, error: unknown): Error {
  return new Error(backupReasons.unreadable(path, reasonOf(error).replace(/,.*/s, '')), { cause: error });
}

/** Formats that are compressed already. */
const compressed =
  /\.(jpe?g|png|gif|webp|avif|heic|pdf|zip|gz|tgz|bz2|xz|zst|7z|rar|docx|xlsx|pptx|od[tsp]|mp[34]|m4[av]|mov|webm|ogg)$/i;
/** Bytes that are read at a time. */
const chunk = 128 * 1024;
/** Bytes: compressing a smaller file saves less than one block of the disk. */
const smallestToCompress = 4096;
/** The flags neither follow a link nor wait for a pipe that has replaced the file. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Adds all files to an archive, each as long as it was when it was opened.
 * @param onAdded called with each written entry
 * @throws Error that names what cannot be read
 */
export async function addUploads(
  archive: ArchiveWriter,
  { files }: Uploads,
  onAdded: (root: UploadRootName, name: string, entryName: ListedEntry) => void,
  context: Pick<BackupContext, 'signal' | 'log'>,
): Promise<void> {
  const { signal } = context;
  const pause = createYielder();
  const skipped = warnOfSkipped(context);
  const buffer = Buffer.allocUnsafeSlow(chunk);
  for (const file of files(skipped.add)) {
    await pause();
    signal.throwIfAborted();
    const added = await addUpload(archive, file, buffer, skipped.add, signal);
    if (added !== null) onAdded(file.root, file.entryName, added);
  }
  skipped.end();
}

async function addUpload(
  archive: ArchiveWriter,
  { entryName: name, path }: UploadFile,
  buffer: Buffer,
  onSkipped: OnSkipped,
  signal: AbortSignal,
): Promise<ListedEntry | null> {
  const file = unlessDeleted(path, () => openSync(path, openFlags));
  if (file === null) {
    onSkipped(path, 'deleted');
    return null;
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) {
      onSkipped(path, 'no-file');
      return null;
    }
    const compress = stats.size >= smallestToCompress && !compressed.test(name);
    if (stats.size <= chunk) {
      const content = buffer.subarray(0, read(file, buffer.subarray(0, stats.size), 0, path));
      return await archive.addBytes(name, compress, content, stats.mtime);
    }
    const content = readFile(file, stats.size, path);
    const fill = (into: Writable): Promise<void> => pipeline(content, into, { signal });
    return (await archive.add(name, compress, fill, stats.mtime)).listed;
  } finally {
    closeSync(file);
  }
}

/** The bytes up to `size`, or up to the end if the file has become shorter. */
function* readFile(file: number, size: number, path: string): Generator<Buffer, void, undefined> {
  for (let at = 0; at < size;) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(chunk, size - at));
    const count = read(file, buffer, at, path);
    if (count === 0) return;
    at += count;
    yield buffer.subarray(0, count);
  }
}

function read(file: number, buffer: Buffer, at: number, path: string): number {
  try {
    return readSync(file, buffer, 0, buffer.length, at);
  } catch (error) {
    throw notReadable(path, error);
  }
}

/** More lines than this would bury the rest of the log. */
const mostWarnings = 20;

/** Says what is not in the archive, and why. */
function warnOfSkipped({ log }: Pick<BackupContext, 'log'>): { readonly add: OnSkipped; readonly end: () => void } {
  let count = 0;
  return {
    add(path, why) {
      if (++count <= mostWarnings) log.warn(backupMessages.skipped(path, why));
    },
    end() {
      if (count > mostWarnings) log.warn(backupMessages.moreSkipped(count - mostWarnings));
    },
  };
}
