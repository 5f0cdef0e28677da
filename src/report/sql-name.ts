/** A name in SQL, in double quotes: it may be a word that SQL itself uses. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
