import { isUtf8 } from 'node:buffer';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { constants, gunzipSync } from 'node:zlib';
import type { Engine } from '../database/session.ts';
import type { ArchiveFault, Wrapping } from '../failure.ts';
import type { ArchiveEntry } from './reader.ts';
import { invalid, rejection } from './rejection.ts';

/** Where the marks of all formats lie, and enough of a text to know what it is. */
const beginning = 64 * 1024;

const marks = {
  zip: 'PK\x03\x04',
  emptyZip: 'PK\x05\x06',
  dump: 'PGDMP',
  sqlite: 'SQLite format 3\0',
};

const wrappings = {
  gzip: '\x1f\x8b',
  bzip2: 'BZh',
  xz: '\xfd7zXZ\0',
  zstd: '(\xb5/\xfd',
  'utf-16': '\xff\xfe',
} as const satisfies Record<Wrapping, string>;

const wrappingNames = ['gzip', 'bzip2', 'xz', 'zstd', 'utf-16'] as const satisfies readonly Wrapping[];
/** Becomes a thousand times as much at the most. */
const packedBeginning = 4096;

const databaseMarks = { postgresql: marks.dump, sqlite: marks.sqlite } as const satisfies Record<Engine, string>;
const databaseFormats = { postgresql: 'a dump in the custom format of PostgreSQL', sqlite: 'an SQLite file' };

/**
 * Opens a file that begins as a ZIP archive does.
 * @throws Failure `archive-rejected` for any other, with what it is instead; the error of the file system if it
 * cannot be read
 */
export async function requireZip(file: string): Promise<FileHandle> {
  // asked before: a pipe would be waited for
  const stats = await stat(file);
  if (!stats.isFile()) throw rejection(file, invalid(stats.isDirectory() ? 'it is a folder' : 'it is no plain file'));
  const handle = await open(file);
  try {
    const head = Buffer.alloc(beginning);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    const fault = faultOfFormat(head.subarray(0, bytesRead));
    if (fault !== null) throw rejection(file, fault);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Knows by its beginning a file that is no ZIP archive; null if it may be one. */
function faultOfFormat(head: Buffer): ArchiveFault | null {
  const begins = (mark: string): boolean => head.toString('latin1', 0, mark.length) === mark;
  if (begins(marks.zip) || begins(marks.emptyZip)) return null;
  if (head.length === 0) return invalid('it is empty');
  if (begins(marks.dump) || head.toString('latin1', 257, 262) === 'ustar')
    return { kind: 'other-format', format: 'dump', packed: false };
  if (begins(marks.sqlite)) return { kind: 'other-format', format: 'sqlite', packed: false };
  for (const by of wrappingNames) {
    if (begins(wrappings[by])) return by === 'gzip' ? faultOfPacked(head) : { kind: 'wrapped', by };
  }
  return isText(head) ? faultOfText(head.toString('utf8')) : invalid('it is no ZIP archive');
}

/** Dumps are often packed as they are written: a look at what is inside spares a round. */
function faultOfPacked(head: Buffer): ArchiveFault {
  const wrapped = { kind: 'wrapped', by: 'gzip' } as const;
  try {
    // the end is missing, of course
    const inside = gunzipSync(head.subarray(0, packedBeginning), { finishFlush: constants.Z_SYNC_FLUSH });
    const fault = faultOfFormat(inside);
    return fault?.kind === 'other-format' && fault.format !== 'sqlite' ? { ...fault, packed: true } : wrapped;
  } catch {
    return wrapped;
  }
}

function faultOfText(text: string): ArchiveFault {
  if (/^\uFEFF?\s*\{/.test(text) && text.includes('"backup_info"')) {
    return invalid(
      'it is a JSON backup of TimeTracker, and neither db-init nor TimeTracker itself can restore one into a database',
    );
  }
  const sql = /^\s*(--|\/\*|\\restrict|(set|create|drop|alter|insert|copy|select|begin|start|pragma|do)\s)/im.test(
    text,
  );
  return sql ? { kind: 'other-format', format: 'sql', packed: false } : invalid('it is no ZIP archive');
}

/** The last character may be cut off. */
function isText(head: Buffer): boolean {
  return !head.includes(0) && [0, 1, 2, 3].some((cut) => isUtf8(head.subarray(0, head.length - cut)));
}

/** Whether the database member begins as it must; null if it does. A checksum would not tell. */
export async function faultOfDatabase(engine: Engine, database: ArchiveEntry): Promise<string | null> {
  const mark = databaseMarks[engine];
  const head = await readBeginning(database, mark.length);
  return head.toString('latin1') === mark ? null : `its ${database.name} is not ${databaseFormats[engine]}`;
}

/** The first bytes of a member, fewer if it has not as many. The rest is not read. */
export async function readBeginning(entry: ArchiveEntry, count: number): Promise<Buffer> {
  let head = Buffer.alloc(0);
  for await (const chunk of await entry.open()) {
    head = Buffer.concat([head, Buffer.from(chunk)]);
    if (head.length >= count) break;
  }
  return head.subarray(0, count);
}
