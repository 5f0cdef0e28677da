import type { Database } from '../database/database.ts';
import { DependedUpon } from '../database/postgres/dependents.ts';
import { namesOf } from '../database/target-name.ts';
import { Failure } from '../errors/failure.ts';
import { dropFormer } from './uploads/former-uploads.ts';
import { holdJournal } from './journal-lock.ts';
import { type DoneRestore, readHistory, remember } from '../state-folder/restore-history.ts';
import type { Way } from '../state-folder/journal.ts';
import { openTarget } from './open-target.ts';
import { isFormerOf } from './ownership.ts';
import { nothingKept } from './restore.ts';
import type { RestoreContext, RestoreTarget } from './target.ts';
import { restoreMessages } from '../report/restore-messages.ts';

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
  const known = namesOf(context.config.database);
  const remembered = readHistory(context.config).filter(
    ({ database, kept, uploads }) => known.has(database) && (kept !== null || uploads.length > 0),
  );
  const sites = new Map<Way, RestoreTarget>();
  try {
    const keeping: { readonly done: DoneRestore; readonly site: RestoreTarget }[] = [];
    for (const done of remembered) {
      const site = sites.get(done.way) ?? (await openTarget(live, context, done.way));
      sites.set(done.way, site);
      if (done.kept === null || isFormerOf(site, done.kept)) keeping.push({ done, site });
    }
    if (keeping.length === 0) throw nothingKept(live.name);
    const names = keeping.flatMap(({ done: { kept } }) => (kept === null ? [] : [kept]));
    await consent(restoreMessages.dropConsent(live.name, names));
    // no undo may bring back meanwhile what goes here
    const held = await holdJournal(context);
    try {
      for (const { done, site } of keeping) await dropKept(site, done, live.name, context);
    } finally {
      held.release();
    }
  } finally {
    for (const site of sites.values()) await site.close();
  }
}

/** @throws Failure `restore-refused` if something outside needs what was kept */
async function dropOnly(site: RestoreTarget, kept: string, database: string): Promise<void> {
  try {
    await site.drop(kept);
  } catch (error) {
    if (!(error instanceof DependedUpon)) throw error;
    const obstacle = { kind: 'depended-upon', name: kept, dependents: error.dependents } as const;
    throw new Failure({ kind: 'restore-refused', database, obstacle }, { cause: error });
  }
}

async function dropKept(
  site: RestoreTarget,
  done: DoneRestore,
  database: string,
  { config, log, recorder }: RestoreContext,
): Promise<void> {
  const there = done.kept !== null && (await site.isKept(done.kept));
  if (done.kept !== null) {
    recorder.step({ kind: 'former-dropped', names: [done.kept] });
    await dropOnly(site, done.kept, database);
    recorder.committed('committed');
  }
  for (const folder of done.uploads) await dropFormer(folder, done.id, config);
  remember(config, { ...done, kept: null, uploads: [], measured: null, measuredUploads: {} });
  log.info(there || done.kept === null ? restoreMessages.dropped(done.kept) : restoreMessages.goneAlready(done.kept));
}
