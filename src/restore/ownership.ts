import type { Journal } from '../state-folder/journal.ts';
import type { RestoreTarget } from './target.ts';

/**
 * Whether a journal names what a restore of this site would have named: what it names is renamed, and may be removed.
 * An undo brings back what an earlier restore has kept.
 */
export function isOfTarget({ id, action, places }: Journal, site: RestoreTarget): boolean {
  const own = site.places(id);
  if (places.live !== own.live || places.outgoing !== own.outgoing) return false;
  return action === 'restore' ? places.incoming === own.incoming : isFormerOf(site, places.incoming);
}

/** Whether a name is one that this site keeps former databases under. */
export function isFormerOf(site: RestoreTarget, name: string): boolean {
  const [, id] = /_(\d{8}_\d{6}(?:_\d+)?)$/.exec(name) ?? [];
  return id !== undefined && site.places(id).outgoing === name;
}
