import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from './cleanup.ts';

/** An empty directory of its own, as an absolute path without symlinks. It is removed after the file's tests. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(await realpath(tmpdir()), 'db-init-test-'));
  atEnd(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
