import { open, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { counted } from './byte-counter.ts';
import type { ArchiveEntry } from './reader.ts';

export interface ExtractOptions {
  readonly signal: AbortSignal;
  /** Hears of each piece how many bytes it has. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * Unpacks a member into a new file that only its owner can read, and which has reached the disk when this returns.
 * On a failure there is no such file; one that was there before stays as it was.
 * @throws Failure `archive-rejected`, or the error of the file system
 */
export async function extractEntry(entry: ArchiveEntry, path: string, options: ExtractOptions): Promise<void> {
  const { signal, onBytes } = options;
  const content = await entry.open();
  const handle = await open(path, 'wx', 0o600);
  try {
    await pipeline(content, counted(onBytes), handle.createWriteStream({ flush: true }), { signal });
  } catch (error) {
    await rm(path, { force: true });
    const isWritten = error instanceof Error && 'syscall' in error && error.syscall === 'write';
    throw isWritten ? new Error(`${path} cannot be written (${error.message})`, { cause: error }) : error;
  }
}
