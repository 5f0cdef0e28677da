import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { takeFileLock } from '../database/sqlite/lock.ts';
import { displayNameOf } from '../database/target-name.ts';
import { Failure, reasonOf } from '../errors/failure.ts';
import { makeStateFolder, stateFolderOf } from '../state-folder/state-paths.ts';
import { describeNoFolderLock } from '../report/restore-messages.ts';
import type { BeforeStep, RestoreContext } from './target.ts';
import {
  describeWaitedFor,
  isClaimed,
  type Journal,
  journalFileOf,
  removeJournal,
  writeJournal,
} from '../state-folder/journal.ts';
import { waitingMessages } from '../report/connection-messages.ts';

/** The journal of a backup folder in the hands of one run. */
export interface HeldJournal {
  readonly mayGoOn: BeforeStep;
  /** That another run has the journal by now: then nothing may be settled either. Null if it is still this run's. */
  takenOver(): Failure | null;
  /** Begins a journal, or takes over the one that another run left. */
  claim(journal: Journal): void;
  /** Writes the next phase, if the journal is still this run's. */
  write(journal: Journal): void;
  /** Removes it, if it is still this run's. */
  remove(): void;
  release(): void;
}

type Holding = Pick<RestoreContext, 'config' | 'log' | 'signal'>;

/**
 * Takes the kernel's lock on the backup folder, which a run holds for as long as it lives, stopped or not. Where the
 * file system has no locks, the journal alone tells whether another run has taken over: that is warned of.
 * @throws Failure `locked`; `restore-refused` (`folder`) if there is no place for a lock and a journal
 */
export async function holdJournal({ config, log, signal }: Holding): Promise<HeldJournal> {
  const release = await lockFolder({ config, log, signal });
  const claim = randomUUID();
  const takenOver = (): Failure | null => {
    if (isClaimed(config, claim)) return null;
    const obstacle = { kind: 'taken-over', journal: journalFileOf(config) } as const;
    return new Failure({ kind: 'restore-refused', database: displayNameOf(config.database), obstacle });
  };
  const mayGoOn = (): void => {
    const failure = takenOver();
    if (failure !== null) throw failure;
  };
  return {
    mayGoOn,
    takenOver,
    claim: (journal) => writeJournal(config, journal, claim),
    write(journal) {
      mayGoOn();
      writeJournal(config, journal, claim);
    },
    remove() {
      mayGoOn();
      removeJournal(config);
    },
    release,
  };
}

async function lockFolder({ config, log, signal }: Holding): Promise<() => void> {
  const folder = stateFolderOf(config);
  try {
    makeStateFolder(folder);
  } catch (error) {
    throw noFolder(config, displayNameOf(config.database), error);
  }
  try {
    return await takeFileLock(join(folder, 'lock'), {
      lockTimeout: config.lockTimeout,
      signal,
      onLockWaiting({ description }, secondsLeft) {
        const what = describeWaitedFor(config);
        log.info(waitingMessages.restore(what, secondsLeft, description));
      },
    });
  } catch (error) {
    if (error instanceof Failure || signal.aborted) throw error;
    log.warn(describeNoFolderLock(folder, reasonOf(error)));
    return () => undefined;
  }
}

/** There is no place for a lock and a journal. */
export function noFolder(
  { backupFolder: folder }: Pick<Config, 'backupFolder'>,
  database: string,
  error: unknown,
): Failure {
  const obstacle = { kind: 'folder', folder, reason: reasonOf(error), uploads: false } as const;
  return new Failure({ kind: 'restore-refused', database, obstacle }, { cause: error });
}
