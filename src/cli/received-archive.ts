import { withReceived } from '../archive/spool.ts';
import type { Settings } from '../config/config.ts';
import { displayNameOf } from '../database/target-name.ts';
import { openProgress, progressLabels } from '../report/progress.ts';
import type { CommandContext } from './context.ts';
import { archiveInput } from './standard-streams.ts';
import { describeReceiving } from '../report/archive-messages.ts';

/**
 * Receives an archive on standard input into the backup folder, where it stays as long as `work` runs.
 * @throws Failure `usage`, `archive-rejected`, `restore-refused`
 */
export async function withReceivedArchive<Result>(
  { config, log, output, signal }: CommandContext<Settings>,
  work: (file: string) => Promise<Result>,
): Promise<Result> {
  const { backupFolder: folder, archiveLimits: limits, database } = config;
  const input = archiveInput();
  const progress = openProgress({ label: progressLabels.receiving, total: null, log, output });
  const onBytes = (bytes: number): void => progress.add(bytes);
  const end = (): void => progress.end();
  const reception = { folder, database: database === null ? '' : displayNameOf(database), limits, signal, onBytes };
  log.info(describeReceiving(folder));
  return withReceived(input, reception, (file) => {
    end();
    return work(file);
  }).finally(end);
}
