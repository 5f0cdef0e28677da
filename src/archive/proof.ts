import { createHash } from 'node:crypto';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Failure, reasonOf } from '../failure.ts';
import type { Archive, ArchiveEntry } from './reader.ts';
import { invalid, rejection, shown } from './rejection.ts';
import { tap } from './counted.ts';

export interface ProofOptions {
  /** Reads the content of the database member to its end, and throws if it cannot be restored. */
  readonly proveDatabase: (content: Readable) => Promise<void>;
  /** Hears of each piece how many bytes it has. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  readonly signal: AbortSignal;
}

/**
 * Reads every member of an archive to its end: size, checksum and, where our manifest has one, hash.
 * @throws Failure `archive-rejected` that names the member; what `proveDatabase` throws as a Failure of its own; or
 * the signal's reason
 */
export async function proveArchive(archive: Archive, options: ProofOptions): Promise<void> {
  for (const entry of archive.members) {
    options.signal.throwIfAborted();
    const hash = entry === archive.database ? await proveDatabase(archive, options) : await hashOf(entry, options);
    const promised = archive.manifest?.members[entry.name]?.sha256 ?? hash;
    if (hash === promised) continue;
    throw rejection(archive.file, invalid(`the member ${shown(entry.name)} is damaged: its hash is another one`));
  }
}

async function proveDatabase({ file, database }: Archive, options: ProofOptions): Promise<string> {
  const content = new PassThrough();
  // what the proof leaves unread is read all the same: it has a hash too
  const prove = async (): Promise<void> => {
    try {
      await options.proveDatabase(content);
    } finally {
      content.resume();
    }
  };
  const [hashed, proven] = await Promise.allSettled([hashOf(database, options, content), prove()]);
  options.signal.throwIfAborted();
  // a damaged member explains why it could not be restored
  if (hashed.status === 'rejected' && hashed.reason instanceof Failure) throw hashed.reason;
  if (proven.status === 'rejected') throw failureOf(file, database, proven.reason);
  if (hashed.status === 'rejected') throw hashed.reason;
  return hashed.value;
}

function failureOf(file: string, { name }: ArchiveEntry, error: unknown): Failure {
  if (error instanceof Failure) return error;
  return rejection(file, invalid(`its ${name} cannot be restored: ${reasonOf(error)}`), { cause: error });
}

/** Reads a member to its end. @param into gets the content as well */
async function hashOf(entry: ArchiveEntry, { onBytes, signal }: ProofOptions, into?: PassThrough): Promise<string> {
  const hash = createHash('sha256');
  const look = (chunk: Buffer): void => {
    signal.throwIfAborted();
    hash.update(chunk);
    onBytes?.(chunk.length);
  };
  const content: Readable & AsyncIterable<Buffer> = await entry.open();
  if (into === undefined) for await (const chunk of content) look(chunk);
  else await pipeline(content, tap(look), into, { signal });
  return hash.digest('hex');
}
