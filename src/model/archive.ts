import type { NameDefect } from './archive-defect.ts';

/** How an archive is called that comes on standard input: in arguments, and in what is known of it. */
export const standardInput = '-';

/** What an archive was made for: to be safe before a change, or because somebody asked. */
export type ArchiveKind = 'safety' | 'manual';

/** A folder of uploads that an archive has nothing of, or that a container takes along when it goes. */
export interface AbsentUploads {
  readonly folder: string;
  /** How many files there the database speaks of. */
  readonly rows: number;
  readonly why: 'missing' | 'empty' | 'not-mounted';
}

/** Why a file or folder of the uploads is not in a backup. */
export type SkipReason =
  /** While the backup was running. */
  | 'deleted'
  | 'symbolic-link'
  /** It is neither a file nor a folder. */
  | 'special-file'
  | 'not-utf8'
  /** It was a file when its folder was read. */
  | 'no-file'
  | { readonly name: string; readonly defect: NameDefect };
