import type { SideFileFault, SideFileMismatch } from '../model/state.ts';
import { type Describers, describerOf } from './by-kind.ts';

/** Why a SQLite file, or the log beside it, cannot be used: clauses without their full stop. */
export const sqliteReasons = {
  empty: 'it is empty',
  inUse: 'another program is using the file',
  otherFormat: 'it is not a SQLite database',
  joined: 'another SQLite database follows in it, as if two files had been joined: divide them, and restore one',
  damagedSchema: (fault: string): string => `its schema is damaged: ${fault}`,
  brokenReferences: (references: readonly (readonly [reference: string, rows: number])[]): string =>
    `the change would break references: ${references.map(([reference, rows]) => `${reference} (${rows})`).join(', ')}`,
  orphan: (file: string): string => `${file} belongs to a database whose file is missing`,
  folder: (path: string): string =>
    `${path} is a folder. Docker creates a folder if a bind mount names a file that does not exist: remove it with rmdir ` +
    '(which refuses a folder that is not empty), and mount the folder of the file instead of the file',
  fileExists: (path: string): string => `${path} exists already`,
  noFile: (path: string): string => `${path} is not a file`,
  noDatabase: (path: string): string => `${path} is not a SQLite database`,
  hotJournal: (file: string, reason: string): string =>
    `an interrupted transaction in ${file}-journal has to be rolled back, and only a run that writes can do that: run the gate (${reason})`,
  otherFileSystem: (folder: string, name: string): string =>
    `${folder} is on ${name}, where file locks may not work. Make sure that only one container uses the database`,

  // recovery of side files
  changedMeanwhile: (file: string): string =>
    `another program wrote to ${file} during the check, so db-init could not check whether the log beside it belongs to it`,
  noRoom: (file: string, who: string, bytes: number): string =>
    `the last transaction of ${file} was interrupted, and ${who} enough space for the copies on which db-init tries the recovery first (${bytes} bytes)`,
  noRoomForIndex: (file: string): string =>
    `the disk is full: SQLite cannot open ${file} without a little space beside it`,
  staleSideFile: (file: string, side: string): string => `${file}${side} does not belong to ${file}`,
} as const;

const mismatches = {
  'several-files': () => 'it belongs to a transaction over several database files, and TimeTracker has only one',
  'no-journal': () => 'it is not a journal of SQLite',
  'no-wal': () => 'it is not a write-ahead log of SQLite',
  'journal-of-pages': ({ pages }) => `it belongs to a database of ${pages} pages, but the file beside it is empty`,
  'wal-of-empty-file': () => 'the file beside it is empty, and a database with a write-ahead log never is',
  'page-sizes': ({ log, file }) => `its pages have ${log} bytes, but the pages of the file have ${file}`,
  'begins-at': ({ log, file }) => `it begins at change ${log} of its database, but the file is at change ${file}`,
  'ends-at': ({ log, file }) => `it ends at change ${log} of its database, but the file is at change ${file}`,
} satisfies Describers<SideFileMismatch, null, string>;

const describeMismatch = describerOf<SideFileMismatch, null, string>(mismatches);

/** Why the log beside a SQLite file does not belong to it: a clause without its full stop. */
export function reasonOfSideFile(fault: SideFileFault): string {
  switch (fault.kind) {
    case 'mismatch':
      return describeMismatch(fault.mismatch.kind, fault.mismatch, null);
    case 'damages':
      return `the result is damaged (${fault.reason})`;
    case 'loses':
      return `the result has lost ${fault.tables.join(', ')}`;
  }
}
