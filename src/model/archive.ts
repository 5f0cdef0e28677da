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
