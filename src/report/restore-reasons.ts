import { quoted } from '../platform/printable.ts';

/** Why a step of a restore fails: clauses without their full stop. */
export const restoreReasons = {
  // the rows of the archive
  wrongRowLength: (table: string, found: number, columns: number): string =>
    `a row of ${table} has ${found} values instead of ${columns}`,
  indexContradictsTable: (table: string): string =>
    `an index of ${table} speaks of another number of rows than the table: the file is damaged`,
  notAsWritten: (engine: 'SQLite' | 'PostgreSQL', table: string): string =>
    `what ${engine} returns of ${table} is not what was loaded into it`,

  // uploads
  notMovable: (path: string): string => `${path} cannot be moved to another file system`,
  outsideFolder: (path: string): string => `${quoted(path)} would lie outside of it`,

  // the live database
  noMaintenanceDatabase: 'neither postgres nor template1 lets this user in',
  noApplicationSchema: 'the search path of this user names no schema that is there',
  unhealthy: (state: string): string => `its state is ${state}`,
  closed: 'it is closed to everybody',
  remainingSessions: (pids: readonly number[]): string =>
    `a session of the former run does not end: pid ${pids.join(', ')}`,
  lockLost: 'the run that ordered this is gone',
} as const;
