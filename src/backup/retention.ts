import type { ArchiveKind } from '../model/archive.ts';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../archive/manifest.ts';
import { readManifest } from '../archive/reader.ts';
import { namesIn } from './list.ts';

export interface RetentionRule {
  readonly folder: string;
  /** Of this kind only; what somebody asked for is never taken for what was made by itself. */
  readonly kind: ArchiveKind;
  /** Of this database only: its names (`namesOf`). */
  readonly names: ReadonlySet<string>;
  /** How many are kept, the newest; at least one. */
  readonly keep: number;
  /** Paths that are kept beyond that number. */
  readonly always?: readonly string[];
  /** Whether the newest of a healthy database is kept beyond that number. */
  readonly keepHealthy?: boolean;
}

/** What a rule keeps, and what it does not; paths, the newest first. */
export interface Sorted {
  readonly kept: readonly string[];
  readonly old: readonly string[];
}

/**
 * Removes the oldest archives beyond a number.
 * @param proven the one that was just made: it counts as the newest, for a clock that was wrong may have made others
 * that call themselves newer
 * @returns the paths of what was removed
 */
export async function removeOldest(rule: RetentionRule, proven: string): Promise<readonly string[]> {
  const { old } = await sortArchives(rule, proven);
  for (const path of old) await rm(path, { force: true });
  return old;
}

/**
 * Finds the archives that a rule is for. One that is not of db-init, whatever its name, is never among them.
 * @param newest a path that comes first, whatever it says of its age
 */
export async function sortArchives(
  { keep, always = [], keepHealthy = false, ...whose }: RetentionRule,
  newest: string | null = null,
): Promise<Sorted> {
  const newestFirst = await findArchives(whose, newest);
  const count = Math.max(1, keep);
  const healthy = keepHealthy ? newestFirst.find(({ manifest }) => manifest.healthy === true)?.path : undefined;
  const kept = newestFirst
    .map(({ path }) => path)
    .filter((path, index) => index < count || path === healthy || always.includes(path));
  return { kept, old: newestFirst.map(({ path }) => path).filter((path) => !kept.includes(path)) };
}

interface ArchiveQuery {
  readonly folder: string;
  readonly kind: ArchiveKind | null;
  readonly names: ReadonlySet<string> | null;
}

/** An archive of db-init, and what its manifest says. It bears its name because it was read back when it was made. */
export interface FoundArchive {
  readonly path: string;
  readonly manifest: Manifest;
}

/** Milliseconds: an archive that says it was made later than that from now has the time of a clock that was wrong. */
const ahead = 60 * 60 * 1000;

/**
 * The newest backup that was proven when it was made, of either kind.
 * @param names of the database that it holds (`namesOf`); null for any
 * @param kind null for either
 * @throws Failure `backups-not-listed`
 */
export async function findNewestBackup(
  folder: string,
  names: ReadonlySet<string> | null,
  kind: ArchiveKind | null = null,
): Promise<FoundArchive | null> {
  const found = await findArchives({ folder, kind, names });
  return found.find(({ manifest }) => manifest.createdAt.getTime() - Date.now() < ahead) ?? null;
}

/** The archives of a kind and of a database, null being any, the newest first, or else the one that is said to be. */
export async function findArchives(
  { folder, kind, names: databases }: ArchiveQuery,
  newest: string | null = null,
): Promise<readonly FoundArchive[]> {
  const found: FoundArchive[] = [];
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    const manifest = name.endsWith('.zip') ? await readManifest(path) : null;
    if (manifest === null || (kind ?? manifest.kind) !== manifest.kind) continue;
    if (databases?.has(manifest.database) ?? true) found.push({ path, manifest });
  }
  return found.toSorted(
    (one, other) =>
      Number(other.path === newest) - Number(one.path === newest) ||
      other.manifest.createdAt.getTime() - one.manifest.createdAt.getTime() ||
      other.path.localeCompare(one.path),
  );
}
