import { openArchive } from '../../../src/archive/reader.ts';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import AdmZip from 'adm-zip';
import { beforeAll, describe, expect, it } from 'vitest';
import { renderManifest } from '../../../src/archive/manifest.ts';
import { verifyEntries } from '../../../src/archive/verify-contents.ts';
import { Failure } from '../../../src/errors/failure.ts';
import type { ArchiveFault } from '../../../src/errors/obstacles.ts';
import { reasonOfFault } from '../../../src/report/archive-reasons.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { descriptor, type End, extra, type Fields, manifestFacts, type Part, u64, zip } from './zip.ts';
import { extractEntry } from '../../../src/archive/entry-content.ts';

const limits = { entries: 20, bytes: 5_000_000, ratio: 100 };
const { signal } = new AbortController();

const application = {
  alembic_revision: '140_x',
  app_version: null,
  created_at: '2026-11-22T15:36:42',
  db_type: 'postgresql',
};
const manifestPart = (content: unknown): Part => ({ name: 'manifest.json', content: JSON.stringify(content) });
const manifest = manifestPart(application);
const dump: Part = { name: 'db.dump', content: 'PGDMP and the rest of it' };
const settings: Part = { name: 'settings.json', content: '{}' };
const upload: Part = { name: 'uploads/logos/a b.txt', content: 'läßt sich lesen\n'.repeat(50) };
const rest: readonly Part[] = [manifest, dump, settings];

const archive = (...parts: Part[]): Buffer => zip([...rest, ...parts]);
/** An archive with a file of that name. */
const named = (name: string | Buffer): Buffer => archive({ name, content: 'x' });
/** An archive with an unusual upload. */
const odd = (part: Partial<Part>): Buffer => archive({ ...upload, ...part });
const ending = (end: End): Buffer => zip([...rest, upload], end);

const hash = 'b'.repeat(64);
const listed = { 'db.dump': { size: 24, sha256: hash }, 'uploads/a': { size: 1, sha256: hash } };
const ofOurs = (change: Partial<Parameters<typeof renderManifest>[0]>): Buffer =>
  zip([
    { name: 'manifest.json', content: renderManifest({ ...manifestFacts, entries: listed, ...change }) },
    dump,
    { name: 'uploads/a', content: 'x' },
  ]);

function unicodePath(name: string, path: string): Buffer {
  const checksum = Buffer.alloc(5, 1);
  checksum.writeUInt32LE(crc32(name), 1);
  return extra(0x7075, Buffer.concat([checksum, Buffer.from(path)]));
}

/** An archive made with another ZIP program. That program cleans names, so they are changed afterwards. */
function other(name: string, afterwards = name): Buffer {
  const made = new AdmZip();
  for (const part of rest) made.addFile(String(part.name), Buffer.from(part.content));
  made.addFile(name, Buffer.from(upload.content));
  return Buffer.from(made.toBuffer().toString('latin1').replaceAll(name, afterwards), 'latin1');
}

/** An entry that begins within another one. */
function overlapping(): Buffer {
  const inner = zip([{ name: 'uploads/inner', content: 'x', method: 0 }]);
  const outer: Part = { name: 'uploads/outer', content: inner, method: 0 };
  const at = archive(outer).indexOf('uploads/inner') - 30;
  return archive(outer, { name: 'uploads/inner', content: 'x', method: 0, central: { offset: at } });
}

const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');
const known = { 'db.dump': { size: 24, sha256: sha256(dump.content) }, 'uploads/a': { size: 1, sha256: sha256('x') } };
const filesCalled = (names: readonly string[]): Part[] =>
  names.map((name) => (name.endsWith('/') ? { name, content: '', mode: 0o40755, method: 0 } : { name, content: 'x' }));

