import { zonedTime } from '../platform/local-time.ts';

/** What the files of the state folder tell. */
export const stateFolderMessages = {
  /** The work of another run, in the middle of a sentence. @param archive null for an undo */
  runningRestore: (archive: string | null, holder: string, startedAt: string): string =>
    `${archive === null ? 'an undo' : `a restore of ${archive}`} (${holder}, since ${zonedTime(startedAt)})`,
  finishingRestore: 'a restore that is finishing this moment',

  /** A clause without its full stop. */
  damagedFile: 'it is damaged, or a newer db-init wrote it',
  unreadableFile: (file: string, reason: string): string => `${file}: ${reason}`,
  unwritableFile: (file: string, reason: string): string => `${file} cannot be written (${reason})`,

  // traces of a former database
  healthyBefore: (stamp: string): string => `A database was healthy here before: ${stamp}.`,
  backupsIn: (folder: string, backups: number): string => `There are backups in ${folder}: ${backups}.`,
  uploadsIn: (folder: string): string => `There are uploads in ${folder}.`,
} as const;
