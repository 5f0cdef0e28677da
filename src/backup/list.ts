import type { ArchiveKind } from '../model/archive.ts';
import type { Engine } from '../model/engine.ts';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Archive, openArchive } from '../archive/reader.ts';
import { rejectionReason } from '../archive/archive-error.ts';
import type { ArchiveLimits, Config } from '../config/config.ts';
import { hasCode } from '../errors/error-code.ts';
import { Failure, reasonOf } from '../errors/failure.ts';

/** An archive in the backup folder, as far as it can be known without reading its contents. */
export interface ListedArchive {
  readonly name: string;
  readonly path: string;
  /** `application`: made by the application itself. */
  readonly kind: ArchiveKind | 'application' | 'unreadable';
  /** What it says of itself; of an unreadable one the time of the file. */
  readonly made: Date;
  readonly engine: Engine | null;
  /** What people call the database; null where the archive does not say. */
  readonly database: string | null;
  /** Rows of alembic_version; null where they are not known. */
  readonly revisions: readonly string[] | null;
  /** Of the file. */
  readonly bytes: number;
  /** How many uploaded files it holds. */
  readonly uploads: number | null;
  /** Why it cannot be read; null if it looks whole. */
  readonly problem: string | null;
}

/** Working copies of the application's restore. */
const workingCopy = 'restore_';

/**
 * Lists the archives in the backup folder, the newest first. A folder that is not there holds none.
 * @throws Failure `backups-not-listed`
 */
export async function listArchives({
  backupFolder: folder,
  archiveLimits,
}: Pick<Config, 'backupFolder' | 'archiveLimits'>): Promise<readonly ListedArchive[]> {
  const names = await namesIn(folder);
  const wanted = names.filter((name) => name.endsWith('.zip') && !name.startsWith(workingCopy));
  const found: ListedArchive[] = [];
  for (const name of wanted) {
    const archive = await describe(folder, name, archiveLimits);
    if (archive !== null) found.push(archive);
  }
  return found.toSorted(
    (one, other) => other.made.getTime() - one.made.getTime() || other.name.localeCompare(one.name),
  );
}

/** What lies in a folder of backups. @throws Failure `backups-not-listed` */
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
  // it was removed meanwhile, or is a link to nowhere
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
  // the application says the local time, which this is taken for
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
