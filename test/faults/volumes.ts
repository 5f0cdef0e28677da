import { execaSync } from 'execa';
import { atEnd } from '../support/cleanup.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A test's own file system in memory. */
export interface Volume {
  readonly path: string;
  /** Makes it read-only, for root as well. */
  makeReadOnly(): void;
  /** Makes it writable again. */
  makeWritable(): void;
}

/** Why no volume can be mounted here; null if it can. */
export const noVolumes: string | null = whyNot();

/**
 * Mounts a small file system, which is removed after the tests of the file.
 * @param size as mount takes it: `2m`
 * @param folder where it is mounted
 */
export async function mountVolume(size: string, folder?: string): Promise<Volume> {
  const path = folder ?? (await temporaryDirectory());
  execaSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0777`, 'db-init-test', path]);
  // a process that is ending may still be there
  atEnd(() => Promise.resolve(execaSync('umount', ['--lazy', path])));
  return {
    path,
    makeReadOnly: () => void execaSync('mount', ['-o', 'remount,ro', path]),
    makeWritable: () => void execaSync('mount', ['-o', 'remount,rw', path]),
  };
}

function whyNot(): string | null {
  if (process.platform !== 'linux') return 'only Linux has tmpfs';
  const { failed, stderr } = execaSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'x', '/mnt'], { reject: false });
  return failed ? `nothing may be mounted here: ${stderr.trim().split('\n')[0] ?? ''}` : null;
}
