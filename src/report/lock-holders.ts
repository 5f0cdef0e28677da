import { zonedTime } from '../platform/local-time.ts';

/** Who holds the lock of db-init: a phrase that follows "Waiting for another run: ". */
export const lockHolders = {
  /** The holder has released the lock before it could be found. */
  finishing: 'another run (it is just finishing)',
  unknown: 'another run of db-init, perhaps in another container',
  /** @param since when it connected @param query its last statement; empty if there is none */
  session(name: string, pid: string, address: string, since: string, query: string): string {
    return (
      `${name || 'another run'}, pid ${pid}, from ${address}, connected since ${zonedTime(since)}, ` +
      `running: ${query.replaceAll(/\s+/g, ' ').trim() || 'nothing at the moment'}`
    );
  },
  /** A program that has locked a SQLite file. */
  program: (file: string): string => `another program that uses ${file}: is the application still running?`,
  /** A process of this machine. @param stopped whether it was stopped (SIGSTOP) */
  process(pid: number, command: string, since: Date, stopped: boolean): string {
    const hint = stopped ? `; it is stopped: kill -CONT ${pid} continues it, kill -KILL ${pid} ends it` : '';
    return `pid ${pid} (${command}), running since ${zonedTime(since)}${hint}`;
  },
} as const;
