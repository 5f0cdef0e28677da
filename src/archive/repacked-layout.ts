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
 * @param names goes through all entries' names, as often as it is called; a folder's ends with a slash
 * @returns `my backup/`, or an empty text where the entries stand at the top, or not all of them in one folder
 */
export function topFolder(names: () => Iterable<string>): string {
  const depthOf = (name: string): number => name.split('/').length;
  let nearest: string | null = null;
  for (const name of names()) {
    if (name === manifestMember) return '';
    if (!name.endsWith(`/${manifestMember}`) || isDesktopFile(name)) continue;
    if (nearest === null || depthOf(name) < depthOf(nearest)) nearest = name;
  }
  if (nearest === null) return '';
  const top = nearest.slice(0, -manifestMember.length);
  for (const name of names()) {
    const isInside = name.startsWith(top) || (name.endsWith('/') && top.startsWith(name));
    if (!isInside && !isDesktopFile(name)) return '';
  }
  return top;
}
