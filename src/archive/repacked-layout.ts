import { manifestMember } from './manifest.ts';

/** What desktops and file servers put into folders that they show or pack; it is nobody's upload. */
const debris =
  /(^|\/)(__MACOSX|@eaDir|\.Spotlight-V100|\.Trashes|\.fseventsd)(\/|$)|(^|\/)(\.DS_Store|\.directory|\._[^/]*|thumbs\.db|ehthumbs\.db|desktop\.ini)$/i;

/** Whether a name is that of something a desktop left: `.DS_Store`, `__MACOSX/`, `Thumbs.db`, `desktop.ini`. */
export function isDesktopFile(name: string): boolean {
  return debris.test(name);
}

/**
 * The folder that holds the whole archive, where somebody unpacked it and packed the folder again.
 * @param names of all members; a folder's ends with a slash
 * @returns `my backup/`, or an empty text where the members stand at the top, or not all of them in one folder
 */
export function topFolder(names: readonly string[]): string {
  const kept = names.filter((name) => !isDesktopFile(name));
  const manifests = kept.filter((name) => name.endsWith(`/${manifestMember}`));
  const depth = (name: string): number => name.split('/').length;
  const [nearest] = manifests.toSorted((one, other) => depth(one) - depth(other));
  if (nearest === undefined || kept.includes(manifestMember)) return '';
  const top = nearest.slice(0, -manifestMember.length);
  return kept.every((name) => name.startsWith(top) || (name.endsWith('/') && top.startsWith(name))) ? top : '';
}
