import { Failure, type Problem } from '../../errors/failure.ts';
import { sqliteReasons } from '../../report/sqlite-reasons.ts';
import { judgeFileSystem, requireWritable } from './file-system.ts';
import { requireLockFile } from './lock.ts';
import { lacksRoomForWalIndex } from './recover-side-files.ts';

/**
 * Makes the checks that a run that writes makes before it reads a file, without writing: the file system, the rights on
 * the folder, the file and the lock file, and the space for the WAL index.
 */
export function findEntryObstacle(file: string, allowNetworkFs: boolean): Problem | null {
  try {
    judgeFileSystem(file, allowNetworkFs);
    requireWritable(file);
    requireLockFile(file);
    return lacksRoomForWalIndex(file)
      ? { kind: 'unreadable', database: file, reason: sqliteReasons.noRoomForIndex(file) }
      : null;
  } catch (error) {
    if (error instanceof Failure) return error.problem;
    throw error;
  }
}
