import { manifestMember } from './manifest.ts';

/** Files that desktops and file servers put into folders that they show or pack. They are not uploads. */
const debris =
  /(^|\/)(__MACOSX|@eaDir|\.Spotlight-V100|\.Trashes|\.fseventsd)(\/|$)|(^|\/)(\.DS_Store|\.directory|\._[^/]*|thumbs\.db|ehthumbs\.db|desktop\.ini)$/i;

/** Whether a name is that of a desktop file: `.DS_Store`, `__MACOSX/`, `Thumbs.db`, `desktop.ini`. */
export function isDesktopFile(name: string): boolean {
  return debris.test(name);
}

/**
 * The folder that holds the whole archive, if somebody unpacked the archive and packed the folder.
 * @param names returns an iteration over all entries' names, called more than once; the name of a folder ends with a
 *   slash
 * @returns `my backup/`, or an empty text if the entries are not all in one folder
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
