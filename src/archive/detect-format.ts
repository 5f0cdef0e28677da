import type { ArchiveEntry } from './entry-content.ts';
import { databaseEntryNames, manifestName } from './manifest.ts';
import { isTar, listTar } from './tar.ts';
import type { Contents, ArchiveFault, OtherFile, Wrapping } from '../errors/obstacles.ts';
import { defectOfName, isDesktopFile } from './entry-names.ts';
import { uploadRootNames } from '../config/config.ts';
import type { Engine } from '../model/engine.ts';
import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { constants, createGunzip } from 'node:zlib';
import { invalid, archiveRejected } from './archive-error.ts';

/** Bytes that hold the magic numbers of all formats, and enough of a text to recognise it. */
const beginning = 64 * 1024;

const marks = {
  zip: 'PK\x03\x04',
  emptyZip: 'PK\x05\x06',
  spannedZip: 'PK\x07\x08',
  dump: 'PGDMP',
  sqlite: 'SQLite format 3\0',
};

/** The magic number of each format. Binary files of GnuPG have none; its text output has. */
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

const piece = { kind: 'piece' } as const;

const wrappingNames = ['gzip', 'bzip2', 'xz', 'zstd', 'lz4', '7z', 'rar', 'utf-16', 'encrypted'] as const;

/**
 * The names of pieces of a file: `a.zip.001`, `a.z01`, `a.part2`, and `a.zip.ab` (by `split`); `a.zip.gz` is
 * compressed.
 */
const pieceName = /\.(\d{2,4}|z\d{2,3}|part\d+)$|\.(zip|7z|tar|t?gz|dump|sql)\.(?!gz|xz)[a-z]{2}$/i;

const databaseMarks = { postgresql: marks.dump, sqlite: marks.sqlite } as const satisfies Record<Engine, string>;

/**
 * Checks that a file begins like a ZIP archive.
 * @throws Failure `archive-rejected` for any other file, with its actual format; the error of the file system if it
 *   cannot be read
 */
export async function requireZip(file: string): Promise<void> {
  // checked first: opening a pipe would wait for a writer
  const stats = await stat(file);
  if (stats.isDirectory()) {
    const contents = recogniseNames(await namesBelow(file), null);
    throw archiveRejected(file, { kind: 'other-format', file: { kind: 'folder', packing: 'none', contents } });
  }
  if (!stats.isFile()) throw archiveRejected(file, invalid({ kind: 'not-a-file' }));
  const handle = await open(file);
  try {
    const head = Buffer.alloc(beginning);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    const fault = await faultOfFormat(file, head.subarray(0, bytesRead));
    if (fault !== null) throw archiveRejected(file, fault);
  } finally {
    await handle.close();
  }
}

/** Whether a file has a name like a piece of a split archive. */
export function isPiece(file: string): boolean {
  return pieceName.test(file);
}

/** The depth to which a folder is read, and the number of names after which reading stops. */
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

/** Detects the format of a file by its beginning; null if it may be a ZIP archive. */
async function faultOfFormat(file: string, head: Buffer): Promise<ArchiveFault | null> {
  const begins = (mark: string): boolean => head.toString('latin1', 0, mark.length) === mark;
  if (begins(marks.zip) || begins(marks.emptyZip)) return null;
  if (head.length === 0) return invalid({ kind: 'empty' });
  if (begins(marks.spannedZip)) return piece;
  if (begins(marks.dump)) return otherFormat({ kind: 'dump', packed: false });
  if (begins(marks.sqlite)) return otherFormat({ kind: 'sqlite' });
  if (isTar(head)) return otherFormat(await describeTar(createReadStream(file), false));
  const by = wrappingNames.find((name) => wrappings[name].some(begins));
  if (by === 'gzip') return faultOfPacked(file);
  if (by !== undefined) return isPiece(file) ? piece : { kind: 'wrapped', by };
  const text = isText(head) ? recogniseText(head.toString('utf8')) : null;
  if (text !== null) return otherFormat(text);
  return isPiece(file) || (await endsOnLaterDisk(file)) ? piece : invalid({ kind: 'not-zip' });
}

