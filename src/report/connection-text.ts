/** What the log says while a run waits: for the server, for a lock, before it tries again. */
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
export function describeSettledServer(database: string): string {
  return `Of the servers in the address, this run works on ${database}.`;
}
