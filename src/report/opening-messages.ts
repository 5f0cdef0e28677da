import { type Commands, folderOf } from './commands.ts';

/** Log lines while a run waits for the server or a lock, or before it tries again. */
export const waitingMessages = {
  server: (reason: string, secondsLeft: number): string =>
    `Waiting for the database, ${secondsLeft} s at most: ${reason}.`,
  otherRun: (holder: string, secondsLeft: number): string =>
    `Waiting for another run, ${secondsLeft} s at most: ${holder}.`,
  /** @param what who has the lock of restores @param holder more of them, where it is known */
  restore: (what: string, secondsLeft: number, holder?: string): string =>
    `Waiting for ${what}, ${secondsLeft} s at most${holder === undefined ? '' : `: ${holder}`}.`,
  retry: (reason: string): string => `Trying again: ${reason}.`,
};

/** Of several servers in an address, the one that a run works on. */
export function describeSelectedServer(database: string): string {
  return `The address names several servers. This run uses ${database}.`;
}

/** Warns of a SQLite file that is on no volume. */
export function describeUnmountedFile(file: string, commands: Commands): readonly string[] {
  const folder = folderOf(file);
  return [
    `THE DATABASE IS ON NO VOLUME: ${file} is in this container, and is deleted with it.`,
    `Mount a volume at ${folder}, in the application's service and in db-init's. Save what is in the application's container before that.`,
    ...[commands.saveFolder(folder)].filter((command) => command !== ''),
  ];
}

/** Warns that an interrupted transaction is recovered, and says where the files from before are. */
export function describeKeptCopies(file: string, folder: string): string {
  return `The last transaction of ${file} was interrupted, and SQLite recovers it now. A copy of the files from before is in ${folder}; the last two copies are kept`;
}
