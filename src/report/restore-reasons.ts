import { quoted } from '../platform/printable.ts';
import { listRows } from './schema-differences.ts';

/** Why an archive cannot be restored here, or a step of a restore fails: clauses without their full stop. */
export const restoreReasons = {
  // the archive
  rowsDiffer: (tables: readonly { table: string; found: number | undefined; listed: number }[]): string =>
    'the rows are not those that its manifest counts: ' +
    tables.map(({ table, found, listed }) => `${table} has ${found ?? 'no table'} instead of ${listed}`).join(', '),
  revisionsDiffer: (listed: readonly string[], found: readonly string[]): string =>
    `its manifest says ${listRows(listed)}, but in it is ${listRows(found)}`,
  unknownRevisions: (revisions: readonly string[]): string =>
    `it is at ${listRows(revisions)}, which this image does not know: a newer db-init restores it`,
  noRevision: 'its database does not say at which revision it is, which only a PostgreSQL server finds out',
  unreadableDatabase: 'its database cannot be read',
  damagedDatabase: (fault: string): string => `its database is damaged: ${fault}`,
  unreadableEntry: (entry: string, reason: string): string => `its ${entry} cannot be restored: ${reason}`,
  unrepairable: (lacking: readonly string[]): string =>
    `its database lacks what cannot be added: ${lacking.join('; ')}`,
  unfitNames: (names: readonly string[], more: number, longest: number): string =>
    `PostgreSQL cannot hold these names, which are empty, longer than ${longest} bytes or its own: ` +
    `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}. ` +
    'Give them other names in a copy of the SQLite file (ALTER TABLE … RENAME TO …, RENAME COLUMN … TO …), and restore that',
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

  // the journal and the former database
  unreadableJournal: 'its journal cannot be read',
  journalOfOther: (database: string): string => `its journal is about another database, ${database}`,
  foreignNames: 'its journal names what no restore of this database would',
  uploadsUnreadable: (folder: string, reason: string): string => `the uploads of ${folder}: ${reason}`,
} as const;
