import type { Trace } from '../model/state.ts';
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
} as const;

/** A trace of a former database on the volumes, as a sentence. */
export function describeTrace(trace: Trace): string {
  switch (trace.kind) {
    case 'stamp':
      return `A database was healthy here before: ${trace.file}.`;
    case 'backups':
      return `There are backups in ${trace.folder}: ${trace.count}.`;
    case 'uploads':
      return `There are uploads in ${trace.folder}.`;
  }
}
