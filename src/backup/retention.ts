import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArchiveKind, Manifest } from '../archive/manifest.ts';
import { readManifest } from '../archive/proof.ts';

export interface RetentionRule {
  readonly folder: string;
  /** Of this kind only; what somebody asked for is never taken for what was made by itself. */
  readonly kind: ArchiveKind;
  /** Of this database only. */
  readonly database: string;
  /** How many are kept, the newest; at least one. */
  readonly keep: number;
}

/**
 * Removes the oldest archives beyond a number. An archive that is not of db-init, whatever its name, is never
 * touched. To be called after a new one was proven, which is thereby kept.
 * @returns the paths of what was removed
 */
export async function removeOldest({ folder, kind, database, keep }: RetentionRule): Promise<readonly string[]> {
  const found: { readonly path: string; readonly manifest: Manifest }[] = [];
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const manifest = name.endsWith('.zip') ? await readManifest(path) : null;
    if (manifest?.kind === kind && manifest.database === database) found.push({ path, manifest });
  }
  const newestFirst = found.toSorted(
    (one, other) =>
      other.manifest.createdAt.getTime() - one.manifest.createdAt.getTime() || other.path.localeCompare(one.path),
  );
  const removed = newestFirst.slice(Math.max(1, keep)).map(({ path }) => path);
  for (const path of removed) await rm(path, { force: true });
  return removed;
}
