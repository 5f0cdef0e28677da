import type { ArchiveEntry } from '../../archive/entry-content.ts';
import {
  chmodSync,
  closeSync,
  createWriteStream,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  writeSync,
} from 'node:fs';
import { access, constants, mkdir, realpath, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { UploadRoot } from '../../config/config.ts';
import { hasCode } from '../../errors/error-code.ts';
import { Failure, reasonOf } from '../../errors/failure.ts';
import type { RestoreObstacle } from '../../errors/obstacles.ts';
import { noOwnerCheck, type OwnerCheck } from '../target.ts';
import { ownPrefix } from '../../platform/own-files.ts';
import { freeBytes } from '../../platform/free-space.ts';
import { createYielder } from '../../platform/event-loop.ts';
import { bytePathOf, sync, syncTree } from './byte-path-fs.ts';
import { entryExists, privateFolder, removeDiscarded, setFolder } from './upload-sets.ts';
import { countBytes } from '../../archive/entry-content.ts';
import { restoreReasons } from '../../report/restore-reasons.ts';

/** A file that belongs below a folder of uploads. */
export interface UploadEntry {
  /** Relative to the folder. */
  readonly path: string;
  readonly entry: ArchiveEntry;
}

export interface StagingOptions {
  readonly signal: AbortSignal;
  /** Called with the bytes of each piece, also for entries that are left out. */
  readonly onBytes: (bytes: number) => void;
  readonly checkOwner?: OwnerCheck;
}

/**
 * Checks that folders of uploads can be written or made, before the long work begins.
 * @throws Failure `restore-refused` (`folder`)
 */
export async function requireWritable(folders: readonly Pick<UploadRoot, 'folder'>[]): Promise<void> {
  for (const { folder } of folders) {
    try {
      await access((await entryExists(folder)) ? folder : dirname(folder), constants.W_OK | constants.X_OK);
    } catch (error) {
      throw refusal(folder, { kind: 'folder', folder, reason: reasonOf(error), uploads: true }, error);
    }
  }
}

/** The most bytes of a folder, or of the last block of a file. */
const blockSize = 4096;

/**
 * Unpacks uploads into the incoming set of their folder. Makes the folder if it is missing. Files are readable for all
 * (0644, folders 0755), belong to the user of this process, and are on the disk at the end. A failure removes all of
 * them.
 * @throws Failure `restore-refused`: `no-space`, `folder`; or the error with which the content of an entry ends
 */
export async function stageUploads(
  { folder }: UploadRoot,
  uploads: Iterable<UploadEntry>,
  id: string,
  options: StagingOptions,
): Promise<void> {
  const target = setFolder(folder, 'incoming', id);
  try {
    await prepare(folder, target);
    requireUploadSpace(folder, uploads);
    const unpack = unpackerOf(await realpath(target), options);
    const pause = createYielder();
    for (const upload of uploads) {
      await pause();
      // the application's archives contain db-init's own files in the folder, which are not uploads
      if (isOurs(upload)) options.onBytes(upload.entry.size);
      else if (upload.entry.whole === undefined) await unpack.inPieces(upload);
      else unpack.whole(upload, upload.entry.whole());
    }
    await syncTree(target, options.signal);
    await sync(bytePathOf(folder));
  } catch (error) {
    // the first error is the one that matters
    await rm(target, { recursive: true, force: true }).catch(() => undefined);
    throw explainFailure(error, folder, uploads);
  }
}

const isOurs = ({ path }: UploadEntry): boolean => path.startsWith(ownPrefix);

async function prepare(folder: string, target: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o755 });
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  await removeDiscarded(folder);
  await rm(target, { recursive: true, force: true });
  await mkdir(target, privateFolder);
}

/** @throws Failure `restore-refused` (`no-space`) */
export function requireUploadSpace(folder: string, uploads: Iterable<UploadEntry>): void {
  const needed = spaceFor(uploads);
  const free = freeBytes(folder);
  if (free < needed) throw refusal(folder, { kind: 'no-space', folder, needed, free, uploads: true });
}

/**
 * Bytes that uploads take on a disk. The files of a folder are consecutive in an archive, so a folder is counted when
 * it changes.
 */
