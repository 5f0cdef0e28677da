/** Why a SQLite file, or the log beside it, cannot be used: clauses without their full stop. */
export const sqliteReasons = {
  empty: 'it is empty',
  otherFormat: 'it is not a SQLite database',
  damagedSchema: (fault: string): string => `its schema is damaged: ${fault}`,
  brokenReferences: (references: readonly (readonly [reference: string, rows: number])[]): string =>
    `references would be broken: ${references.map(([reference, rows]) => `${reference} (${rows})`).join(', ')}`,
  orphan: (file: string): string => `${file} is left of a database whose file is missing`,
  folder: (path: string): string =>
    `${path} is a folder. Docker makes one where a bind mount names a file that is not there: remove it with rmdir, ` +
    'which leaves a folder that holds anything, and mount the folder of the file instead of the file',
  fileExists: (path: string): string => `${path} is there already`,
  noFile: (path: string): string => `${path} is not a file`,
  noDatabase: (path: string): string => `${path} is not a SQLite database`,
  hotJournal: (file: string, reason: string): string =>
    `an interrupted transaction waits in ${file}-journal to be rolled back, which only a run that may write does: run the gate (${reason})`,
  otherFileSystem: (folder: string, name: string): string =>
    `${folder} is on ${name}: file locks may not hold there, so make sure that only one container uses the database`,

  // recovery of side files
  changedMeanwhile: (file: string): string =>
    `${file} was written to while it was looked at, and what lies beside it could not be told from the log of another copy`,
  noRoom: (file: string, who: string, bytes: number): string =>
    `a transaction that was cut off waits beside ${file}, and ${who} the room for the copies on which its recovery is tried first (${bytes} bytes)`,
  staleSideFile: (file: string, side: string): string => `${file}${side} does not belong to ${file}`,

  // a side file that is not that of its database
  severalFiles: 'it belongs to a transaction over several database files, which TimeTracker does not make',
  noJournal: 'it is no journal of SQLite',
  noWal: 'it is no write-ahead log of SQLite',
  journalOfPages: (pages: number): string => `it is of a database of ${pages} pages, and the file beside it is empty`,
  walOfEmptyFile: 'the file beside it is empty, and that of a write-ahead log never is',
  pageSizes: (log: number, file: number): string => `its pages have ${log} bytes, those of the file ${file}`,
  begunAt: (log: number, file: number): string =>
    `it was begun at change ${log} of its database, and the file is at change ${file}`,
  endsAt: (log: number, file: number): string =>
    `it ends at change ${log} of its database, and the file is at change ${file}`,
} as const;
