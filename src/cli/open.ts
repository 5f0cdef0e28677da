import type { Database } from '../database/database.ts';
import { openDatabase } from '../database/open.ts';
import type { CommandContext } from './context.ts';

/**
 * Opens the database for one command and closes it afterwards.
 * @param access `read` takes no lock and cannot write
 */
export async function withDatabase<Result>(
  { config, log, recorder, signal, version }: CommandContext,
  command: string,
  access: 'read' | 'write',
  work: (database: Database) => Promise<Result>,
): Promise<Result> {
  const database = await openDatabase(config.database, {
    ...config,
    applicationName: `db-init ${version} ${command}`,
    writes: access === 'write',
    signal,
    onWaiting: (reason, secondsLeft) => log.info(`Waiting for the database, ${secondsLeft} s at most: ${reason}.`),
    onLockWaiting: ({ description }, secondsLeft) =>
      log.info(`Waiting for another run, ${secondsLeft} s at most: ${description}.`),
    onRetry: (reason) => log.info(`Trying again: ${reason}.`),
    onWarning: (message) => log.warn(`${message}.`),
  });
  recorder.opened(database);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
