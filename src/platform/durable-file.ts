import {
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { hasCode } from '../errors/error-code.ts';

/**
 * Flushes a file, or the names in a folder, to the disk: a rename is only durable after that. Some file
 * systems do not support it for a folder (EINVAL), which is ignored.
 * @throws Error of the file system
 */
export function syncToDisk(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } catch (error) {
    if (!hasCode(error, 'EINVAL')) throw error;
  } finally {
    closeSync(handle);
  }
}

/**
 * Replaces a file atomically and durably: after a power loss the file has either the former content or this one.
 * @param mode of the file, whatever the umask is
 * @param partial where the content is written first, beside the file
 * @throws Error of the file system; then the file is as it was
 */
export function replaceFile(file: string, text: string, mode: number, partial = `${file}.partial`): void {
  try {
    const handle = openSync(partial, 'w', mode);
    try {
      writeFileSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    chmodSync(partial, mode);
    renameSync(partial, file);
    syncToDisk(dirname(file));
  } catch (error) {
    removeIfPossible(partial);
    throw error;
  }
}

/** Removes a file if it can: otherwise the next write replaces it. */
function removeIfPossible(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // the caller throws the first error, which says more
  }
}

/**
 * Writes a world-readable file atomically: a reader never sees half of it, even if two containers write it at the same
 * time, whose process ids are often equal. A device or a pipe is written to, and not replaced.
 * @throws Error of the file system
 */
export function writeAtomically(file: string, text: string): void {
  // the global `crypto`: a run that writes nothing does not load node:crypto
  if (!isStream(file)) return replaceFile(file, text, 0o644, `${file}.${crypto.randomUUID()}.partial`);
  // without O_NONBLOCK, opening a pipe without a reader would block for ever
  const handle = openSync(file, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    writeFileSync(handle, text);
  } finally {
    closeSync(handle);
  }
}

/** Whether a path is a device, a pipe or a socket, such as /dev/stdout, which a file must not replace. */
export function isStream(path: string): boolean {
  try {
    const stats = statSync(path);
    return stats.isCharacterDevice() || stats.isFIFO() || stats.isSocket() || stats.isBlockDevice();
  } catch {
    return false;
  }
}
