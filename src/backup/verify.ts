import { access, constants, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { archiveRejected, invalid } from '../archive/archive-error.ts';
import { checkSqliteFile, findUnknownObjects } from '../database/sqlite/check.ts';
import { readBeginning } from '../archive/detect-format.ts';
import { requireOwnSideFiles } from '../database/sqlite/recover-side-files.ts';
import { inspectDump, inspectPlainDump } from '../database/postgres/dump/create-and-verify.ts';
import { headerBytes, isDumpHeader, oldestReader, parseDumpHeader } from '../database/postgres/dump/header.ts';
import { findTools, newest } from '../database/postgres/client-tools.ts';
import type { ArchiveKind } from '../model/archive.ts';
import type { Engine } from '../model/engine.ts';
import type { Readable } from 'node:stream';
import { verifyEntries } from '../archive/verify-contents.ts';
import { openArchiveOrFile } from '../archive/bare-file.ts';
import type { Archive } from '../archive/reader.ts';
import type { Config, DatabaseTarget } from '../config/config.ts';
import type { ArchiveObject } from '../errors/obstacles.ts';
import { ownPrefix } from '../platform/own-files.ts';
import { freeBytes } from '../platform/free-space.ts';
import { extractEntry } from '../archive/entry-content.ts';
import { missingReader } from '../database/postgres/dump/restorer.ts';

/** An archive that was found whole. Values that the application's archives do not contain are null. */
export interface VerifiedArchive {
  readonly file: string;
  /** Whether it is a bare database, and no archive. */
  readonly isBare: boolean;
  readonly engine: Engine;
  /** Null for an archive of the application. */
  readonly kind: ArchiveKind | null;
  /** When it was made: an instant, or a local time in an archive of the application. */
  readonly created: Date | string | null;
  /** `PostgreSQL 16.4`; null for an SQLite file of the application. */
  readonly server: string | null;
  /** The name of the database at its origin. */
  readonly database: string | null;
  /** The version of db-init. */
  readonly version: string | null;
  readonly revisions: readonly string[] | null;
  /** The number of rows of all tables together. */
  readonly rows: number | null;
  readonly entries: number;
  readonly uploads: number;
  /** Bytes of all entries, unpacked. */
  readonly bytes: number;
  /** Bytes of the file. */
  readonly size: number;
  /** Objects in the database that TimeTracker does not make: a restore refuses them without `--trust-archive`. */
  readonly objects: readonly ArchiveObject[];
}

export interface Verification {
  readonly config: Pick<Config, 'archiveLimits'> & { readonly database?: Pick<DatabaseTarget, 'kind'> | null };
  readonly signal: AbortSignal;
  /** Bytes read so far, and bytes in all. */
  readonly onBytes?: ((done: number, total: number) => void) | undefined;
}

/** Verifies the database in an archive. */
export interface DatabaseVerifier {
  /** The server of the dump: `PostgreSQL 16.4`; null if the entry does not contain it. */
  readonly server: string | null;
  /**
   * Reads the entry to its end. @returns the objects that TimeTracker does not make @throws Error if it cannot be
   * restored
   */
  readonly verify: (content: Readable) => Promise<readonly ArchiveObject[]>;
}

/**
 * Verifies that an archive or a bare database file is whole: it checks the checksum, size and hash of every entry, and
 * reads the database to its end. It needs no database and restores nothing.
 * @throws Failure `archive-rejected`
 */
export async function verifyBackup(file: string, given: Verification): Promise<VerifiedArchive> {
  return verifyArchive(await openArchiveOrFile(file, given.config.archiveLimits, given.config.database?.kind), given);
}

/** The same as `verifyBackup`, for an archive that is open already. @throws Failure `archive-rejected` */
export async function verifyArchive(archive: Archive, { signal, onBytes }: Verification): Promise<VerifiedArchive> {
  const { size } = await stat(archive.file);
  const { server, verify } = await openVerifier(archive, signal);
  let done = 0;
  let objects: readonly ArchiveObject[] = [];
  await verifyEntries(archive, {
    async verifyDatabase(content) {
      objects = await verify(content);
    },
    onBytes: (bytes) => onBytes?.((done += bytes), archive.size),
    signal,
  });
  return { ...describeVerified(archive, server), size, objects };
}

function openVerifier(archive: Archive, signal: AbortSignal): Promise<DatabaseVerifier> {
  switch (archive.engine) {
    case 'postgresql':
      return openDumpVerifier(archive, signal);
    case 'sqlite':
      return openFileVerifier(archive, signal);
  }
}

function describeVerified(archive: Archive, server: string | null): Omit<VerifiedArchive, 'size' | 'objects'> {
  const { file, bare: isBare, engine, manifest, createdAt, revisions, entries, uploads, size } = archive;
  const counts = manifest && Object.values(manifest.rows);
  return {
    file,
    isBare,
    engine,
    kind: manifest?.kind ?? null,
    created: createdAt,
    server: manifest?.server ?? server,
    database: manifest?.database ?? null,
    version: manifest?.version ?? null,
    revisions,
    rows: counts && counts.reduce((sum, count) => sum + count, 0),
    entries: entries.length,
    uploads: uploads.length,
    bytes: size,
  };
}

/**
 * Prepares to verify a dump with the newest pg_restore on this machine: it reads everything that older ones read.
 * @throws Failure `archive-rejected` if the dump has an unknown format, or no installed pg_restore can read it
 */
export async function openDumpVerifier(
  { file, bare, database }: Archive,
  signal: AbortSignal,
): Promise<DatabaseVerifier> {
  const head = await readBeginning(database, headerBytes);
  if (bare && !isDumpHeader(head)) return { server: null, verify: (content) => inspectPlainDump(content, signal) };
  const parsed = parseDumpHeader(head);
  if (parsed.kind === 'damaged') {
    throw archiveRejected(file, invalid({ kind: 'dump-header', name: database.name, defect: parsed.defect }));
  }
  const { header } = parsed;
  const tools = await findTools('pg_restore');
  const tool = newest(tools);
  if (tool === null || tool.major < oldestReader(header)) {
    throw archiveRejected(file, { kind: 'no-tool', tool: missingReader(header, tools) });
  }
  // the suffix of the Debian package is left out
  const server = `PostgreSQL ${header.server.replace(/ .*/s, '')}`;
  return { server, verify: (content) => inspectDump(tool, content, signal) };
}

/**
 * Prepares to verify an SQLite file: the file is unpacked into the temporary folder or beside the archive.
 * @throws Failure `archive-rejected` if there is no room for it
 */
export async function openFileVerifier(archive: Archive, signal: AbortSignal): Promise<DatabaseVerifier> {
  const place = await findRoom(archive);
  return {
    server: null,
    async verify(content) {
      const folder = await mkdtemp(join(place, `${ownPrefix}-verify-`));
      try {
        const file = join(folder, 'database');
        const handle = await open(file, 'wx', 0o600);
        await pipeline(content, handle.createWriteStream(), { signal });
        // the log of an interrupted transaction is part of the database
        for (const { suffix, entry } of archive.sideFiles) await extractEntry(entry, file + suffix, { signal });
        requireOwnSideFiles(file);
        const fault = checkSqliteFile(file);
        if (fault !== null) throw new Error(fault);
        return findUnknownObjects(file);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** The temporary folder is often in memory, and small. The folder of the archive usually has room for its content. */
async function findRoom({ file, database }: Archive): Promise<string> {
  const places = [tmpdir(), dirname(file)];
  for (const place of places) {
    if (freeBytes(place) > database.size * 1.1 && (await isWritable(place))) return place;
  }
  const reason = { kind: 'no-room', name: database.name, needed: database.size, places } as const;
  throw archiveRejected(file, { kind: 'unusable', reason });
}

async function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}