function spaceFor(uploads: Iterable<UploadEntry>): number {
  let bytes = 0;
  let last: string | null = null;
  for (const upload of uploads) {
    if (isOurs(upload)) continue;
    const folder = dirname(upload.path);
    bytes += upload.entry.size + (folder === last ? blockSize : 2 * blockSize);
    last = folder;
  }
  return bytes;
}

interface Unpacker {
  /** Writes a short file: a promise for each of many takes longer than the file. */
  readonly whole: (upload: UploadEntry, content: Buffer) => void;
  readonly inPieces: (upload: UploadEntry) => Promise<void>;
}

/** The mode of an unpacked file, and of a folder, whatever the umask. */
const [fileMode, folderMode] = [0o644, 0o755];

/**
 * Milliseconds between two checks, because each reads a file. The clock runs on while the process is stopped, so a
 * process that continues checks before it writes again.
 */
const checkInterval = 50;

function unpackerOf(target: string, { signal, onBytes, checkOwner = noOwnerCheck }: StagingOptions): Unpacker {
  /** The folder of the last file, and whether the files in it have the right mode without more ado. */
  let last: { readonly folder: string; readonly givesMode: boolean } = { folder: target, givesMode: false };
  let askedAt = -Infinity;
  const ask = (): void => {
    if (performance.now() - askedAt < checkInterval) return;
    checkOwner();
    askedAt = performance.now();
  };
  const makeFolder = (folder: string): void => {
    if (folder === target) return;
    makeFolder(dirname(folder));
    try {
      mkdirSync(folder);
      chmodSync(folder, folderMode);
    } catch (error) {
      // it was made just now: no other user may enter the set, and no entry of an archive is a link
      if (!hasCode(error, 'EEXIST')) throw error;
    }
  };

  /** Opens the new file. Fails if the path exists, also as a link. */
  const openNew = (path: string): number => {
    const file = containedIn(target, path);
    ask();
    signal.throwIfAborted();
    const folder = dirname(file);
    const isOther = folder !== last.folder;
    if (isOther) makeFolder(folder);
    const out = openSync(file, 'wx', fileMode);
    // umask and default ACLs change the mode alike for all files in a folder
    if (isOther) last = { folder, givesMode: (fstatSync(out).mode & 0o7777) === fileMode };
    if (!last.givesMode) fchmodSync(out, fileMode);
    return out;
  };

  return {
    whole({ path }, content) {
      const out = openNew(path);
      try {
        for (let at = 0; at < content.length;) at += writeSync(out, content, at);
      } finally {
        closeSync(out);
      }
      onBytes(content.length);
    },
    async inPieces({ path, entry }) {
      const content = await entry.open();
      const out = createWriteStream('', { fd: openNew(path) });
      await pipeline(content, countBytes(onBytes), out, { signal });
    },
  };
}

/** A path with an empty part, `.` or `..`, or with NUL. */
const notPlain = /(?:^|\/)\.{0,2}(?:\/|$)|\0/;

/** The reader has checked the names already; this checks again where the path is built. */
function containedIn(target: string, path: string): string {
  if (!notPlain.test(path)) return `${target}/${path}`;
  const reason = restoreReasons.outsideFolder(path);
  throw refusal(target, { kind: 'folder', folder: target, reason, uploads: true });
}

function explainFailure(error: unknown, folder: string, uploads: Iterable<UploadEntry>): unknown {
  if (hasCode(error, 'ENOSPC', 'EDQUOT')) {
    const free = freeBytes(folder);
    return refusal(folder, { kind: 'no-space', folder, needed: spaceFor(uploads), free, uploads: true }, error);
  }
  // an error from reading the archive has no system call, or one that reads
  const writes = error instanceof Error && 'syscall' in error && error.syscall !== 'read';
  return writes ? refusal(folder, { kind: 'folder', folder, reason: reasonOf(error), uploads: true }, error) : error;
}

function refusal(database: string, obstacle: RestoreObstacle, cause?: unknown): Failure {
  return new Failure({ kind: 'restore-refused', database, obstacle }, { cause });
}
