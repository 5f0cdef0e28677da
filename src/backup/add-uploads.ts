import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Member } from '../archive/manifest.ts';
import type { ArchiveWriter } from '../archive/writer.ts';
import type { BackupContext } from './context.ts';
import { notReadable, type Skipped, unlessDeleted, type UploadFile } from './uploads.ts';
import { backupMessages } from '../report/backup-messages.ts';

/** What became of the files that were to be archived. */
export interface Added {
  readonly members: readonly (readonly [name: string, member: Member])[];
  readonly skipped: readonly Skipped[];
}

/** Formats that gain nothing from being compressed once more. */
const compressed =
  /\.(jpe?g|png|gif|webp|avif|heic|pdf|zip|gz|tgz|bz2|xz|zst|7z|rar|docx|xlsx|pptx|od[tsp]|mp[34]|m4[av]|mov|webm|ogg)$/i;
/** Bytes that are read at a time. */
const chunk = 128 * 1024;
/** Bytes: what is smaller gains less than a disk's block. */
const worthDeflating = 4096;
/** A link or a pipe that stands there by now is neither followed nor waited for. */
const careful = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Adds files to an archive, each as long as it was when it was opened.
 * @throws Error that names what cannot be read
 */
export async function addUploads(
  archive: ArchiveWriter,
  files: readonly UploadFile[],
  signal: AbortSignal,
): Promise<Added> {
  const members: (readonly [string, Member])[] = [];
  const skipped: Skipped[] = [];
  for (const file of files) {
    signal.throwIfAborted();
    const added = await addUpload(archive, file, signal);
    if ('why' in added) skipped.push(added);
    else members.push([file.member, added]);
  }
  return { members, skipped };
}

async function addUpload(
  archive: ArchiveWriter,
  { member: name, path }: UploadFile,
  signal: AbortSignal,
): Promise<Member | Skipped> {
  const handle = await unlessDeleted(path, () => open(path, careful));
  if (handle === null) return { path, why: 'it vanished meanwhile' };
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) return { path, why: 'it is no file any more' };
    const content = readFile(handle, stats.size, path);
    // a pipeline of its own for each small file would take longer than the file, and fill the memory with what it leaves
    const fill = (into: Writable): Promise<void> =>
      stats.size > chunk ? pipeline(content, into, { signal }) : pour(content, into);
    return (await archive.add(name, stats.size >= worthDeflating && !compressed.test(name), fill, stats.mtime)).member;
  } finally {
    await handle.close();
  }
}

/** For what is less than a stream takes in: it is not asked whether it wants more. */
async function pour(content: AsyncIterable<Buffer>, into: Writable): Promise<void> {
  for await (const bytes of content) into.write(bytes);
  into.end();
}

/** The bytes up to `size`, or to the end where the file has become shorter. */
async function* readFile(handle: FileHandle, size: number, path: string): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < size;) {
    // not from Node's pool: the archive's directory keeps each name, and would keep what lies beside it there
    const buffer = Buffer.allocUnsafeSlow(Math.min(chunk, size - at));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at).catch((error: unknown) => {
      throw notReadable(path, error);
    });
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** More than that would bury what else is said. */
const told = 20;

/** Says what is not in the archive, and why. */
export function warnOfSkipped(skipped: readonly Skipped[], { log }: Pick<BackupContext, 'log'>): void {
  for (const { path, why } of skipped.slice(0, told)) log.warn(backupMessages.skipped(path, why));
  if (skipped.length > told) log.warn(backupMessages.moreSkipped(skipped.length - told));
}
