import type { DumpHeaderDefect, MissingTool } from '../model/unusable-archive.ts';
import { type Describers, describerOf } from './by-kind.ts';
import { printable } from '../platform/printable.ts';

/** Why a dump of PostgreSQL cannot be read or loaded, and what of it is left out: sentences without their full stop. */
export const dumpReasons = {
  unreadable: (message: string): string => `the dump cannot be read: ${message}`,

  /** @param table whose rows are missing, as written in SQL; null if it is not known */
  cutOff: (table: string | null): string =>
    `it is cut off: ${table === null ? 'its last line is missing' : `the rows of ${printable(table)} are missing`}`,

  severalDatabases: 'it holds the tables of more than one database',

  // the tools
  /** @param how the exit code; the reason why there is none; null if that is unknown, too */
  ended: (program: string, how: number | string | null): string =>
    `${program} ended ${typeof how === 'number' ? `with exit code ${how}` : `(${how ?? 'for an unknown reason'})`}`,
  killed: (program: string, signal: string): string => `${program} was killed by ${signal}`,
  moreErrors: (more: number): string => ` (and ${more} more)`,
  /** @param newest the newest installed version; null: there is none */
  psqlNeeded: (newest: string | null): string => `psql is needed to load a dump, and ${missingPsql(newest)}`,
  psqlNeededForTransaction: (newest: string | null): string =>
    `psql is needed to load a dump in one transaction, and ${missingPsql(newest)}`,

  // the rows
  largeRow: (table: string, most: number): string =>
    `a row of ${table} has more than ${most} bytes: db-init copies no row that large into SQLite`,
  unknownEscape: (sign: string): string => `a row has an escape that COPY does not write: \\${sign}`,
  unknownEncoding: (encoding: string): string => `its texts are in ${encoding}, which only a PostgreSQL server reads`,

  // what is left out
  formerSchema: (name: string): string =>
    `the schema ${name} is left out: by its name, an earlier restore made it, and it is no part of the present database`,
  missingExtension: (name: string): string => `the extension ${name} is left out: this server does not have it`,
  deniedExtension: (name: string): string => `the extension ${name} is left out: only a superuser may create it`,
  deniedEventTrigger: (name: string): string => `the event trigger ${name} is left out: only a superuser may create it`,
} as const;

const headerDefects = {
  'other-format': () => "it is not a dump in PostgreSQL's custom format",
  'cut-off': () => 'its header is cut off',
  'no-name': () => 'its header is damaged (a name is missing)',
  'no-version': () => 'its header is damaged (it does not tell which pg_dump made it)',
  'old-format': ({ major, minor }) => `its archive format ${major}.${minor} is older than PostgreSQL 9`,
  'integer-size': ({ bytes }) => `its header is damaged (integers of ${bytes} bytes)`,
} satisfies Describers<DumpHeaderDefect, null, string>;

const describeHeader = describerOf<DumpHeaderDefect, null, string>(headerDefects);

/** What is wrong with the header of a dump, without a full stop. */
export const reasonOfHeader = (defect: DumpHeaderDefect): string => describeHeader(defect.kind, defect, null);

const missingTools = {
  pg_restore({ pgDump, format, reader, newest }) {
    const found = newest === null ? 'there is no pg_restore here' : `the newest pg_restore here is ${newest}`;
    return `the dump was made by pg_dump ${pgDump} (archive format ${format.join('.')}), which pg_restore ${reader} and newer read, and ${found}`;
  },
  'psql-for-encoding': ({ encoding, newest }) =>
    `a dump in SQL_ASCII is loaded into a database in ${encoding} with psql, and ${missingPsql(newest)}`,
  'psql-for-old-server': ({ restore, server, newest }) =>
    `what pg_restore ${restore} writes is loaded into a PostgreSQL ${server} server with psql, and ${missingPsql(newest)}`,
  psql: ({ newest }) => `a dump is loaded with psql, and ${missingPsql(newest)}`,
} satisfies Describers<MissingTool, null, string>;

const describeTool = describerOf<MissingTool, null, string>(missingTools);

/** Which client tool is missing, without a full stop. */
export const reasonOfTool = (tool: MissingTool): string => describeTool(tool.kind, tool, null);

function missingPsql(newest: string | null): string {
  return newest === null
    ? 'there is no psql here'
    : String.raw`psql ${newest}, the newest here, does not know \restrict yet`;
}
