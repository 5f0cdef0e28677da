import { dirname } from 'node:path';
import { reasonOf } from '../errors/failure.ts';
import { replaceFile } from '../platform/durable-file.ts';
import { makeStateFolder } from './state-paths.ts';
import { stateFolderMessages } from '../report/state-folder-messages.ts';

/**
 * Writes a file of the state folder as JSON, atomically and durably. Makes the folder if it is missing.
 * @throws Error that names the file
 */
export function writeStateFile(file: string, content: unknown): void {
  try {
    makeStateFolder(dirname(file));
    replaceFile(file, `${JSON.stringify(content, null, 2)}\n`, 0o600);
  } catch (error) {
    throw new Error(stateFolderMessages.unwritableFile(file, reasonOf(error)), { cause: error });
  }
}
