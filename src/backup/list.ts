import type { ArchiveKind } from '../model/archive.ts';
import type { Engine } from '../model/engine.ts';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Archive, openArchive } from '../archive/reader.ts';
import { rejectionReason } from '../report/archive-reasons.ts';
import type { ArchiveLimits, Config } from '../config/config.ts';
import { hasCode } from '../errors/error-code.ts';
import { Failure, reasonOf } from '../errors/failure.ts';

/** What is known about an archive in the backup folder without reading its contents. */
export interface ListedArchive {
  readonly name: string;
  readonly path: string;
  /** `application`: the application made it. */
  readonly kind: ArchiveKind | 'application' | 'unreadable';
  /** The time in the manifest; for an unreadable archive, the time of the file. */
  readonly made: Date;
  readonly engine: Engine | null;
  /** The name of the database for people; null if the archive does not contain it. */
  readonly database: string | null;
  /** Rows of alembic_version; null where they are not known. */
  readonly revisions: readonly string[] | null;
  readonly bytes: number;
  /** How many uploaded files it holds. */
  readonly uploads: number | null;
  /** Why it cannot be read; null if it looks whole. */
  readonly problem: string | null;
}

/** Temporary copies that the application's restore makes. */
const restorePrefix = 'restore_';

/**
 * Lists the archives in the backup folder, the newest first. A missing folder holds none.
 * @throws Failure `backups-not-listed`
 */
export async function listArchives({
  backupFolder: folder,
  archiveLimits,
}: Pick<Config, 'backupFolder' | 'archiveLimits'>): Promise<readonly ListedArchive[]> {
  const names = await namesIn(folder);
  const wanted = names.filter((name) => name.endsWith('.zip') && !name.startsWith(restorePrefix));
  const found: ListedArchive[] = [];
  for (const name of wanted) {
    const archive = await describe(folder, name, archiveLimits);
    if (archive !== null) found.push(archive);
  }
  return found.toSorted(
    (one, other) => other.made.getTime() - one.made.getTime() || other.name.localeCompare(one.name),
  );
}

/** The names in a folder of backups. @throws Failure `backups-not-listed` */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw new Failure({ kind: 'backups-not-listed', folder, reason: reasonOf(error) }, { cause: error });
  }
}

async function describe(folder: string, name: string, limits: ArchiveLimits): Promise<ListedArchive | null> {
  const path = join(folder, name);
  const stats = await stat(path).catch(() => null);
  // the file was deleted after the folder was read, or is a dangling link
  if (stats === null) return null;
  const file = { name, path, bytes: stats.size };
  try {
    return { ...file, ...contentsOf(await openArchive(path, limits), stats.mtime), problem: null };
  } catch (error) {
    const unknown = { engine: null, database: null, revisions: null, uploads: null };
    return { ...file, ...unknown, kind: 'unreadable', made: stats.mtime, problem: rejectionReason(error) };
  }
}

function contentsOf(
  { engine, revisions, createdAt, manifest, uploads }: Archive,
  modified: Date,
): Pick<ListedArchive, 'kind' | 'made' | 'engine' | 'database' | 'revisions' | 'uploads'> {
  // the application writes its local time without a zone; it is read as the local time of this process
  const said = createdAt === null ? modified : new Date(createdAt);
  return {
    kind: manifest?.kind ?? 'application',
    made: Number.isNaN(said.getTime()) ? modified : said,
    engine,
    database: manifest?.database ?? null,
    revisions,
    uploads: uploads.length,
  };
}
