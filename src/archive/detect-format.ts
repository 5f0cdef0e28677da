import type { Engine } from '../model/engine.ts';
import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { constants, createGunzip } from 'node:zlib';
import type { ArchiveFault, OtherFile, Wrapping } from '../errors/failure.ts';
import type { ArchiveEntry } from './reader.ts';
import { recogniseNames } from './detect-unpacked.ts';
import { invalid, piece, rejection } from './archive-error.ts';
import { isTar, listTar } from './tar.ts';

/** Where the marks of all formats lie, and enough of a text to know what it is. */
const beginning = 64 * 1024;

const marks = {
  zip: 'PK\x03\x04',
  emptyZip: 'PK\x05\x06',
  spannedZip: 'PK\x07\x08',
  dump: 'PGDMP',
  sqlite: 'SQLite format 3\0',
};

/** How each begins; GnuPG's key material has no mark, but what it is asked to write as text has. */
const wrappings = {
  gzip: ['\x1f\x8b'],
  bzip2: ['BZh'],
  xz: ['\xfd7zXZ\0'],
  zstd: ['(\xb5/\xfd'],
  lz4: ['\x04"M\x18'],
  '7z': ["7z\xbc\xaf'\x1c"],
  rar: ['Rar!\x1a\x07'],
  'utf-16': ['\xff\xfe', '\xfe\xff'],
  encrypted: ['Salted__', 'age-encryption.org/', '-----BEGIN PGP MESSAGE', '-----BEGIN AGE ENCRYPTED'],
} as const satisfies Record<Wrapping, readonly string[]>;

const wrappingNames = ['gzip', 'bzip2', 'xz', 'zstd', 'lz4', '7z', 'rar', 'utf-16', 'encrypted'] as const;

/** How pieces of a file are called: `a.zip.001`, `a.z01`, `a.part2`, and `a.zip.ab` as `split` has it; `a.zip.gz` is packed. */
const pieceName = /\.(\d{2,4}|z\d{2,3}|part\d+)$|\.(zip|7z|tar|t?gz|dump|sql)\.(?!gz|xz)[a-z]{2}$/i;

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
  if (stats.isDirectory()) {
    const contents = recogniseNames(await namesBelow(file), null);
    throw rejection(file, { kind: 'other-format', file: { kind: 'folder', packing: 'none', contents } });
  }
  if (!stats.isFile()) throw rejection(file, invalid('it is no plain file'));
  const handle = await open(file);
  try {
    const head = Buffer.alloc(beginning);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    const fault = await faultOfFormat(file, head.subarray(0, bytesRead));
    if (fault !== null) throw rejection(file, fault);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** What an archive that breaks off may be, by its name: a piece of one that was cut up. */
export function isPiece(file: string): boolean {
  return pieceName.test(file);
}

/** How deep a folder is looked into, and how many names are enough. */
const deepest = 4;
const namesEnough = 20_000;

async function namesBelow(folder: string, base = '', depth = 1): Promise<readonly string[]> {
  const names: string[] = [];
  for (const entry of await readdir(join(folder, base), { withFileTypes: true })) {
    const name = `${base}${entry.name}`;
    names.push(entry.isDirectory() ? `${name}/` : name);
    if (names.length > namesEnough) break;
    if (entry.isDirectory() && depth < deepest) names.push(...(await namesBelow(folder, `${name}/`, depth + 1)));
  }
  return names;
}

/** Knows by its beginning a file that is no ZIP archive; null if it may be one. */
async function faultOfFormat(file: string, head: Buffer): Promise<ArchiveFault | null> {
  const begins = (mark: string): boolean => head.toString('latin1', 0, mark.length) === mark;
  if (begins(marks.zip) || begins(marks.emptyZip)) return null;
  if (head.length === 0) return invalid('it is empty');
  if (begins(marks.spannedZip)) return piece;
  if (begins(marks.dump)) return otherFormat({ kind: 'dump', packed: false });
  if (begins(marks.sqlite)) return otherFormat({ kind: 'sqlite' });
  if (isTar(head)) return otherFormat(await describeTar(createReadStream(file), false));
  const by = wrappingNames.find((name) => wrappings[name].some(begins));
  if (by === 'gzip') return faultOfPacked(file);
  if (by !== undefined) return isPiece(file) ? piece : { kind: 'wrapped', by };
  const text = isText(head) ? recogniseText(head.toString('utf8')) : null;
  if (text !== null) return otherFormat(text);
  return isPiece(file) ? piece : invalid('it is no ZIP archive');
}

function otherFormat(file: OtherFile): ArchiveFault {
  return { kind: 'other-format', file };
}

/** Dumps are often packed as they are written: a look at what is inside spares a round. */
async function faultOfPacked(file: string): Promise<ArchiveFault> {
  const wrapped = isPiece(file) ? piece : ({ kind: 'wrapped', by: 'gzip' } as const);
  const head = await beginningOf(unpacked(file));
  if (head.toString('latin1', 0, marks.dump.length) === marks.dump) return otherFormat({ kind: 'dump', packed: true });
  if (isTar(head)) return otherFormat(await describeTar(unpacked(file), true));
  const text = isText(head) ? recogniseText(head.toString('utf8')) : null;
  return text?.kind === 'sql' ? otherFormat({ ...text, packed: true }) : wrapped;
}

/** The content of a packed file, as far as it can be unpacked: its end may be missing. */
async function* unpacked(file: string): AsyncGenerator<Buffer, void, undefined> {
  const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
  pipeline(createReadStream(file), gunzip, () => undefined);
  try {
    yield* gunzip;
  } catch {
    // what came until then is all there is to go by
  }
}

async function beginningOf(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of source) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= beginning) break;
  }
  return Buffer.concat(chunks).subarray(0, beginning);
}

