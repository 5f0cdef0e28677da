import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ArchiveLimits } from '../config/config.ts';
import { hasCode } from '../errors/error-code.ts';
import { Failure, reasonOf } from '../errors/failure.ts';
import { standardInput } from '../model/archive.ts';
import { makeFolder } from '../platform/make-folder.ts';
import { archiveRejected } from './archive-error.ts';
import { freeBytes } from '../platform/free-space.ts';

const prefix = 'timetracker_received_';
const suffix = '.partial';

/** Whether a file of the backup folder is an archive that is being received, or was left by a killed run. */
export function isSpool(name: string): boolean {
  return name.startsWith(prefix) && name.endsWith(suffix);
}

/** Bytes that must stay free: the folder may be on the same disk as the database. */
const reservedSpace = 64 * 1024 * 1024;
/** Bytes after which the free space is checked again. */
const checkEvery = 16 * 1024 * 1024;

export interface ReceiveOptions {
  readonly folder: string;
  /** The name that messages use for the database to restore. */
  readonly database: string;
  readonly limits: ArchiveLimits;
  readonly signal: AbortSignal;
  /** Called with the number of bytes of each piece. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Receives an archive from a stream. The directory of a ZIP file is at its end, so the archive is written to the disk
 * first. It is removed afterwards.
 * @param work called with the path of the file
 * @throws Failure `restore-refused` if there is no room; `archive-rejected` if the stream is empty or too long
 */
export async function withReceived<Result>(
  source: Readable,
  options: ReceiveOptions,
  work: (file: string) => Promise<Result>,
): Promise<Result> {
  const { folder } = options;
  const file = join(folder, `${prefix}${randomUUID()}${suffix}`);
  let received = 0;
  const onBytes = (bytes: number): void => {
    received += bytes;
    options.onBytes(bytes);
  };
  try {
    await receive(source, file, { ...options, onBytes });
    return await work(file);
  } catch (error) {
    throw namingStandardInput(error, file, received);
  } finally {
    await rm(file, { force: true });
  }
}

/** A rejection that names standard input instead of the temporary file. */
function namingStandardInput(error: unknown, file: string, received: number): unknown {
  if (!(error instanceof Failure) || error.problem.kind !== 'archive-rejected') return error;
  const { archive, fault } = error.problem;
  if (archive !== file && archive !== standardInput) return error;
  switch (fault.kind) {
    case 'missing':
    case 'invalid':
    case 'piece':
    case 'access':
    case 'other-format':
    case 'wrapped':
      return archiveRejected(standardInput, { kind: 'stream', received, fault }, { cause: error });
    case 'too-large':
    case 'unknown-objects':
    case 'unusable':
    case 'no-tool':
    case 'stream':
      return archiveRejected(standardInput, fault, { cause: error });
  }
}

async function receive(source: Readable, file: string, options: ReceiveOptions): Promise<void> {
  const { folder, database, limits, signal, onBytes } = options;
  const refuse = (obstacle: Extract<Failure['problem'], { kind: 'restore-refused' }>['obstacle']): Failure =>
    new Failure({ kind: 'restore-refused', database, obstacle });
  let received = 0;
  const requireSpace = (): void => {
    const free = freeBytes(folder);
    if (free < reservedSpace)
      throw refuse({ kind: 'no-space', folder, needed: received + reservedSpace, free, uploads: false });
  };
  const bounded = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    let next = checkEvery;
    for await (const chunk of chunks) {
      received += chunk.length;
      if (received > limits.bytes) {
        const exceeded = { kind: 'received', limit: limits.bytes } as const;
        throw archiveRejected(standardInput, { kind: 'too-large', exceeded });
      }
      if (received > next) {
        next = received + checkEvery;
        requireSpace();
      }
      onBytes(chunk.length);
      yield chunk;
    }
  };
  try {
    makeFolder(folder);
    requireSpace();
    await pipeline(source, bounded, createWriteStream(file, { flags: 'wx', mode: 0o600 }), { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Failure) throw error;
    if (hasCode(error, 'ENOSPC', 'EDQUOT')) {
      throw refuse({ kind: 'no-space', folder, needed: received + reservedSpace, free: 0, uploads: false });
    }
    throw refuse({ kind: 'folder', folder, reason: reasonOf(error), uploads: false });
  }
  if (received === 0) throw archiveRejected(standardInput, { kind: 'stream', received, fault: null });
}
