import { readSettings } from './config/config.ts';
import { readJournal } from './state-folder/journal.ts';

/**
 * Whether a restore or an undo is running, or was interrupted and not recovered yet. Until it ends, the database may be
 * replaced at any moment. For Node.js programs beside TimeTracker, such as a status page: the recovery document ("Full
 * archive restore") demands `is_database_restore_in_progress()`. Reads only the journal in the backup folder, and opens
 * no connection. This file is what the package exports.
 * @param environment names the backup folder in BACKUP_FOLDER, BACKUP_DIR or UPLOAD_FOLDER
 * @throws ConfigurationError if a setting is invalid
 */
export async function isDatabaseRestoreInProgress(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<boolean> {
  return readJournal(readSettings(environment, process.cwd())) !== null;
}
