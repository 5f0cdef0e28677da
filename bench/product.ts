import { performance } from 'node:perf_hooks';
import type { BackupContext } from '../src/backup/context.ts';
import { readConfig } from '../src/config/config.ts';
import { openDatabase } from '../src/database/open.ts';
import { openRecord } from '../src/report/run-record.ts';
import type { RestoreContext } from '../src/restore/target.ts';

/** What db-init's commands pass to their steps. Here the steps are called and timed one by one. */
export type ProductContext = BackupContext & RestoreContext;

const silent = (): void => undefined;

/** Opens a database as the commands do, for steps that are measured, and closes it afterwards. */
export async function withProduct<Result>(
  environment: Readonly<Record<string, string>>,
  work: (context: ProductContext) => Promise<Result>,
): Promise<Result> {
  const config = readConfig(environment, process.cwd());
  const { signal } = new AbortController();
  const told = { onWaiting: silent, onLockWaiting: silent, onRetry: silent, onWarning: silent };
  const options = { ...config, ...told, applicationName: 'db-init bench', writes: true, signal };
  const database = await openDatabase(config.database, options);
  const log = { info: silent, warn: silent, error: silent };
  const recorder = openRecord();
  try {
    return await work({
      database,
      config,
      log,
      recorder,
      version: 'bench',
      signal,
      disconnect: false,
      trusted: false,
      onBytes: silent,
    });
  } finally {
    await database.close();
  }
}

/** @returns seconds */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}
