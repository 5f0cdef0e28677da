import { createYielder } from '../platform/event-loop.ts';
import type { ArchiveEntry } from './entry-content.ts';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Failure, reasonOf } from '../errors/failure.ts';
import type { Archive } from './reader.ts';
import { invalid, archiveRejected } from './archive-error.ts';
import { tap } from './entry-content.ts';

export interface VerifyOptions {
  /** Reads the database entry to its end, and throws if it cannot be restored. */
  readonly verifyDatabase: (content: Readable) => Promise<void>;
  /** Called with the number of bytes of each piece. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  readonly signal: AbortSignal;
}

/**
 * Reads every entry of an archive to its end: size, checksum and, where our manifest has one, hash.
 * @throws Failure `archive-rejected` that names the entry; a Failure that `verifyDatabase` throws; or the signal's
 *   reason
 */
export async function verifyEntries(archive: Archive, options: VerifyOptions): Promise<void> {
  const pause = createYielder();
  for (const entry of archive.entries) {
    await pause();
    options.signal.throwIfAborted();
    if (entry.name === archive.database.name) await verifyDatabase(archive, options);
    else if (entry.whole === undefined) await readToEnd(entry, options);
    else options.onBytes?.(entry.whole().length);
  }
  options.signal.throwIfAborted();
}

async function verifyDatabase({ file, database }: Archive, options: VerifyOptions): Promise<void> {
  const content = new PassThrough();
  // read the rest of the entry, which `verifyDatabase` may not read: the hash covers it
  const verify = async (): Promise<void> => {
    try {
      await options.verifyDatabase(content);
    } finally {
      content.resume();
    }
  };
  const [read, verified] = await Promise.allSettled([readToEnd(database, options, content), verify()]);
  options.signal.throwIfAborted();
  // if the entry is damaged, that is the reason why it cannot be restored
  if (read.status === 'rejected' && read.reason instanceof Failure) throw read.reason;
  if (verified.status === 'rejected') throw failureOf(file, database, verified.reason);
  if (read.status === 'rejected') throw read.reason;
}

function failureOf(file: string, { name }: ArchiveEntry, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const defect = { kind: 'database-unreadable', name, reason: reasonOf(error) } as const;
  return archiveRejected(file, invalid(defect), { cause: error });
}

/** Reads an entry to its end. @param into receives the content as well */
async function readToEnd(entry: ArchiveEntry, { onBytes, signal }: VerifyOptions, into?: PassThrough): Promise<void> {
  const look = (chunk: Buffer): void => {
    signal.throwIfAborted();
    onBytes?.(chunk.length);
  };
  const content: Readable & AsyncIterable<Buffer> = await entry.open();
  if (into === undefined) for await (const chunk of content) look(chunk);
  else await pipeline(content, tap(look), into, { signal });
}
