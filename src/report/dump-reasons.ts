import { printable } from '../platform/printable.ts';
/** Why a dump of PostgreSQL cannot be read or loaded, and what of it is left out: sentences without their full stop. */
export const dumpReasons = {
  unreadable: (reason: string): string => `the dump cannot be read: ${reason}`,

  /** @param table whose rows are missing, as written in SQL; null if it is not known */
  cutOff: (table: string | null): string =>
    `it is cut off: ${table === null ? 'its last line is missing' : `the rows of ${printable(table)} are missing`}`,

  severalDatabases: 'it holds the tables of more than one database',

  // the header
  otherFormat: "it is not a dump in PostgreSQL's custom format",
  oldFormat: (major: number, minor: number): string =>
    `its archive format ${major}.${minor} is older than PostgreSQL 9`,
  integerSize: (bytes: number): string => `its header is damaged (integers of ${bytes} bytes)`,
  cutHeader: 'its header is cut off',
  missingName: 'its header is damaged (a name is missing)',
  missingVersion: 'its header is damaged (it does not tell which pg_dump made it)',

  // the tools
  /** @param how the exit code; the reason why there is none; null if that is unknown, too */
  ended: (program: string, how: number | string | null): string =>
    `${program} ended ${typeof how === 'number' ? `with exit code ${how}` : `(${how ?? 'for an unknown reason'})`}`,
  killed: (program: string, signal: string): string => `${program} was killed by ${signal}`,
  moreErrors: (more: number): string => ` (and ${more} more)`,
  /** @param reader the oldest major version that reads the dump @param here the newest one that is installed */
  oldTools(pgDump: string, format: readonly number[], reader: number, here: number | null): string {
    const found = here === null ? 'there is no pg_restore here' : `the newest pg_restore here is ${here}`;
    return `the dump was made by pg_dump ${pgDump} (archive format ${format.join('.')}), which pg_restore ${reader} and newer read, and ${found}`;
  },
  noPsql: 'there is no psql here',
  oldPsql: (version: string): string => String.raw`psql ${version}, the newest here, does not know \restrict yet`,
  psqlForEncoding: (encoding: string, psql: string): string =>
    `a dump in SQL_ASCII is loaded into a database in ${encoding} with psql, and ${psql}`,
  psqlForOldServer: (restore: number, server: number, psql: string): string =>
    `what pg_restore ${restore} writes is loaded into a PostgreSQL ${server} server with psql, and ${psql}`,
  psqlForDump: (psql: string): string => `a dump is loaded with psql, and ${psql}`,
  psqlNeeded: (psql: string): string => `psql is needed to load a dump, and ${psql}`,
  psqlNeededForTransaction: (psql: string): string => `psql is needed to load a dump in one transaction, and ${psql}`,

  // the rows
  largeRow: (table: string, most: number): string =>
    `a row of ${table} has more than ${most} bytes: db-init copies no row that large into SQLite`,
  unknownEscape: (sign: string): string => `a row has an escape that COPY does not write: \\${sign}`,
  unknownEncoding: (encoding: string): string => `its texts are in ${encoding}, which only a PostgreSQL server reads`,

  // what is left out
  missingExtension: (name: string): string => `the extension ${name} is left out: this server does not have it`,
  deniedExtension: (name: string): string => `the extension ${name} is left out: only a superuser may create it`,
  deniedEventTrigger: (name: string): string => `the event trigger ${name} is left out: only a superuser may create it`,
} as const;
