import type { ArchiveKind } from '../model/archive.ts';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../archive/manifest.ts';
import { readManifest } from '../archive/reader.ts';
import { namesIn } from './list.ts';
import { rejectionReason } from '../report/archive-reasons.ts';
import { Failure } from '../errors/failure.ts';

export interface RetentionRule {
  readonly folder: string;
  /** The kind of the archives: the rule for safety backups never removes a manual one. */
  readonly kind: ArchiveKind;
  /** The names of the database in the archives (`namesOf`). */
  readonly names: ReadonlySet<string>;
  /** How many of the newest to keep; at least one. */
  readonly keep: number;
  /** Paths to keep in addition to that number. */
  readonly always?: readonly string[];
  /** Whether to keep, in addition, the newest backup of a healthy database. */
  readonly keepHealthy?: boolean;
}

/** What a rule keeps and what it removes; paths, the newest first. */
export interface RetentionPlan {
  readonly kept: readonly string[];
  readonly old: readonly string[];
}

/**
 * Removes the oldest archives beyond a number.
 * @param newest the backup that was just made. It counts as the newest: a wrong clock may have given others a later
 *   time
 * @returns the paths of what was removed
 */
export async function removeOldest(rule: RetentionRule, newest: string): Promise<readonly string[]> {
  const { old } = await planRetention(rule, newest);
  for (const path of old) await rm(path, { force: true });
  return old;
}

/**
 * Finds the archives to which a rule applies. Archives that db-init did not make are never among them, whatever their
 * names.
 * @param newest a path that comes first, whatever its time
 */
export async function planRetention(
  { keep, always = [], keepHealthy = false, ...whose }: RetentionRule,
  newest: string | null = null,
): Promise<RetentionPlan> {
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

/** An archive of db-init, and its manifest. It was read back before it got its name. */
export interface FoundArchive {
  readonly path: string;
  readonly manifest: Manifest;
}

/** Milliseconds: an archive whose time is further in the future was made with a wrong clock. */
const tolerance = 60 * 60 * 1000;

/**
 * The newest backup by db-init; null if there is none. It skips archives with a time in the future. Each was verified
 * when it was made.
 * @param names names of the database in it (`namesOf`); null for any
 * @param kind null for either
 * @throws Failure `backups-not-listed`
 */
export async function findNewestBackup(
  folder: string,
  names: ReadonlySet<string> | null,
  kind: ArchiveKind | null = null,
): Promise<FoundArchive | null> {
  const found = await findArchives({ folder, kind, names });
  return found.find(({ manifest }) => manifest.createdAt.getTime() - Date.now() < tolerance) ?? null;
}

/**
 * The archives of a kind and a database (null means any), sorted by time, the newest first; `newest` comes before all
 * others.
 */
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

/**
 * Verifies the newest archive, then removes the oldest ones beyond a number.
 * @param verify reads an archive to its end, and throws if it cannot be restored
 * @param onRemoved called with each removed archive
 * @returns how many are left
 * @throws Failure `backups-not-pruned` if the newest is not whole: then an older one may be the only usable backup
 */
export async function pruneArchives(
  rule: RetentionRule,
  verify: (path: string) => Promise<unknown>,
  onRemoved: (path: string) => void,
): Promise<number> {
  const { kept, old } = await planRetention(rule);
  const [newest] = kept;
  if (newest === undefined || old.length === 0) return kept.length;
  const refuse = (path: string, why: 'not-whole' | 'not-removed', cause: unknown): Failure => {
    const facts = { folder: rule.folder, path, why, reason: rejectionReason(cause) };
    return new Failure({ kind: 'backups-not-pruned', ...facts }, { cause });
  };
  try {
    await verify(newest);
  } catch (error) {
    throw refuse(newest, 'not-whole', error);
  }
  for (const path of old) {
    try {
      await rm(path, { force: true });
    } catch (error) {
      throw refuse(path, 'not-removed', error);
    }
    onRemoved(path);
  }
  return kept.length;
}
