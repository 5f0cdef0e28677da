import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasCode } from '../errors/error-code.ts';

/**
 * Makes a folder and those above it. Node's own recursive mkdir never ends below a folder like /proc, where mkdir
 * reports a missing parent (ENOENT) although the parent exists.
 * @param mode of a folder that is made, less the umask
 * @returns whether it was made just now
 * @throws Error as mkdir does
 */
export function makeFolder(path: string, mode = 0o777): boolean {
  if (isFolder(path)) return false;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent, mode);
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    // another run may have made it after the check
    if (hasCode(error, 'EEXIST') && isFolder(path)) return false;
    throw error;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
