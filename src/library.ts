import { readSettings } from './config/config.ts';
import { readJournal } from './state-folder/journal.ts';

/**
 * Tells a program whether a restore or an undo is under way, or was cut off and is not settled yet: until it is over,
 * the database may be replaced at any moment. It looks at the journal in the backup folder and connects to nothing.
 * @param environment where BACKUP_FOLDER, BACKUP_DIR or UPLOAD_FOLDER says which folder that is
 * @throws ConfigurationError if a setting cannot be used
 */
export async function isDatabaseRestoreInProgress(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<boolean> {
  return readJournal(readSettings(environment, process.cwd())) !== null;
}