/** The tar format of `pg_dump` begins with its table of contents; anything else is a folder that somebody packed. */
async function describeTar(source: AsyncIterable<Buffer>, packed: boolean): Promise<OtherFile> {
  const members = await listTar(source);
  const names = members.map(({ name }) => name);
  const compressed = names.some((name) => /\.dat\.\w+$/.test(name));
  if (names[0] === 'toc.dat' && !compressed) return { kind: 'dump', packed };
  const version = members.find(({ name }) => /(^|\/)PG_VERSION$/.test(name))?.line ?? '';
  const major = /^\d+$/.test(version.trim()) ? Number(version) : null;
  return { kind: 'folder', packing: packed ? 'tar.gz' : 'tar', contents: recogniseNames(names, major) };
}

/**
 * What fails in an empty database that belongs to `timetracker`: databases and roles of its own (pg_dumpall, pg_dump
 * --create), the removal of what is not there (--clean), other owners, settings of a newer server.
 */
const needsServer =
  /^(create (database|role)\s|\\connect\s|drop (?!\w+ if exists)|alter table .* drop |set transaction_timeout|alter .* owner to (?!"?timetracker"?;))/im;

/** What a text is; null if it is none that has to do with a database. */
function recogniseText(text: string): OtherFile | null {
  if (/^\uFEFF?\s*[{[]/.test(text)) {
    if (text.includes('"backup_info"')) return { kind: 'export', format: 'json-backup' };
    const exported = /"(export_info|time_entries|user_profile)"\s*:/.test(text);
    return { kind: 'export', format: exported ? 'json-export' : 'json' };
  }
  const sql = /^\s*(--|\/\*|\\restrict|(set|create|drop|alter|insert|copy|select|begin|start|pragma|do)\s)/im;
  if (sql.test(text)) {
    const dialect = text.includes('PostgreSQL database')
      ? 'postgresql'
      : /^pragma\s/im.test(text)
        ? 'sqlite'
        : 'unknown';
    return { kind: 'sql', dialect, packed: false, apart: needsServer.test(text) };
  }
  const [first = '', second] = text.split(/\r?\n/);
  const columns = (line: string): number => line.split(/[,;\t]/).length;
  const table = second !== undefined && columns(first) > 2 && columns(first) <= columns(second);
  return table ? { kind: 'export', format: 'csv' } : null;
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
