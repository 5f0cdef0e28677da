import type { ArchiveKind } from '../model/archive.ts';
import type { Engine } from '../model/engine.ts';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { proveArchive } from '../archive/verify-contents.ts';
import { type Archive, openArchive } from '../archive/reader.ts';
import type { Config } from '../config/config.ts';
import type { ArchiveObject } from '../errors/failure.ts';
import { openDumpProof } from './verify-dump.ts';
import { openFileProof } from './verify-file.ts';

/** An archive that was found whole. What the application's own ones do not tell is null. */
export interface VerifiedArchive {
  readonly file: string;
  readonly engine: Engine;
  /** Null for an archive of the application. */
  readonly kind: ArchiveKind | null;
  /** The instant, or the local time where it was made. */
  readonly created: Date | string | null;
  /** `PostgreSQL 16.4`; null for an SQLite file of the application. */
  readonly server: string | null;
  /** What the database is called where it comes from. */
  readonly database: string | null;
  /** Of db-init. */
  readonly version: string | null;
  readonly revisions: readonly string[] | null;
  /** Of all tables. */
  readonly rows: number | null;
  readonly members: number;
  readonly uploads: number;
  /** Bytes of all members, unpacked. */
  readonly bytes: number;
  /** Bytes of the file. */
  readonly size: number;
  /** What the database holds that TimeTracker does not make: a restore refuses it unless somebody answers for it. */
  readonly objects: readonly ArchiveObject[];
}

export interface Verification {
  readonly config: Pick<Config, 'archiveLimits'>;
  readonly signal: AbortSignal;
  /** Bytes that were read, of all that there are. */
  readonly onBytes?: ((done: number, total: number) => void) | undefined;
}

/** How the database in an archive is proven. */
export interface DatabaseProof {
  /** What was dumped, as far as the member tells. */
  readonly server: string | null;
  /** Reads the member to its end. @returns what it holds that TimeTracker does not make @throws Error if it could not be restored */
  readonly prove: (content: Readable) => Promise<readonly ArchiveObject[]>;
}

/**
 * Proves that an archive is whole: the checksum, size and hash of every member, and that its database can be read to
 * the end. No database is needed, and nothing is restored.
 * @throws Failure `archive-rejected`
 */
export async function verifyBackup(file: string, given: Verification): Promise<VerifiedArchive> {
  const { config, signal, onBytes } = given;
  const archive = await openArchive(file, config.archiveLimits);
  const { size } = await stat(file);
  const { server, prove } = await openProof(archive, signal);
  let done = 0;
  let objects: readonly ArchiveObject[] = [];
  await proveArchive(archive, {
    async proveDatabase(content) {
      objects = await prove(content);
    },
    onBytes: (bytes) => onBytes?.((done += bytes), archive.size),
    signal,
  });
  return { ...describeVerified(archive, server), size, objects };
}

function openProof(archive: Archive, signal: AbortSignal): Promise<DatabaseProof> {
  switch (archive.engine) {
    case 'postgresql':
      return openDumpProof(archive, signal);
    case 'sqlite':
      return openFileProof(archive, signal);
  }
}

function describeVerified(archive: Archive, server: string | null): Omit<VerifiedArchive, 'size' | 'objects'> {
  const { file, engine, manifest, createdAt, revisions, members, uploads, size } = archive;
  const counts = manifest && Object.values(manifest.rows);
  return {
    file,
    engine,
    kind: manifest?.kind ?? null,
    created: createdAt,
    server: manifest?.server ?? server,
    database: manifest?.database ?? null,
    version: manifest?.version ?? null,
    revisions,
    rows: counts && counts.reduce((sum, count) => sum + count, 0),
    members: members.length,
    uploads: uploads.length,
    bytes: size,
  };
}
