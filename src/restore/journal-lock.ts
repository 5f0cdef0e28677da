import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { takeFileLock } from '../database/sqlite/lock.ts';
import { displayNameOf } from '../database/target-name.ts';
import { Failure, reasonOf } from '../errors/failure.ts';
import { makeStateFolder, stateFolderOf } from '../state-folder/state-paths.ts';
import { describeNoFolderLock } from '../report/restore-messages.ts';
import type { OwnerCheck, RestoreContext } from './target.ts';
import {
  describeRunningRestore,
  isClaimed,
  type Journal,
  journalFileOf,
  removeJournal,
  writeJournal,
} from '../state-folder/journal.ts';
import { waitingMessages } from '../report/opening-messages.ts';
import { stateFolderUnusable } from './failures.ts';

/** The journal of a backup folder, while this run holds its lock. */
export interface HeldJournal {
  readonly checkOwner: OwnerCheck;
  /**
   * The failure if another run has taken over the journal: then this run must not recover anything. Null if this run
   * still owns the journal.
   */
  takenOver(): Failure | null;
  /** Writes a journal and becomes its owner: a new one, or that of a dead run. */
  claim(journal: Journal): void;
  /** Writes the next phase. @throws Failure `taken-over` */
  write(journal: Journal): void;
  remove(): void;
  release(): void;
}

type LockContext = Pick<RestoreContext, 'config' | 'log' | 'signal'>;

/**
 * Takes the lock of the journal, a lock of the kernel on a file in the state folder. A process holds it until it ends,
 * even while it is stopped. If the file system has no locks, this logs a warning; then only the owner in the journal
 * shows whether another run has taken over.
 * @throws Failure `locked`; `restore-refused` (`folder`) if there is no place for a lock and a journal
 */
export async function holdJournal({ config, log, signal }: LockContext): Promise<HeldJournal> {
  const release = await lockFolder({ config, log, signal });
  const claim = randomUUID();
  const takenOver = (): Failure | null => {
    if (isClaimed(config, claim)) return null;
    const obstacle = { kind: 'taken-over', journal: journalFileOf(config) } as const;
    return new Failure({ kind: 'restore-refused', database: displayNameOf(config.database), obstacle });
  };
  const checkOwner = (): void => {
    const failure = takenOver();
    if (failure !== null) throw failure;
  };
  return {
    checkOwner,
    takenOver,
    claim: (journal) => writeJournal(config, journal, claim),
    write(journal) {
      checkOwner();
      writeJournal(config, journal, claim);
    },
    remove() {
      checkOwner();
      removeJournal(config);
    },
    release,
  };
}

async function lockFolder({ config, log, signal }: LockContext): Promise<() => void> {
  const folder = stateFolderOf(config);
  try {
    makeStateFolder(folder);
  } catch (error) {
    throw stateFolderUnusable(config, displayNameOf(config.database), error);
  }
  try {
    return await takeFileLock(join(folder, 'lock'), {
      lockTimeout: config.lockTimeout,
      signal,
      onLockWaiting({ description }, secondsLeft) {
        const what = describeRunningRestore(config);
        log.info(waitingMessages.restore(what, secondsLeft, description));
      },
    });
  } catch (error) {
    if (error instanceof Failure || signal.aborted) throw error;
    log.warn(describeNoFolderLock(folder, reasonOf(error)));
    return () => undefined;
  }
}
