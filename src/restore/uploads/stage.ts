import type { ArchiveEntry } from '../../archive/manifest.ts';
import { access, chmod, constants, mkdir, open, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { countBytes } from '../../archive/byte-counter.ts';
import type { UploadRoot } from '../../config/config.ts';
import { hasCode } from '../../errors/error-code.ts';
import { Failure, reasonOf, type RestoreObstacle } from '../../errors/failure.ts';
import { alone, type BeforeStep } from '../before-step.ts';
import { bytePathOf, sync } from './byte-path-fs.ts';
import { isThere, inPrivateFolder, removeDiscarded, setFolder } from './upload-sets.ts';
import { ownPrefix } from '../../platform/own-files.ts';
import { freeSpace } from '../../platform/free-space.ts';

/** A file that belongs below a folder of uploads. */
export interface UploadMember {
  /** Relative to the folder. */
  readonly path: string;
  readonly entry: ArchiveEntry;
}

export interface StagingOptions {
  readonly signal: AbortSignal;
  /** Told of the bytes as they come, those of members that are left out included. */
  readonly onBytes: (bytes: number) => void;
  /** Asked before each file. */
  readonly mayGoOn?: BeforeStep;
}

/**
 * Looks whether folders of uploads can be written, or made, before the long work begins.
 * @throws Failure `restore-refused` (`folder`)
 */
export async function requireWritable(folders: readonly Pick<UploadRoot, 'folder'>[]): Promise<void> {
  for (const { folder } of folders) {
    try {
      await access((await isThere(folder)) ? folder : dirname(folder), constants.W_OK | constants.X_OK);
    } catch (error) {
      throw refusal(folder, { kind: 'folder', folder, reason: reasonOf(error), uploads: true }, error);
    }
  }
}

/** A folder, or the last piece of a file, in bytes at the most. */
const block = 4096;

/**
 * Unpacks uploads into the incoming set of their folder, where they are in nobody's way. The folder itself is made if
 * it is missing. Files come out readable for all (0644, folders 0755), owned by who runs, and are on the disk at the
 * end. If it fails, nothing stays of them.
 * @throws Failure `restore-refused`: `no-space`, `folder`; or whatever the members' content ends in
 */
export async function stageUploads(
  { folder }: UploadRoot,
  members: readonly UploadMember[],
  id: string,
  options: StagingOptions,
): Promise<void> {
  const target = setFolder(folder, 'incoming', id);
  // the application's own archives hold what db-init keeps in the folder: that is none of its uploads
  const [left, taken] = [members.filter(isOurs), members.filter((member) => !isOurs(member))];
  try {
    await prepare(folder, target);
    requireUploadSpace(folder, taken);
    options.onBytes(sizeOf(left));
    const unpack = unpackerOf(await realpath(target), options);
    for (const member of taken) await unpack.file(member);
    await unpack.settle();
    await sync(bytePathOf(folder));
  } catch (error) {
    // the first error is the one that matters
    await rm(target, { recursive: true, force: true }).catch(() => undefined);
    throw explain(error, folder, taken);
  }
}

const isOurs = ({ path }: UploadMember): boolean => path.startsWith(ownPrefix);

async function prepare(folder: string, target: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o755 });
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  await removeDiscarded(folder);
  await rm(target, { recursive: true, force: true });
  await mkdir(target, inPrivateFolder);
}

/** @throws Failure `restore-refused` (`no-space`) */
export function requireUploadSpace(folder: string, members: readonly UploadMember[]): void {
  const folders = new Set(members.map(({ path }) => dirname(path)));
  const needed = sizeOf(members) + (members.length + folders.size) * block;
  const free = freeSpace(folder);
  if (free < needed) throw refusal(folder, { kind: 'no-space', folder, needed, free, uploads: true });
}

const sizeOf = (members: readonly UploadMember[]): number =>
  members.reduce((total, { entry }) => total + entry.size, 0);

/** Files that are put on the disk at once: file systems write down several in the time of one. */
const together = 16;

interface Unpacker {
  file(member: UploadMember): Promise<void>;
  /** Puts everything on the disk. All at the end: after the first file, there is little left to wait for. */
  settle(): Promise<void>;
}

function unpackerOf(target: string, { signal, onBytes, mayGoOn = alone }: StagingOptions): Unpacker {
  const folders = new Set([target]);
  const files: string[] = [];
  const makeFolder = async (folder: string): Promise<void> => {
    if (folders.has(folder)) return;
    await makeFolder(dirname(folder));
    await mkdir(folder);
    await chmod(folder, 0o755);
    folders.add(folder);
  };

  return {
    async file({ path, entry }) {
      const file = containedIn(target, path);
      mayGoOn();
      await makeFolder(dirname(file));
      const content: AsyncIterable<Buffer> = await entry.open();
      // fails if anything is there, a link included; and no folder on the way is one, for all were made just now
      const out = await open(file, 'wx', 0o644);
      try {
        await writeFile(out, countBytes(onBytes)(content), { signal });
        // whatever the umask
        await out.chmod(0o644);
      } finally {
        await out.close();
      }
      files.push(file);
    },

    async settle() {
      const paths = [...files, ...folders];
      for (let at = 0; at < paths.length; at += together) {
        signal.throwIfAborted();
        await Promise.all(paths.slice(at, at + together).map((path) => sync(bytePathOf(path))));
      }
    },
  };
}

/** The reader has looked at the names already: this is the last word, where the path is built. */
function containedIn(target: string, path: string): string {
  const file = join(target, path);
  if (!file.startsWith(target + sep) || file.endsWith(sep) || path.includes('\0')) {
    throw refusal(target, {
      kind: 'folder',
      folder: target,
      reason: `${JSON.stringify(path)} would lie outside of it`,
      uploads: true,
    });
  }
  return file;
}

function explain(error: unknown, folder: string, members: readonly UploadMember[]): unknown {
  if (hasCode(error, 'ENOSPC', 'EDQUOT')) {
    const free = freeSpace(folder);
    return refusal(folder, { kind: 'no-space', folder, needed: sizeOf(members), free, uploads: true }, error);
  }
  // what reading the archive ends in has no system call, or is one of reading
  const writes = error instanceof Error && 'syscall' in error && error.syscall !== 'read';
  return writes ? refusal(folder, { kind: 'folder', folder, reason: reasonOf(error), uploads: true }, error) : error;
}

function refusal(database: string, obstacle: RestoreObstacle, cause?: unknown): Failure {
  return new Failure({ kind: 'restore-refused', database, obstacle }, { cause });
}