/** The end record of a ZIP archive without a comment: its signature, then the number of the disk (4.3.16). */
const endRecordLength = 22;

/** Whether a file is the last piece of a split ZIP archive: it has the name of a whole one. */
async function endsOnLaterDisk(file: string): Promise<boolean> {
  const { size } = await stat(file);
  if (size < endRecordLength) return false;
  const end = await beginningOf(createReadStream(file, { start: size - endRecordLength }));
  return end.toString('latin1', 0, marks.emptyZip.length) === marks.emptyZip && end.readUInt16LE(4) > 0;
}

function otherFormat(file: OtherFile): ArchiveFault {
  return { kind: 'other-format', file };
}

/** Dumps are often compressed while they are written, so the content is checked as well. */
async function faultOfPacked(file: string): Promise<ArchiveFault> {
  const wrapped = isPiece(file) ? piece : ({ kind: 'wrapped', by: 'gzip' } as const);
  const head = await beginningOf(unpacked(file));
  if (head.toString('latin1', 0, marks.dump.length) === marks.dump) return otherFormat({ kind: 'dump', packed: true });
  if (isTar(head)) return otherFormat(await describeTar(unpacked(file), true));
  const text = isText(head) ? recogniseText(head.toString('utf8')) : null;
  return text?.kind === 'sql' ? otherFormat({ ...text, packed: true }) : wrapped;
}