/** A tar archive of short files. */
function tar(names: readonly string[], contents: Readonly<Record<string, string>> = {}): Buffer {
  const blocks = names.flatMap((name) => {
    const content = contents[name] ?? (name.endsWith('/') ? '' : 'x'.repeat(700));
    const header = Buffer.alloc(512);
    header.write(name);
    header.write(content.length.toString(8).padStart(11, '0'), 124);
    header.write(name.endsWith('/') ? '5' : '0', 156);
    header.write('ustar\x0000', 257);
    header.write(' '.repeat(8), 148);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

const packed = deflateRawSync(Buffer.from(upload.content));
const bytesOf = (part: Part): number => Buffer.byteLength(part.content);

const checksum = crc32(upload.content);
/** An archive with an upload whose sizes follow it, as streams are packed. */
const followed = (after: Buffer, local: Fields = { crc: 0, packed: 0, size: 0 }): Buffer =>
  odd({ after, fields: { flags: 0x808 }, local });

type Hostile = readonly [title: string, bytes: Buffer, reason: RegExp];

const names: readonly Hostile[] = [
  ['a path with two dots', named('uploads/../../evil'), /leads out/],
  ['a path that begins with two dots', named('../evil'), /leads out/],
  ['a path of two dots only', named('uploads/..'), /leads out/],
  ['a folder with two dots', archive({ name: '../evil/', content: '', mode: 0o40755 }), /leads out/],
  ['a path with two dots, made by another program', other('uploads/xx/evil', 'uploads/../evil'), /leads out/],
  ['an absolute path', named('/etc/passwd'), /absolute/],
  ['a drive letter', named('C:/evil'), /drive letter/],
  ['a drive letter without a slash', named('c:evil'), /drive letter/],
  ['a backslash', named('uploads\\..\\evil'), /backslash/],
  ['a path on another computer', named('\\\\server\\evil'), /backslash/],
  ['NUL in a name', named('uploads/a\0b'), /control/],
  ['a line break in a name', named('uploads/a\nb'), /control/],
  ['an escape sequence in a name', named('uploads/\u009b2J'), /control/],
  ['no name', named(''), /no name/],
  ['an empty folder name', named('uploads//a'), /no plain path/],
  ['a dot as folder', named('uploads/./a'), /no plain path/],
  ['a way out behind a dot', named('./../a'), /leads out of its folder/],
  ['a name longer than file systems have', named(`uploads/${'ä'.repeat(128)}`), /too long/],
  ['a path longer than file systems have', named(`uploads/${'d/'.repeat(1600)}a`), /too long/],
  ['a name that is not UTF-8', named(Buffer.from('uploads/\xe4', 'latin1')), /not UTF-8/],
  [
    'a name in another encoding',
    odd({ name: Buffer.from('uploads/\xe4', 'latin1'), fields: { flags: 0 } }),
    /not UTF-8/,
  ],
  [
    'a second name with two dots',
    odd({ name: 'uploads/a', fields: { extra: unicodePath('uploads/a', '../a') } }),
    /leads out/,
  ],
  ['an entry that no archive has', named('evil.sh'), /belongs to no archive/],
  ['a folder that no archive has', archive({ name: 'evil/', content: '', mode: 0o40755 }), /belongs to no archive/],
  ['a folder in capitals', named('Uploads/a'), /belongs to no archive/],
  ['an entry below the manifest', named('manifest.json/a'), /belongs to no archive/],
  [
    'a folder with the name of the database',
    archive({ name: 'db.dump/', content: '', mode: 0o40755 }),
    /belongs to no archive/,
  ],
];

const kinds: readonly Hostile[] = [
  ['a symbolic link', odd({ content: '/etc/passwd', mode: 0o120777 }), /link or a device/],
  ['a pipe', odd({ mode: 0o010644 }), /link or a device/],
  ['a device', odd({ mode: 0o020644 }), /link or a device/],
  ['a disk', odd({ mode: 0o060644 }), /link or a device/],
  ['a socket', odd({ mode: 0o140644 }), /link or a device/],
  ['a folder with a file name', odd({ mode: 0o040755 }), /link or a device/],
  ['a link with a folder name', archive({ name: 'uploads/a/', content: '/etc', mode: 0o120777 }), /link/],
  ['a folder with a content', archive({ name: 'uploads/a/', content: 'x', mode: 0o040755 }), /has content/],
  ['an encrypted entry', odd({ fields: { flags: 0x801 } }), /encrypted/],
  ['a strongly encrypted entry', odd({ fields: { flags: 0x841 } }), /encrypted/],
  ['an entry with a hidden header', odd({ fields: { flags: 0x2800 } }), /encrypted/],
  [
    'an entry that is encrypted by its own header',
    odd({ local: { flags: 0x801 } }),
    /differs from the central directory/,
  ],
  ['an entry packed with bzip2', odd({ fields: { method: 12 } }), /does not support/],
  ['an entry packed with Zstandard', odd({ fields: { method: 93 } }), /does not support/],
  ['an entry packed with Deflate64', odd({ fields: { method: 9 } }), /does not support/],
];

const doubles: readonly Hostile[] = [
  ['the same name twice', archive(upload, upload), /two entries of the name/],
  ['two manifests', archive(manifestPart({ ...application, db_type: 'sqlite' })), /two entries of the name/],
  ['two dumps', archive(dump), /two entries of the name/],
  [
    'names that differ in capitals only',
    archive(upload, { ...upload, name: 'uploads/LOGOS/A B.txt' }),
    /same for some/,
  ],
  [
    'one name in two Unicode forms',
    archive({ ...upload, name: 'uploads/\u00e4' }, { ...upload, name: 'uploads/a\u0308' }),
    /same for some/,
  ],
  [
    'a file with the name of a folder',
    archive({ name: 'uploads/a', content: '' }, { name: 'uploads/a/b', content: '' }),
    /is both a file and the folder/,
  ],
  [
    'a file with the name of a higher folder',
    archive({ name: 'uploads/a/b/c', content: '' }, { name: 'uploads/a', content: '' }),
    /is both a file and the folder/,
  ],
  [
    'a file with the name of a folder in capitals',
    archive({ name: 'uploads/a', content: '' }, { name: 'uploads/A/b', content: '' }),
    /is both a file and the folder/,
  ],
];

const bombs: readonly Hostile[] = [
  [
    'too many entries',
    archive(...Array.from({ length: 18 }, (_, i) => ({ name: `uploads/${i}`, content: '' }))),
    /TT_ARCHIVE_MAX_ENTRIES/,
  ],
  ['too many entries according to its end record', ending({ zip64: { count: 2n ** 60n } }), /TT_ARCHIVE_MAX_ENTRIES/],
  [
    'too many bytes',
    archive({ name: 'uploads/a', content: Buffer.alloc(5_000_001), method: 0 }),
    /TT_ARCHIVE_MAX_GIGABYTES/,
  ],
  [
    'too many bytes in total',
    archive(
      ...['a', 'b', 'c'].map((name) => ({ name: `uploads/${name}`, content: Buffer.alloc(1_900_000), method: 0 })),
    ),
    /TT_ARCHIVE_MAX_GIGABYTES/,
  ],
  [
    'an entry with a suspicious compression ratio',
    archive({ name: 'uploads/a', content: Buffer.alloc(1_100_000) }),
    /TT_ARCHIVE_MAX_RATIO/,
  ],
  [
    'small entries with a suspicious total compression ratio',
    archive(...['a', 'b', 'c', 'd'].map((name) => ({ name: `uploads/${name}`, content: Buffer.alloc(900_000) }))),
    /TT_ARCHIVE_MAX_RATIO/,
  ],
  [
    'a decompression bomb that claims to be small',
    odd({ bytes: deflateRawSync(Buffer.alloc(4_000_000)) }),
    /larger than/,
  ],
  ['overlapping entries', overlapping(), /overlaps/],
  [
    'many entries with the same bytes',
    archive(upload, ...['a', 'b'].map((name) => ({ ...upload, name: `uploads/${name}`, central: { offset: 0 } }))),
    /another name/,
  ],
];

const lies: readonly Hostile[] = [
  ['a size that is too large', odd({ fields: { size: 5000 } }), /5000 according to the archive/],
  ['a size that is too small', odd({ fields: { size: 5 } }), /larger than the 5 bytes/],
  ['a size of zero', odd({ fields: { size: 0 } }), /larger than the 0 bytes/],
  ['a stored size that differs', odd({ method: 0, fields: { size: 5 } }), /two sizes/],
  ['a wrong checksum', odd({ fields: { crc: 1 } }), /checksum/],
  ['a wrong checksum of an empty file', odd({ content: '', fields: { crc: 1 } }), /checksum/],
  ['a wrong checksum of the database', zip([manifest, { ...dump, fields: { crc: 1 } }]), /checksum/],
  ['a wrong checksum of the manifest', zip([{ ...manifest, fields: { crc: 1 } }, dump]), /checksum/],
  ['a wrong checksum of the settings', zip([manifest, dump, { ...settings, fields: { crc: 1 } }]), /checksum/],
  ['two checksums', odd({ central: { crc: 1 } }), /differs from the central directory/],
  ['two names', odd({ local: { name: Buffer.from('uploads/logos/b.txt') } }), /another name/],
  ['two names of the database', archive({ ...upload, local: { name: Buffer.from('db.sqlite') } }), /another name/],
  ['two compression methods', odd({ local: { method: 0 } }), /differs from the central directory/],
  ['two sizes', odd({ local: { size: 5 } }), /differs from the central directory/],
  ['two packed sizes', odd({ local: { packed: 5 } }), /differs from the central directory/],
  ['an entry beyond the end of the file', odd({ fields: { packed: 100_000 } }), /beyond the end/],
  ['an entry that reaches into the directory', odd({ fields: { packed: packed.length + 20 } }), /beyond the end/],
  ['bytes after the packed ones', odd({ bytes: Buffer.concat([packed, Buffer.alloc(40)]) }), /packed size/],
  ['packed bytes that are cut off', odd({ bytes: packed.subarray(0, -4) }), /cannot be unpacked/],
  ['invalid packed bytes', odd({ bytes: Buffer.alloc(60, 0xff) }), /cannot be unpacked/],
  ['no packed bytes', odd({ bytes: Buffer.alloc(0) }), /cannot be unpacked|bytes, and/],
  [
    'another checksum in the data descriptor',
    followed(descriptor(1, packed.length, bytesOf(upload))),
    /unknown bytes follow/,
  ],
  ['another size in the data descriptor', followed(descriptor(checksum, packed.length, 5)), /unknown bytes follow/],
  [
    'another packed size in the data descriptor',
    followed(descriptor(checksum, 5, bytesOf(upload), { signed: false })),
    /unknown bytes follow/,
  ],
  [
    'another ZIP64 size in the data descriptor',
    followed(descriptor(checksum, packed.length, 5, { wide: true })),
    /unknown bytes follow/,
  ],
  ['a missing data descriptor', followed(Buffer.alloc(0)), /unknown bytes follow/],
  [
    'an unannounced data descriptor',
    odd({ after: descriptor(checksum, packed.length, bytesOf(upload)) }),
    /unknown bytes follow/,
  ],
  [
    'bytes between two entries',
    zip([manifest, { ...dump, after: Buffer.from('more') }, settings]),
    /unknown bytes follow/,
  ],
  ['bytes after the last entry', odd({ after: zip([upload]) }), /unknown bytes follow/],
  ['a header at another offset', odd({ central: { offset: 3 } }), /damaged/],
  ['a header outside of the file', odd({ central: { offset: 0xffff_fff0 } }), /damaged/],
];

/** Large entries are read in pieces, small ones at once. */
const large: Part = { name: 'uploads/large', content: randomBytes(300_000) };
const largePacked = deflateRawSync(large.content);
const oddLarge = (part: Partial<Part>): Buffer => archive({ ...large, ...part });
const largeLies: readonly Hostile[] = [
  ['a size that is too large', oddLarge({ fields: { size: 300_001 } }), /300001 according to the archive/],
  ['a size that is too small', oddLarge({ fields: { size: 299_999 } }), /larger than the 299999 bytes/],
  ['a size that is far too small', oddLarge({ fields: { size: 70_000 } }), /larger than the 70000 bytes/],
  ['a wrong checksum', oddLarge({ fields: { crc: 1 } }), /checksum/],
  ['a wrong checksum of a stored entry', oddLarge({ method: 0, fields: { crc: 1 } }), /checksum/],
  ['a stored size that differs', oddLarge({ method: 0, fields: { size: 5 } }), /two sizes/],
  ['bytes after the packed ones', oddLarge({ bytes: Buffer.concat([largePacked, Buffer.alloc(9)]) }), /packed size/],
  ['packed bytes that are cut off', oddLarge({ bytes: largePacked.subarray(0, -4) }), /cannot be unpacked/],
  ['invalid packed bytes', oddLarge({ bytes: Buffer.alloc(300_000, 0xff) }), /cannot be unpacked/],
  ['a size without any bytes', oddLarge({ bytes: Buffer.alloc(0) }), /cannot be unpacked|bytes, and/],
];

/** A complete archive after other bytes. Its offsets are counted from the beginning of the file. */
function behind(before: Buffer): Buffer {
  const parts = [...rest, upload];
  const lengths = parts.map((part) => zip([part]).indexOf('PK\x01\x02'));
  const places = lengths.map(
    (_, index) => before.length + lengths.slice(0, index).reduce((sum, length) => sum + length, 0),
  );
  const moved = parts.map((part, index) => ({ ...part, central: { offset: places[index] ?? 0 } }));
  return Buffer.concat([
    before,
    zip(moved, { offset: before.length + lengths.reduce((sum, length) => sum + length, 0) }),
  ]);
}

const ends: readonly Hostile[] = [
  ['an entry that the end record does not count', ending({ count: 3 }), /contradict/],
  ['an end record that counts one entry too many', ending({ count: 5 }), /damaged/],
  ['another size of the directory', ending({ size: 10 }), /contradict/],
  ['another offset of the directory', ending({ offset: 4 }), /damaged/],
  ['an offset of the directory outside of the file', ending({ offset: 0xfff_ffff }), /damaged/],
  ['a missing comment', ending({ commentLength: 7 }), /damaged/],
  ['several disks', ending({ disk: 1 }), /damaged/],
  ['bytes after the end record', Buffer.concat([archive(), Buffer.from('more')]), /damaged/],
  ['bytes before the first entry', Buffer.concat([Buffer.from('#!/bin/sh\n'), archive()]), /no ZIP archive/],
  ['bytes like an entry before the first entry', behind(Buffer.from('PK\x03\x04 and more')), /before its first/],
  ['another archive before the beginning', Buffer.concat([archive(), archive()]), /contradict/],
  ['no directory', archive().subarray(0, 200), /damaged/],
  ['no entries', zip([]), /no manifest\.json/],
  ['a missing ZIP64 end record', ending({ zip64: { locator: 2n ** 64n - 1n } }), /outside of the file/],
  ['a ZIP64 end record at another offset', ending({ zip64: { locator: 0n } }), /damaged/],
  ['a ZIP64 end record of another length', ending({ zip64: { length: 4000n } }), /contradict/],
  ['a ZIP64 count that differs', ending({ zip64: { count: 3n } }), /contradict/],
  ['a ZIP64 size that differs', ending({ zip64: { size: 3n } }), /contradict/],
  ['a ZIP64 offset that differs', ending({ zip64: { offset: 2n ** 63n } }), /outside of the file/],
  ['a ZIP64 size without its field', odd({ fields: { size: 0xffff_ffff } }), /GIGABYTES|state its size/],
  [
    'a ZIP64 field that is too short',
    odd({ fields: { size: 0xffff_ffff, extra: extra(1, Buffer.alloc(3)) } }),
    /damaged/,
  ],
  [
    'a ZIP64 size beyond 2^53',
    odd({ fields: { size: 0xffff_ffff, extra: extra(1, u64(2n ** 63n)) } }),
    /GIGABYTES|state its size/,
  ],
  [
    'a ZIP64 offset beyond 2^53',
    odd({ central: { offset: 0xffff_ffff, extra: extra(1, u64(2n ** 63n)) } }),
    /outside of the file/,
  ],
  [
    'a ZIP64 packed size beyond 2^53',
    odd({ fields: { packed: 0xffff_ffff, extra: extra(1, u64(2n ** 63n)) } }),
    /beyond the end/,
  ],
  [
    'two ZIP64 sizes',
    odd({
      fields: { size: 0xffff_ffff, extra: Buffer.concat([extra(1, u64(BigInt(bytesOf(upload)))), extra(1, u64(5n))]) },
    }),
    /twice/,
  ],
  ['an extra field that is longer than the header', odd({ fields: { extra: Buffer.from([1, 0, 255, 0]) } }), /damaged/],
];

const manifests: readonly Hostile[] = [
  ['an empty manifest', zip([{ ...manifest, content: '' }, dump]), /not what the application writes/],
  ['a manifest that is a list', zip([manifestPart([application]), dump]), /not what the application writes/],
  ['a manifest that is a text', zip([manifestPart('postgresql'), dump]), /not what the application writes/],
  ['a manifest that is null', zip([manifestPart(null), dump]), /not what the application writes/],
  ['a manifest that is cut off', zip([{ ...manifest, content: '{"db_type":"postgresql"' }, dump]), /not what the app/],
  ['a manifest without a kind', zip([manifestPart({ ...application, db_type: undefined }), dump]), /which engine/],
  ['a manifest with a number as kind', zip([manifestPart({ ...application, db_type: 5 }), dump]), /which engine/],
  ['a manifest of another kind', zip([manifestPart({ ...application, db_type: 'mysql' }), dump]), /which engine/],
  ['a manifest of an unknown kind', zip([manifestPart({ ...application, db_type: 'unknown' })]), /without a database/],
  ['a number as revision', zip([manifestPart({ ...application, alembic_revision: 140 }), dump]), /wrong type/],
  ['a list of revisions', zip([manifestPart({ ...application, alembic_revision: ['140_x'] }), dump]), /wrong type/],
  ['a number as time', zip([manifestPart({ ...application, created_at: 5 }), dump]), /wrong type/],
  [
    'a revision with control characters',
    zip([manifestPart({ ...application, alembic_revision: '\u001b[2J' }), dump]),
    /plain/,
  ],
  [
    'a revision of several lines',
    zip([manifestPart({ ...application, alembic_revision: 'a\nSafe: all' }), dump]),
    /plain/,
  ],
  ['an endless revision', zip([manifestPart({ ...application, alembic_revision: 'a'.repeat(2000) }), dump]), /plain/],
  ['a time with control characters', zip([manifestPart({ ...application, created_at: '\u009b2J' }), dump]), /plain/],
  [
    'a revision in another encoding',
    zip([{ ...manifest, content: Buffer.from('{"db_type":"postgresql","alembic_revision":"\xe4"}', 'latin1') }, dump]),
    /plain/,
  ],
  [
    'a manifest in UTF-16',
    zip([{ ...manifest, content: Buffer.from(JSON.stringify(application), 'utf16le') }, dump]),
    /not what/,
  ],
  ['an endlessly nested manifest', zip([{ ...manifest, content: '['.repeat(200_000) }, dump]), /not what/],
  ['a database name with control characters', ofOurs({ database: '\u001b]0;title' }), /damaged/],
  ['no database', zip([manifest, settings]), /contains no database/],
  ['both databases', archive({ name: 'db.sqlite', content: 'SQLite format 3\0' }), /two databases/],
  [
    'the other database',
    zip([manifest, { name: 'db.sqlite', content: 'SQLite format 3\0' }]),
    /manifest says postgresql/,
  ],
  ['a file that is no dump', zip([manifest, { ...dump, content: '-- PostgreSQL database dump' }]), /not a dump/],
  ['a dump that is empty', zip([manifest, { ...dump, content: '' }]), /not a dump/],
  [
    'a file that is no SQLite database',
    zip([manifestPart({ ...application, db_type: 'sqlite' }), { name: 'db.sqlite', content: 'PGDMP' }]),
    /not an SQLite/,
  ],
  [
    'a manifest of another db-init',
    zip([manifestPart({ ...application, db_init: { format: 2 } }), dump]),
    /newer db-init/,
  ],
  ['a manifest of db-init that is null', zip([manifestPart({ ...application, db_init: null }), dump]), /newer db-init/],
  ['a manifest of db-init without a list of entries', ofOurs({ entries: JSON.parse('[]') }), /damaged/],
  [
    'a listed entry that is missing',
    ofOurs({ entries: { ...listed, 'uploads/b': { size: 1, sha256: hash } } }),
    /is missing/,
  ],
  [
    'an entry that is not listed',
    ofOurs({ entries: { 'db.dump': { size: 24, sha256: hash } } }),
    /does not list the entry/,
  ],
  [
    'a listed size that differs',
    ofOurs({ entries: { ...listed, 'uploads/a': { size: 2, sha256: hash } } }),
    /another size/,
  ],
  ['uploads that are not listed', ofOurs({ uploads: ['data_uploads'] }), /does not list the uploads/],
  ['a listed hash that differs', ofOurs({}), /hash is wrong/],
];

const hostile = { names, kinds, doubles, bombs, lies, largeLies, ends, manifests };

let folder: string;
beforeAll(async () => {
  folder = await temporaryDirectory();
});

/** Reads and unpacks everything, as a restore does. */
async function unpack(file: string, staging: string): Promise<void> {
  const opened = await openArchive(file, limits);
  for (const [index, entry] of [...opened.entries].entries())
    await extractEntry(entry, join(staging, String(index)), { signal });
  await verifyEntries(opened, { verifyDatabase: async (content) => void content.resume(), signal });
}

async function faultOf(work: Promise<unknown>): Promise<ArchiveFault> {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Failure && error.problem.kind === 'archive-rejected') return error.problem.fault;
  throw new Error('it was not rejected', { cause: error });
}

describe.each(Object.entries(hostile))('a hostile or broken archive (%s)', (_group, cases) => {
  it.each(cases)('is rejected: %s', async (_title, bytes, expected) => {
    const place = await mkdtemp(join(folder, 'case-'));
    await writeFile(join(place, 'archive.zip'), bytes);
    await mkdir(join(place, 'inside', 'staging'), { recursive: true });

    const fault = await faultOf(unpack(join(place, 'archive.zip'), join(place, 'inside', 'staging')));
    expect(reasonOfFault(fault)).toMatch(expected);
    expect(reasonOfFault(fault)).toMatch(/^[^\n]*[^.\n]$/);
    expect(await readdir(place)).toEqual(['archive.zip', 'inside']);
    expect(await readdir(join(place, 'inside'))).toEqual(['staging']);
  });
});

describe('the unchanged archives', () => {
  const accepted: readonly (readonly [string, Buffer])[] = [
    ['unchanged', archive(upload)],
    ['from another program', other(String(upload.name))],
    ['with folders', archive(upload, { name: 'uploads/logos/', content: '', mode: 0o40755, method: 0 })],
    ['with the records of ZIP64', ending({ zip64: {} })],
    ['with ZIP64 records only', ending({ count: 0xffff, size: 0xffff_ffff, offset: 0xffff_ffff, zip64: {} })],
    ['without Unix modes', odd({ mode: 0 })],
    ...[false, true].flatMap((wide) =>
      [false, true].map((signed): readonly [string, Buffer] => [
        `with sizes that follow (${wide ? 8 : 4} bytes, signature: ${signed})`,
        followed(descriptor(checksum, packed.length, bytesOf(upload), { wide, signed })),
      ]),
    ),
    ['with an announced data descriptor that is missing', followed(Buffer.alloc(0), {})],
    ['with a ZIP64 size', odd({ fields: { size: 0xffff_ffff, extra: extra(1, u64(BigInt(bytesOf(upload)), 0n)) } })],
    ['with a UTF-8 name without its flag', odd({ fields: { flags: 0 } })],
    ['with files of db-init from the folder', archive(upload, { name: 'uploads/.db-init-x/secret', content: 'x' })],
  ];

  it.each(accepted)('are accepted %s', async (_title, bytes) => {
    const place = await mkdtemp(join(folder, 'accepted-'));
    await writeFile(join(place, 'archive.zip'), bytes);
    await unpack(join(place, 'archive.zip'), place);
    const { uploads, manifest: none, revisions } = await openArchive(join(place, 'archive.zip'), limits);
    expect([...uploads].map(({ root, path }) => [root, path])).toEqual([['uploads', 'logos/a b.txt']]);
    expect([none, revisions]).toEqual([null, ['140_x']]);
    const [only] = uploads;
    expect(only && (await buffer(await only.entry.open())).toString()).toBe(upload.content);
  });

  it('are accepted with a highly compressed file among others', async () => {
    const file = join(await mkdtemp(join(folder, 'blank-')), 'archive.zip');
    const blank: Part = { name: 'uploads/blank.bmp', content: Buffer.alloc(4_000_000) };
    await writeFile(file, archive(blank, { name: 'uploads/photo.jpg', content: randomBytes(50_000) }));
    const { uploads } = await openArchive(file, limits);
    expect([...uploads].map(({ entry }) => entry.size)).toEqual([4_000_000, 50_000]);
  });

  it('are not mistaken for another format because of one byte', async () => {
    const bytes = archive(upload);
    const file = join(await mkdtemp(join(folder, 'bytes-')), 'archive.zip');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      await writeFile(file, changed);
      expect(await contentsOf(file), `byte ${at}`).toBeOneOf([
        'rejected',
        JSON.stringify([...rest, upload].map(described)),
      ]);
    }
  });
});

const described = ({ name, content }: Part): readonly string[] => [String(name), String(content)];

async function contentsOf(file: string): Promise<string> {
  const contents: (readonly string[])[] = [];
  try {
    for (const { name, open } of (await openArchive(file, limits)).entries) {
      contents.push([name, String(await buffer(await open()))]);
    }
    return JSON.stringify(contents);
  } catch (error) {
    if (error instanceof Failure && error.problem.kind === 'archive-rejected') return 'rejected';
    throw error;
  }
}

describe('a file that is no archive', () => {
  const sql = '--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n';
  const data = ['v/', 'v/base/', 'v/base/1/', 'v/base/1/1249', 'v/PG_VERSION', 'v/global/pg_control', 'v/pg_wal/'];
  const before = ['./manifest.json', './db.dump', './uploads/a.png'];
  const owned = `${sql}ALTER TABLE public.users OWNER TO`;
  const files: readonly (readonly [string, string | Buffer, object])[] = [
    ['a plain SQL dump', sql, { kind: 'sql', dialect: 'postgresql', packed: false, apart: false }],
    ['a SQL dump of SQLite', 'PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n', { dialect: 'sqlite', apart: false }],
    ['a SQL dump of its owner', `${owned} timetracker;\n`, { kind: 'sql', apart: false }],
    ['a SQL dump of another owner', `${owned} alice;\n`, { kind: 'sql', apart: true }],
    ['a SQL dump that creates its database', `${sql}CREATE DATABASE timetracker;\n`, { kind: 'sql', apart: true }],
    ['a SQL dump that drops', `${sql}DROP TABLE public.users;\n`, { kind: 'sql', apart: true }],
    [
      'a SQL dump that drops what is there',
      `${sql}DROP TABLE IF EXISTS public.users;\n`,
      { kind: 'sql', apart: false },
    ],
    ['a SQL dump of a newer pg_dump', `${sql}SET transaction_timeout = 0;\n`, { kind: 'sql', apart: true }],
    ['a dump in custom format', 'PGDMP\x01\x0e', { kind: 'dump', packed: false }],
    ['an SQLite file', 'SQLite format 3\0...', { kind: 'sqlite' }],
    ['a JSON backup', '{\n  "backup_info": {"version": "1"}}', { kind: 'export', format: 'json-backup' }],
    ['a JSON export', '{"export_info": {"user_id": 1}, "time_entries": []}', { kind: 'export', format: 'json-export' }],
    ['a filtered JSON export', '{\n  "time_entries": []}', { kind: 'export', format: 'json-export' }],
    ['other JSON', '{"a": 1}', { kind: 'export', format: 'json' }],
    ['a CSV export', 'id,user_id,notes\r\n1,2,"a, b"\r\n', { kind: 'export', format: 'csv' }],
    ['a packed SQL dump', gzipSync(sql), { kind: 'sql', packed: true }],
    ['a large SQL dump, packed', gzipSync(sql + randomBytes(200_000).toString('hex')), { kind: 'sql', packed: true }],
    ['a packed dump', gzipSync('PGDMP\x01\x0e'), { kind: 'dump', packed: true }],
    ['a packed SQLite file', gzipSync('SQLite format 3\0...'), { kind: 'wrapped', by: 'gzip' }],
    ['something else that is packed', gzipSync('Hello'), { kind: 'wrapped', by: 'gzip' }],
    ['something that looks packed', Buffer.from([0x1f, 0x8b, 0, 1, 2]), { kind: 'wrapped', by: 'gzip' }],
    ['packed with bzip2', 'BZh91AY&SY', { kind: 'wrapped', by: 'bzip2' }],
    ['packed with xz', Buffer.from('fd377a585a000004', 'hex'), { kind: 'wrapped', by: 'xz' }],
    ['packed with Zstandard', Buffer.from('28b52ffd0458', 'hex'), { kind: 'wrapped', by: 'zstd' }],
    ['packed with LZ4', Buffer.from('04224d186440', 'hex'), { kind: 'wrapped', by: 'lz4' }],
    ['packed with 7-Zip', Buffer.from('377abcaf271c0004', 'hex'), { kind: 'wrapped', by: '7z' }],
    ['packed with RAR', Buffer.from('526172211a0701', 'hex'), { kind: 'wrapped', by: 'rar' }],
    ['encrypted', 'Salted__12345678', { kind: 'wrapped', by: 'encrypted' }],
    ['a dump by way of PowerShell', Buffer.from(`\uFEFF${sql}`, 'utf16le'), { kind: 'wrapped', by: 'utf-16' }],
    ['a dump in tar format', tar(['toc.dat', '4321.dat', 'restore.sql']), { kind: 'dump', packed: false }],
    ['a packed dump in tar format', gzipSync(tar(['toc.dat', '4321.dat'])), { kind: 'dump', packed: true }],
    [
      'a packed dump in directory format',
      tar(['./', './4321.dat.gz', './toc.dat']),
      { kind: 'dump-directory', path: '' },
    ],
    ['a data directory', tar(data, { 'v/PG_VERSION': '16\n' }), { kind: 'data-directory', path: 'v/', major: 16 }],
    ['a packed data directory', gzipSync(tar(data)), { kind: 'data-directory', path: 'v/', major: null }],
    ['a data directory in a ZIP archive', zip(filesCalled(data)), { kind: 'data-directory', path: 'v/' }],
    ['an archive packed as tar', tar(before), { kind: 'unpacked-archive', path: '' }],
    ['a volume', tar(['data/timetracker.db', 'data/uploads/a']), { kind: 'backups', paths: ['data/timetracker.db'] }],
    ['a volume with backups', tar(['uploads/backups/a.zip', 'timetracker.db']), { paths: ['uploads/backups/a.zip'] }],
    ['a tar of anything', tar(['a/b', 'c']), { kind: 'unknown', count: 2, names: ['a/b', 'c'] }],
    ['an archive without a manifest', zip([dump, settings]), { kind: 'backups', paths: ['db.dump'] }],
    ['a packed archive', zip([{ name: 'a.zip', content: archive() }]), { kind: 'backups', paths: ['a.zip'] }],
    ['uploads alone', zip([upload]), { kind: 'uploads', roots: ['uploads'] }],
    ['an export of one person', zip(filesCalled(['gdpr_export_a_1.json', 'tasks.csv'])), { kind: 'export' }],
    ['a spreadsheet', zip(filesCalled(['[Content_Types].xml', 'xl/workbook.xml'])), { kind: 'unknown', count: 2 }],
    ['bytes', Buffer.alloc(100_000, 0xe4), { defect: { kind: 'not-zip' } }],
    ['a text', 'Hello', { defect: { kind: 'not-zip' } }],
    ['nothing', '', { defect: { kind: 'empty' } }],
  ];

  it.each(files)('is rejected with its format: %s', async (_title, content, expected) => {
    const file = join(await mkdtemp(join(folder, 'other-')), 'backup.zip');
    await writeFile(file, content);
    const fault = await faultOf(openArchive(file, limits));
    const found = 'file' in fault ? fault.file : fault;
    expect('contents' in found ? found.contents : found).toMatchObject(expected);
  });

  it.each([
    ['the first piece of a ZIP archive', 'a.zip.001', archive().subarray(0, 300)],
    ['the last piece of a ZIP archive', 'a.zip.002', archive().subarray(300)],
    ['a piece that split made', 'a.zip.aa', archive().subarray(0, 300)],
    [
      'the last piece of a split archive',
      'a.zip',
      Buffer.from('rest of it PK\x05\x06\x03\0\0\0'.padEnd(33, '\0'), 'latin1'),
    ],
    ['a piece of a spanned archive', 'a.z01', Buffer.concat([Buffer.from('PK\x07\x08'), archive()])],
    ['the end of a spanned archive', 'a.zip', ending({ disk: 1 })],
    ['a piece of a 7-Zip archive', 'a.7z.001', Buffer.from('377abcaf271c0004', 'hex')],
  ])('is called a part of an archive if it looks like one: %s', async (_title, name, content) => {
    const file = join(await mkdtemp(join(folder, 'piece-')), name);
    await writeFile(file, content);
    expect(await faultOf(openArchive(file, limits))).toMatchObject({ kind: 'piece' });
  });

  it('is rejected if it is missing, a folder or a device', async () => {
    const unpacked = await mkdtemp(join(folder, 'unpacked-'));
    for (const name of ['manifest.json', 'db.dump']) await writeFile(join(unpacked, name), 'x');
    const faults = await Promise.all(
      [join(folder, 'nowhere', 'a.zip'), unpacked, '/dev/zero'].map((file) => faultOf(openArchive(file, limits))),
    );
    expect(faults).toMatchObject([
      { kind: 'missing', places: [join(folder, 'nowhere', 'a.zip')] },
      { file: { kind: 'folder', packing: 'none', contents: { kind: 'unpacked-archive' } } },
      { defect: { kind: 'not-a-file' } },
    ]);
  });
});

const namesAgain = (top: string, parts: readonly Part[]): Part[] =>
  parts.map((part) => ({ ...part, name: `${top}${String(part.name)}` }));

/** Files that desktops add when an archive is unpacked and packed again. */
const desktop = (top: string): Part[] =>
  ['.DS_Store', 'uploads/.DS_Store', 'uploads/Thumbs.db', 'uploads/logos/desktop.ini', 'uploads/logos/._a b.txt'].map(
    (name) => ({ name: top + name, content: 'x' }),
  );

describe('an archive that somebody unpacked and packed again', () => {
  const mac = [
    { name: '__MACOSX/', content: '', mode: 0o40755, method: 0 },
    { name: '__MACOSX/mine/._manifest.json', content: 'x' },
  ];
  const ownParts = [
    { name: 'manifest.json', content: renderManifest({ ...manifestFacts, entries: known }) },
    dump,
    { name: 'uploads/a', content: 'x' },
  ];
  const again: readonly (readonly [string, Buffer, readonly string[]])[] = [
    [
      'by bsdtar',
      zip([{ name: './', content: '', mode: 0o40755, method: 0 }, ...namesAgain('./', [...rest, upload])]),
      ['logos/a b.txt'],
    ],
    ['in a folder', zip(namesAgain('my backup/', [...rest, upload])), ['logos/a b.txt']],
    [
      'in folders that are named',
      zip([
        { name: 'a/', content: '', mode: 0o40755, method: 0 },
        { name: 'a/b/', content: '', mode: 0o40755, method: 0 },
        ...namesAgain('a/b/', [...rest, upload]),
      ]),
      ['logos/a b.txt'],
    ],
    ['by a Mac', zip([...namesAgain('mine/', [...rest, upload]), ...mac, ...desktop('mine/')]), ['logos/a b.txt']],
    ['without a folder, by a Mac', zip([...rest, upload, ...mac, ...desktop('')]), ['logos/a b.txt']],
    ['by Windows PowerShell', zip([...rest, { ...upload, name: 'uploads\\logos\\a b.txt' }]), ['logos/a b.txt']],
    [
      'in a folder by Windows PowerShell',
      zip(
        namesAgain('mine/', [...rest, upload]).map((part) => ({
          ...part,
          name: String(part.name).replaceAll('/', '\\'),
        })),
      ),
      ['logos/a b.txt'],
    ],
    ['having been made by db-init', zip([...namesAgain('mine/', ownParts), ...mac, ...desktop('mine/')]), ['a']],
  ];

  it.each(again)('is the same archive: %s', async (_title, bytes, uploads) => {
    const file = join(await mkdtemp(join(folder, 'again-')), 'backup.zip');
    await writeFile(file, bytes);
    const opened = await openArchive(file, limits);
    expect([...opened.uploads].map(({ path }) => path)).toEqual(uploads);
    expect((await buffer(await opened.database.open())).toString()).toBe(dump.content);
  });

  it('keeps desktop files that were among the uploads before the backup', async () => {
    const file = join(await mkdtemp(join(folder, 'left-')), 'backup.zip');
    const left = { ...known, 'uploads/Thumbs.db': { size: 1, sha256: hash } };
    const thumbs = { name: 'uploads/Thumbs.db', content: 'x' };
    const [first, ...others] = ownParts;
    const manifestOfAll = { name: first?.name ?? '', content: renderManifest({ ...manifestFacts, entries: left }) };
    await writeFile(file, zip([manifestOfAll, ...others, thumbs]));
    expect([...(await openArchive(file, limits)).uploads].map(({ path }) => path)).toEqual(['a', 'Thumbs.db']);
  });

  it.each([
    ['files of somebody beside the folder', zip([...namesAgain('mine/', rest), { name: 'notes.txt', content: 'x' }])],
    ['two archives in two folders', zip([...namesAgain('one/', rest), ...namesAgain('two/', rest)])],
  ])('is refused with %s, with the reason', async (_title, bytes) => {
    const file = join(await mkdtemp(join(folder, 'beside-')), 'backup.zip');
    await writeFile(file, bytes);
    expect(await faultOf(openArchive(file, limits))).toMatchObject({
      file: { kind: 'folder', contents: { kind: 'unpacked-archive' } },
    });
  });
});

describe('unpacking', () => {
  it('never touches an existing file', async () => {
    const place = await mkdtemp(join(folder, 'there-'));
    const [file, target] = [join(place, 'archive.zip'), join(place, 'target')];
    await writeFile(file, archive(upload));
    await writeFile(target, 'mine');
    const { database } = await openArchive(file, limits);
    await expect(extractEntry(database, target, { signal })).rejects.toThrow(/EEXIST/);
    expect(await readFile(target, 'utf8')).toBe('mine');
  });

  it('uses no path of a file that was changed after the check', async () => {
    const place = await mkdtemp(join(folder, 'changed-'));
    const file = join(place, 'archive.zip');
    const bytes = archive({ ...upload, name: 'uploads/a/bc/d.png' });
    await writeFile(file, bytes);
    const { uploads } = await openArchive(file, limits);
    expect([...uploads].map(({ path }) => path)).toEqual(['a/bc/d.png']);
    await writeFile(file, bytes.toString('latin1').replaceAll('uploads/a/bc/d.png', 'uploads/../../evil'), 'latin1');
    expect(() => [...uploads]).toThrow(Failure);
  });

  it('leaves nothing behind if it fails or is cancelled', async () => {
    const place = await mkdtemp(join(folder, 'gone-'));
    const file = join(place, 'archive.zip');
    await writeFile(file, zip([manifest, dump, { ...upload, fields: { crc: 1 } }]));
    const { database, uploads } = await openArchive(file, limits);
    const cancelled = AbortSignal.abort(new Error('enough'));
    for (const { entry } of uploads) await faultOf(extractEntry(entry, join(place, 'a'), { signal }));
    await expect(extractEntry(database, join(place, 'b'), { signal: cancelled })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(await readdir(place)).toEqual(['archive.zip']);
  });
});
