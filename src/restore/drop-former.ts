import type { Database } from '../database/database.ts';
import { readHistory, remember } from './history.ts';
import { openSite } from './open-site.ts';
import { nothingKept } from './restore.ts';
import type { RestoreContext } from './site.ts';
import { dropFormerUploads } from './uploads.ts';

/**
 * Drops every former database of this one that restores and undos keep, and the former uploads: after it there is no
 * way back. To be called under the run lock.
 * @param consent asks for it, given what is about to be dropped
 * @throws Failure `restore-refused` if nothing is kept
 */
export async function dropFormerOf(
  live: Database,
  context: RestoreContext,
  consent: (what: string) => Promise<void>,
): Promise<void> {
  const { config, log } = context;
  const keeping = readHistory(config).filter(
    ({ database, kept, uploads }) => database === live.name && (kept !== null || uploads.length > 0),
  );
  if (keeping.length === 0) throw nothingKept(live.name);
  const names = keeping.flatMap(({ kept }) => (kept === null ? [] : [kept]));
  await consent(`This deletes what restores have kept of ${live.name}, for good: ${names.join(', ')}.`);
  const site = await openSite(live, context);
  try {
    for (const done of keeping) {
      if (done.kept !== null) await site.drop(done.kept);
      for (const folder of done.uploads) await dropFormerUploads(folder, done.id);
      remember(config, { ...done, kept: null, uploads: [] });
      log.info(`Dropped ${done.kept ?? 'former uploads'}.`);
    }
  } finally {
    await site.close();
  }
}
