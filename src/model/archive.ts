import type { NameDefect } from './archive-defect.ts';

/** The name of an archive on standard input, in arguments and in messages. */
export const standardInput = '-';

/** The purpose of an archive: made by db-init before a change, or on request. */
export type ArchiveKind = 'safety' | 'manual';

/** A folder of uploads that an archive does not contain, or that is deleted together with the container. */
export interface AbsentUploads {
  readonly folder: string;
  /** The number of files in it to which the database refers. */
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
