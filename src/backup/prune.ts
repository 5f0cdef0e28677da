import { rm } from 'node:fs/promises';
import { rejectionReason } from '../archive/archive-error.ts';
import { Failure, reasonOf } from '../errors/failure.ts';
import { type RetentionRule, sortArchives } from './retention.ts';

/**
 * Verifies the newest archive, then removes the oldest ones beyond a number.
 * @param prove reads an archive to its end, and throws if it cannot be restored
 * @param onRemoved called with each removed archive
 * @returns how many are left
 * @throws Failure `backups-not-pruned` if the newest is not whole: then an older one may be the only usable backup
 */
export async function pruneArchives(
  rule: RetentionRule,
  prove: (path: string) => Promise<unknown>,
  onRemoved: (path: string) => void,
): Promise<number> {
  const { kept, old } = await sortArchives(rule);
  const [newest] = kept;
  if (newest === undefined || old.length === 0) return kept.length;
  const refuse = (reason: string, cause: unknown): Failure =>
    new Failure({ kind: 'backups-not-pruned', folder: rule.folder, reason }, { cause });
  try {
    await prove(newest);
  } catch (error) {
    throw refuse(`the newest backup, ${newest}, is not whole: ${rejectionReason(error)}`, error);
  }
  for (const path of old) {
    try {
      await rm(path, { force: true });
    } catch (error) {
      throw refuse(`${path} cannot be removed: ${reasonOf(error)}`, error);
    }
    onRemoved(path);
  }
  return kept.length;
}
