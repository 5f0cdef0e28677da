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

/**
 * Writes a file for everybody to read, whole or not at all: who reads it never finds half of it. A device or a pipe
 * stays what it is.
 * @throws Error of the file system
 */
export function writeWhole(file: string, text: string): void {
  if (takesBytes(file)) {
    // who waits for a pipe that nobody reads waits for ever
    const handle = openSync(file, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      return writeFileSync(handle, text);
    } finally {
      closeSync(handle);
    }
  }
  const partial = `${file}.${process.pid}.partial`;
  try {
    const handle = openSync(partial, 'w', 0o644);
    try {
      writeFileSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    // whatever the umask is
    chmodSync(partial, 0o644);
    renameSync(partial, file);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

/** Whether it is something like /dev/stdout, that a file must not take the place of. */
function takesBytes(path: string): boolean {
  try {
    const stats = statSync(path);
    return stats.isCharacterDevice() || stats.isFIFO() || stats.isSocket() || stats.isBlockDevice();
  } catch {
    return false;
  }
}
