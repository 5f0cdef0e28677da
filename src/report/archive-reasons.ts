import { Failure, reasonOf } from '../errors/failure.ts';
import type { ArchiveFault, OtherFile } from '../errors/obstacles.ts';
import type {
  ArchiveDefect,
  ContentDefect,
  EntryDefect,
  ExceededLimit,
  ManifestDefect,
  NameDefect,
} from '../model/archive-defect.ts';
import type { UnfitName, UnusableArchive } from '../model/unusable-archive.ts';
import { quoted } from '../platform/printable.ts';
import { type Describers, describerOf } from './by-kind.ts';
import { commandsAnywhere } from './commands.ts';
import { dumpReasons, reasonOfHeader, reasonOfTool } from './dump-reasons.ts';
import { describeRefusal } from './refusals.ts';
import { listRows } from './format.ts';
import { describeDifference } from './schema-differences.ts';

/** The reason of a rejection or of any other error, without a full stop. */
export function rejectionReason(error: unknown): string {
  const isRejection = error instanceof Failure && error.problem.kind === 'archive-rejected';
  return isRejection ? reasonOfFault(error.problem.fault) : reasonOf(error);
}

/** Why an archive is rejected, without a full stop. */
export function reasonOfFault(fault: ArchiveFault): string {
  switch (fault.kind) {
    case 'missing':
      return 'there is no such file';
    case 'invalid':
      return reasonOfDefect(fault.defect);
    case 'piece':
      // a piece and an incomplete archive look the same
      return 'it is one piece of an archive that was split into several, or it is damaged';
    case 'stream':
      return fault.fault === null ? 'nothing was received' : reasonOfFault(fault.fault);
    case 'access':
      return 'the user that db-init runs as may not read the file';
    case 'too-large':
      return reasonOfLimit(fault.exceeded);
    case 'unknown-objects':
      return `it holds ${fault.objects.length} objects that TimeTracker does not make`;
    case 'other-format':
      return `it is no archive, but ${otherFiles[fault.file.kind]}`;
    case 'wrapped':
      return `it is not an archive, or is packed once more (${fault.by})`;
    case 'unusable':
      return describeUnusable(fault.reason.kind, fault.reason, null);
    case 'no-tool':
      return reasonOfTool(fault.tool);
  }
}

const otherFiles = {
  sql: 'a plain SQL dump',
  dump: 'a dump of pg_dump',
  sqlite: 'an SQLite database file',
  export: 'an export for reading',
  folder: 'files that are no backup, or a backup in another packing',
} as const satisfies Record<OtherFile['kind'], string>;

export const limitVariables = {
  entries: 'TT_ARCHIVE_MAX_ENTRIES',
  unpacked: 'TT_ARCHIVE_MAX_GIGABYTES',
  ratio: 'TT_ARCHIVE_MAX_RATIO',
  received: 'TT_ARCHIVE_MAX_GIGABYTES',
  rows: 'TT_ARCHIVE_MAX_GIGABYTES',
} as const satisfies Record<ExceededLimit['kind'], string>;

function reasonOfLimit(exceeded: ExceededLimit): string {
  const variable = limitVariables[exceeded.kind];
  switch (exceeded.kind) {
    case 'entries':
      return `it has ${exceeded.entries} entries, and ${variable} allows ${exceeded.limit}`;
    case 'unpacked':
      return `it holds more than the ${exceeded.limit / 1_000_000_000} GB that ${variable} allows`;
    case 'ratio':
      return `unpacked, it is more than ${exceeded.limit} times larger, and ${variable} allows no more`;
    case 'received':
      return `it has more than ${exceeded.limit} bytes`;
    case 'rows':
      return `the rows of its ${exceeded.entry} have more than ${exceeded.limit} bytes`;
  }
}