/** The content of a compressed file, as far as it can be unpacked: its end may be missing. */
async function* unpacked(file: string): AsyncGenerator<Buffer, void, undefined> {
  const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
  pipeline(createReadStream(file), gunzip, () => undefined);
  try {
    yield* gunzip;
  } catch {
    // recognise the content by the bytes before the error
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

/** The tar format of `pg_dump` begins with its table of contents; any other tar is a packed folder. */
async function describeTar(source: AsyncIterable<Buffer>, packed: boolean): Promise<OtherFile> {
  const entries = await listTar(source);
  const names = entries.map(({ name }) => name);
  const compressed = names.some((name) => /\.dat\.\w+$/.test(name));
  if (names[0] === 'toc.dat' && !compressed) return { kind: 'dump', packed };
  const version = entries.find(({ name }) => /(^|\/)PG_VERSION$/.test(name))?.line ?? '';
  const major = /^\d+$/.test(version.trim()) ? Number(version) : null;
  return { kind: 'folder', packing: packed ? 'tar.gz' : 'tar', contents: recogniseNames(names, major) };
}

/**
 * Statements that fail in an empty database that belongs to `timetracker`: they create databases and roles
 * (pg_dumpall, pg_dump --create), drop objects that do not exist (--clean), name other owners, or use settings of a
 * newer server.
 */
const needsServer =
  /^(create (database|role)\s|\\connect\s|drop (?!\w+ if exists)|alter table .* drop |set transaction_timeout|alter .* owner to (?!"?timetracker"?;))/im;

/** The kind of a text; null if it has nothing to do with a database. */
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

/** Whether the database entry begins with the magic number of its engine: a checksum does not detect a wrong format. */
export async function hasFormatOf(engine: Engine, database: ArchiveEntry): Promise<boolean> {
  const mark = databaseMarks[engine];
  const head = await readBeginning(database, mark.length);
  return head.toString('latin1') === mark;
}

/** The first bytes of an entry, or all of a shorter one. Does not read the rest. */
export async function readBeginning(entry: ArchiveEntry, count: number): Promise<Buffer> {
  let head = Buffer.alloc(0);
  for await (const chunk of await entry.open()) {
    head = Buffer.concat([head, Buffer.from(chunk)]);
    if (head.length >= count) break;
  }
  return head.subarray(0, count);
}

/** Names that are shown of an unknown folder. */
const mostNamesShown = 3;

/** The parts of PostgreSQL's data directory (manual, "Database File Layout"), by the path that leads to it. */
const dataDirectory =
  /^((?:.*\/)?)(PG_VERSION$|global\/pg_control$|base\/\d+\/|pg_(?:wal|xact|multixact|subtrans|notify)\/|pg_hba\.conf$|postgresql\.conf$)/;

/** Formats that can be restored or explained after unpacking; the best one first. */
const backups = [
  /\.zip$/i,
  /(^|\/)db\.dump$/,
  /\.(dump|backup|pgdump|bak)$/i,
  /\.sql(\.gz|\.bz2|\.xz|\.zst)?$/i,
  /\.(db|sqlite3?)$/i,
];

const exported = /(^|\/)((gdpr|filtered)_export_.*|[^/]+\.(csv|xlsx)|backup_\d{8}_\d{6}\.json)$/i;

/**
 * Detects what a folder or a packed folder holds, by names only.
 * @param names relative to the folder; a name of a folder may end with a slash
 * @param major the major version of PostgreSQL, if it is known from a data directory
 */
export function recogniseNames(names: readonly string[], major: number | null = null): Contents {
  // advice contains only names that need no quoting in a command
  const files = names
    .map((name) => name.replace(/^(\.\/)+/, ''))
    .filter(
      (name) =>
        name !== '' && name !== '.' && !isDesktopFile(name) && !/\p{C}/u.test(name) && defectOfName(name) === null,
    );
  const directory = dataDirectoryIn(files);
  if (directory !== null) return { kind: 'data-directory', path: directory, major };
  const folder = folderWith(files, manifestName, Object.values(databaseEntryNames));
  if (folder !== null) return { kind: 'unpacked-archive', path: folder };
  const dump = folderWith(files, 'toc.dat', []);
  if (dump !== null) return { kind: 'dump-directory', path: dump };
  for (const pattern of backups) {
    const [best, ...others] = files.filter((name) => pattern.test(name));
    if (best === undefined) continue;
    const logs = [`${best}-wal`, `${best}-journal`].filter((name) => files.includes(name));
    return { kind: 'backups', paths: [best, ...others], logs };
  }
  const plain = files.filter((name) => !name.endsWith('/'));
  const roots = uploadRootNames.filter((root) => plain.some((name) => name.startsWith(`${root}/`)));
  if (roots.length > 0) return { kind: 'uploads', roots };
  if (plain.length > 0 && plain.every((name) => exported.test(name) || name.endsWith('.json'))) {
    return { kind: 'export' };
  }
  return { kind: 'unknown', count: plain.length, names: plain.slice(0, mostNamesShown) };
}

/** One file name does not identify a data directory: every database inside it has its own PG_VERSION. */
function dataDirectoryIn(files: readonly string[]): string | null {
  const signs = new Map<string, Set<string>>();
  for (const name of files) {
    const [, path, sign] = dataDirectory.exec(name) ?? [];
    if (path !== undefined && sign !== undefined) signs.set(path, (signs.get(path) ?? new Set()).add(sign));
  }
  const found = [...signs].filter(([, { size }]) => size > 1).map(([path]) => path);
  return found.toSorted((one, other) => one.length - other.length)[0] ?? null;
}

/** The path of the nearest folder that holds the first file and one of the others. */
function folderWith(files: readonly string[], wanted: string, others: readonly string[]): string | null {
  const present = new Set(files);
  const folders = files
    .filter((name) => name === wanted || name.endsWith(`/${wanted}`))
    .map((name) => name.slice(0, -wanted.length))
    .filter((folder) => others.length === 0 || others.some((other) => present.has(folder + other)));
  return folders.toSorted((one, other) => one.length - other.length)[0] ?? null;
}
