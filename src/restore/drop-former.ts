import type { Database } from '../database/database.ts';
import { type DoneRestore, readHistory, remember } from './history.ts';
import { openSite } from './open-site.ts';
import { nothingKept } from './restore.ts';
import type { RestoreContext, Site } from './site.ts';
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
  const { config } = context;
  const keeping = readHistory(config).filter(
    ({ database, kept, uploads }) => database === live.name && (kept !== null || uploads.length > 0),
  );
  if (keeping.length === 0) throw nothingKept(live.name);
  const names = keeping.flatMap(({ kept }) => (kept === null ? [] : [kept]));
  await consent(`This deletes what restores have kept of ${live.name}, for good: ${names.join(', ')}.`);
  for (const way of new Set(keeping.map((done) => done.way))) {
    const site = await openSite(live, context, way);
    try {
      for (const done of keeping.filter((kept) => kept.way === way)) await dropKept(site, done, context);
    } finally {
      await site.close();
    }
  }
}

async function dropKept(site: Site, done: DoneRestore, { config, log }: RestoreContext): Promise<void> {
  const there = done.kept !== null && (await site.isKept(done.kept));
  if (done.kept !== null) await site.drop(done.kept);
  for (const folder of done.uploads) await dropFormerUploads(folder, done.id);
  remember(config, { ...done, kept: null, uploads: [] });
  log.info(
    there || done.kept === null ? `Dropped ${done.kept ?? 'former uploads'}.` : `${done.kept} is not there any more.`,
  );
}