function reasonOfDefect(defect: ArchiveDefect): string {
  switch (defect.kind) {
    case 'not-a-file':
      return 'it is no plain file';
    case 'empty':
      return 'it is empty';
    case 'not-zip':
      return 'it is no ZIP archive';
    case 'no-entries':
      return 'it is empty: it has no manifest.json';
    case 'unreadable':
      return damaged(defect.reason.replace(/\.$/, ''));
    case 'ends-early':
      return damaged('the file ends early');
    case 'place-outside':
      return damaged('it names a place outside of the file');
    case 'entry-count':
      return damaged('it has fewer entries than its end says');
    case 'directory-record':
      return damaged('its directory has a record of another kind');
    case 'no-local-header':
      return damaged('an entry has no header of its own');
    case 'extra-fields':
      return damaged('an entry has extra fields of a wrong length');
    case 'end-record':
      return 'its central directory and its end record contradict each other';
    case 'bytes-before-entries':
      return 'it has bytes before its first entry';
    case 'written-to':
      return 'another program wrote to it while it was read: stop the application that has it open';
    case 'name':
      return reasonOfName(defect.name, defect.defect);
    case 'entry':
      return entryDefects[defect.defect](quoted(defect.name));
    case 'local-name':
      return `the entry ${quoted(defect.name)} has another name in its own header: ${quoted(defect.local)}`;
    case 'content':
      return `the entry ${quoted(defect.name)} is damaged: ${reasonOfContent(defect.defect)}`;
    case 'equal-names':
      return `it has two entries of the name ${quoted(defect.name)}`;
    case 'similar-names':
      return `two of its entries are the same for some file systems: ${defect.names.map(quoted).join(' and ')}`;
    case 'file-and-folder':
      return `${quoted(defect.name)} is both a file and the folder of another entry`;
    case 'manifest':
      return manifestDefects[defect.defect];
    case 'listed-missing':
      return `its manifest lists an entry that is missing: ${quoted(defect.name)}`;
    case 'listed-twice':
      return `its manifest lists the entry ${quoted(defect.name)} twice`;
    case 'listed-size':
      return `the entry ${quoted(defect.name)} has another size than its manifest says`;
    case 'not-listed':
      return `its manifest does not list the entry ${quoted(defect.name)}`;
    case 'uploads-not-listed':
      return `its manifest does not list the uploads of ${defect.root}`;
    case 'database-missing':
      return 'it contains no database';
    case 'two-databases':
      return `it contains two databases: ${defect.names.join(', ')}`;
    case 'other-engine':
      return `its manifest says ${defect.engine}, and the database in it is ${defect.name}`;
    case 'database-format':
      return `its ${defect.name} is not ${databaseFormats[defect.engine]}`;
    case 'database-unreadable':
      return `its ${defect.name} cannot be restored: ${defect.reason}`;
    case 'cut-off':
      return dumpReasons.cutOff(defect.table);
    case 'dump-header':
      return `its ${defect.name}: ${reasonOfHeader(defect.defect)}`;
  }
}

const unusableArchives = {
  'dump-header': ({ defect }) => dumpReasons.unreadable(reasonOfHeader(defect)),
  dump: ({ message }) => dumpReasons.unreadable(message),
  entry: ({ name, message }) => `its ${name} cannot be restored: ${message}`,
  'database-damaged': ({ message }) => `its database is damaged: ${message}`,
  'database-unreadable': () => 'its database cannot be read',
  'rows-differ': ({ tables }) =>
    'the rows are not those that its manifest counts: ' +
    tables.map(({ table, found, listed }) => `${table} has ${found ?? 'no table'} instead of ${listed}`).join(', '),
  'revisions-differ': ({ listed, found }) => `its manifest says ${listRows(listed)}, but in it is ${listRows(found)}`,
  'unknown-revisions': ({ revisions }) =>
    `it is at ${listRows(revisions)}, which this image does not know: a newer db-init restores it`,
  'no-revision': () => 'its database does not say at which revision it is, which only a PostgreSQL server finds out',
  refused({ database, refusal }) {
    if (refusal.state.kind === 'fresh') return 'the database in it is empty: it has no tables';
    const { title, happened } = describeRefusal(database, refusal, commandsAnywhere);
    return `${title}. ${happened.join(' ')}`.replace(/\.+$/, '');
  },
  unrepairable: ({ differences }) =>
    `its database lacks what cannot be added: ${differences.map((each) => describeDifference(each).message).join('; ')}`,
  'unfit-names': ({ names, more, longest }) =>
    `PostgreSQL cannot hold these names, which are empty, longer than ${longest} bytes or its own: ` +
    `${names.map(describeUnfitName).join(', ')}${more > 0 ? ` and ${more} more` : ''}. ` +
    'Give them other names in a copy of the SQLite file (ALTER TABLE … RENAME TO …, RENAME COLUMN … TO …), and restore that',
  'no-room': ({ name, needed, places }) =>
    `its ${name} has ${needed} bytes, and neither ${places.join(' nor ')} has room to unpack it and verify it`,
} satisfies Describers<UnusableArchive, null, string>;

