import type { Config } from '../config/config.ts';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { sideFilesOf } from '../archive/bare-file.ts';
import { type DoneRestore, readHistory } from '../state-folder/restore-history.ts';
import type { ArchiveIdentity } from '../state-folder/journal.ts';

/**
 * Identifies an archive by path, size and time; by its content as well where it is asked again later. The logs beside
 * a bare SQLite file hold some of its rows, and belong to its identity.
 */
export async function identify(file: string, byContent: boolean): Promise<ArchiveIdentity> {
  const stats = await Promise.all(filesOf(file).map((path) => stat(path)));
  const size = stats.reduce((sum, each) => sum + each.size, 0);
  const modified = Math.trunc(Math.max(...stats.map(({ mtimeMs }) => mtimeMs)));
  return { path: file, size, modified, sha256: byContent ? await hashFiles(file) : null };
}

const filesOf = (file: string): readonly string[] => [file, ...sideFilesOf(file).map((suffix) => file + suffix)];

/**
 * Finds the recorded restore of an archive at a start. The content decides, whatever the name of the file; it is only
 * read if path, size and time do not match. A missing archive is identified by its path.
 * @throws Failure `restore-refused` if it is unknown what was restored
 */
export async function findRestoreAtStart(
  config: Pick<Config, 'backupFolder' | 'database'>,
  file: string,
): Promise<DoneRestore | null> {
  const done = readHistory(config).filter(({ archive }) => archive !== null && archive.sha256 !== null);
  if (done.length === 0) return null;
  const present = await identify(file, false).catch(() => null);
  const likely = done.findLast(
    ({ archive }) =>
      archive?.path === file &&
      (present === null || (archive.size === present.size && archive.modified === present.modified)),
  );
  if (likely !== undefined || present === null) return likely ?? null;
  const sha256 = await hashFiles(file);
  return done.findLast(({ archive }) => archive?.sha256 === sha256) ?? null;
}

async function hashFiles(file: string): Promise<string> {
  const hash = createHash('sha256');
  for (const path of filesOf(file)) {
    const bytes: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: 1024 * 1024 });
    for await (const chunk of bytes) hash.update(chunk);
  }
  return hash.digest('hex');
}