const describeUnusable = describerOf<UnusableArchive, null, string>(unusableArchives);

const describeUnfitName = ({ table, column }: UnfitName): string =>
  column === null ? `table ${table}` : `column ${table}.${column}`;

const damaged = (what: string): string => `it is damaged (${what})`;

const databaseFormats = { postgresql: 'a dump in the custom format of PostgreSQL', sqlite: 'an SQLite file' };

/** What is wrong with the name of an entry, without a full stop. */
export function reasonOfName(name: string, defect: NameDefect): string {
  return defect === 'empty' ? 'an entry has no name' : `the name of an entry ${nameDefects[defect]}: ${quoted(name)}`;
}

const nameDefects = {
  'not-utf8': 'is not UTF-8',
  'control-character': 'has control characters',
  backslash: 'has a backslash',
  absolute: 'is an absolute path',
  'drive-letter': 'begins with a drive letter',
  outside: 'leads out of its folder',
  'not-plain': 'is no plain path',
  'too-long': 'is too long',
} as const satisfies Record<Exclude<NameDefect, 'empty'>, string>;

const entryDefects = {
  encrypted: (entry: string) => `the entry ${entry} is encrypted`,
  compression: (entry: string) => `the entry ${entry} uses a compression that db-init does not support`,
  'link-or-device': (entry: string) => `the entry ${entry} is neither a file nor a folder, but a link or a device`,
  'folder-with-content': (entry: string) => `the folder ${entry} has content`,
  'two-sizes': (entry: string) => `the entry ${entry} states its size twice`,
  'no-size': (entry: string) => `the entry ${entry} does not state its size`,
  'stored-size': (entry: string) => `the entry ${entry} is not packed, but has two sizes`,
  'local-header': (entry: string) => `the header of the entry ${entry} differs from the central directory`,
  overlap: (entry: string) => `the entry ${entry} overlaps another one`,
  'beyond-entries': (entry: string) => `the entry ${entry} reaches beyond the end of the entries`,
  'bytes-behind': (entry: string) => `unknown bytes follow the entry ${entry}`,
  'not-of-archives': (entry: string) => `it has an entry that belongs to no archive: ${entry}`,
} as const satisfies Record<EntryDefect, (entry: string) => string>;

function reasonOfContent(defect: ContentDefect): string {
  switch (defect.kind) {
    case 'longer':
      return `it is larger than the ${defect.size} bytes that the archive says`;
    case 'size':
      return `it has ${defect.found} bytes, and ${defect.size} according to the archive`;
    case 'checksum':
      return 'its checksum is wrong';
    case 'packed-size':
      return 'its packed size is wrong';
    case 'hash':
      return 'its hash is wrong';
    case 'compressed-data':
      return `it cannot be unpacked (${defect.reason})`;
  }
}

const manifestDefects = {
  missing: 'it has no manifest.json',
  'too-long': 'its manifest.json is too long',
  'not-a-manifest': 'its manifest.json is not what the application writes',
  'no-database': 'it was made without a database: its manifest says db_type "unknown"',
  'unknown-engine': 'its manifest.json does not say which engine its database is for',
  'odd-text': 'its manifest.json has a value that is no plain text',
  'wrong-type': 'its manifest.json has a value of the wrong type',
  'unknown-format': 'its manifest.json is damaged, or was written by a newer db-init',
} as const satisfies Record<ManifestDefect, string>;
